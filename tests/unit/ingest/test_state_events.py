"""Changes of state are kept until the broker has them, and each is told once."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError

from mien.contracts.events import CameraStateChanged, decode_event
from mien.contracts.topics import CAMERA_STATES
from mien.errors import TransientError
from mien.runtime import metrics
from services.ingest import state_events
from services.ingest.condition import Condition
from services.ingest.state_events import StateJournal
from tests.fakes import FakeProducer

AWAY = Condition("backoff", "the camera does not answer", "; trying again in 4 s")


def told(producer: FakeProducer) -> list[CameraStateChanged]:
    return [decode_event(value, CameraStateChanged) for _, value in producer.sent[CAMERA_STATES.name]]


async def test_the_same_again_is_no_change() -> None:
    """Seconds that count down are none; a camera that came back to this replica is told anew."""
    journal, producer = StateJournal("replica"), FakeProducer()
    journal.note("door", 3, AWAY, at_ns=1)
    journal.note("door", 3, Condition("backoff", AWAY.reason, "; trying again in 3 s"), at_ns=2)
    journal.note("yard", 1, Condition("streaming"), at_ns=3)
    journal.keep_only({"yard"})
    journal.note("door", 3, AWAY, at_ns=4)
    await journal._publish_waiting(producer)
    assert [(event.camera_id, event.state, event.captured_at_ns) for event in told(producer)] == [
        ("door", "backoff", 1),
        ("yard", "streaming", 3),
        ("door", "backoff", 4),
    ]
    assert told(producer)[0].reason == "the camera does not answer"


async def test_what_the_broker_refuses_is_sent_later_in_its_order() -> None:
    """Nothing is lost while the broker is away."""
    journal, producer = StateJournal("replica"), FakeProducer(failures=[KafkaConnectionError()])
    journal.note("door", 3, AWAY, at_ns=1)
    journal.note("door", 3, Condition("streaming"), at_ns=2)
    with pytest.raises(TransientError):
        await journal._publish_waiting(producer)
    assert journal.waiting == 2
    await asyncio.gather(journal._publish_waiting(producer))
    assert [event.state for event in told(producer)] == ["backoff", "streaming"]


def test_too_many_changes_cost_the_oldest_and_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that is away for days fills no memory."""
    monkeypatch.setattr(state_events, "_MOST_WAITING", 3)
    dropped = metrics.DROPPED.labels("ingest", "state_unsent")
    before, journal = dropped._value.get(), StateJournal("replica")
    for number in range(5):
        journal.note("door", 3, Condition("backoff", f"reason {number}"), at_ns=number)
    assert journal.waiting == 3
    assert dropped._value.get() == before + 2
