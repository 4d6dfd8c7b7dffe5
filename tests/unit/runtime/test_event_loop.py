"""Events are handled at least once, poison is buried, and what may yet succeed is read again."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError

from mien.contracts.events import DeadLetter, FaceShot, decode_event, encode_event
from mien.contracts.topics import DEAD_LETTERS, IDENTITY_FACES
from mien.errors import PermanentError, TransientError
from mien.runtime import event_loop
from mien.runtime.event_loop import DeadLetterOffice, Received
from mien.runtime.service import Service, run_until_stopped
from tests.fakes import FakeConsumer, FakeProducer, FakeRecord
from tests.samples import face_shot

PARTITION = TopicPartition(IDENTITY_FACES.name, 0)


class Handled:
    """A handler that remembers what it finished and fails on request."""

    def __init__(self, *errors: Exception, poison: str | None = None) -> None:
        self.done: list[str] = []
        self.calls = 0
        self._errors = list(errors)
        self._poison = poison

    async def __call__(self, received: Sequence[Received[FaceShot]]) -> None:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        if any(one.event.event_id == self._poison for one in received):
            raise PermanentError("expected a face, got a potato")
        self.done.extend(one.event.event_id for one in received)


async def work_on(
    records: Sequence[FakeRecord], handled: Handled, consumer: FakeConsumer, producer: FakeProducer
) -> Service:
    service = Service("recognizer")
    service.stop.set()  # so that a rewind does not wait
    letters = DeadLetterOffice("recognizer", producer)
    batches: dict[TopicPartition, list[FakeRecord]] = {}
    for record in records:
        batches.setdefault(TopicPartition(record.topic, record.partition), []).append(record)
    await event_loop._handle_batches(service, consumer, letters, IDENTITY_FACES, batches, FaceShot, handled)
    return service


def records_of(*event_ids: str) -> list[FakeRecord]:
    return [
        FakeRecord(encode_event(face_shot(event_id=event_id)), 10 + n) for n, event_id in enumerate(event_ids)
    ]


def letters_in(producer: FakeProducer) -> list[DeadLetter]:
    return [decode_event(value, DeadLetter) for _, value in producer.sent[DEAD_LETTERS.name]]


async def test_finished_batch_is_committed_past_its_last_event() -> None:
    """Nothing is committed before it is done, and everything after."""
    handled, consumer = Handled(), FakeConsumer()
    await work_on(records_of("a", "b"), handled, consumer, FakeProducer())
    assert (handled.done, consumer.committed) == (["a", "b"], {PARTITION: 12})


async def test_partitions_are_handled_together_and_committed_each() -> None:
    """Faces of many cameras share one call of the model."""
    handled, consumer = Handled(), FakeConsumer()
    elsewhere = FakeRecord(encode_event(face_shot(event_id="z")), 70, partition=5)
    await work_on([*records_of("a", "b"), elsewhere], handled, consumer, FakeProducer())
    assert (handled.done, handled.calls) == (["a", "b", "z"], 1)
    assert consumer.committed == {PARTITION: 12, TopicPartition(IDENTITY_FACES.name, 5): 71}


async def test_undecodable_message_is_buried_and_the_rest_goes_on() -> None:
    """A poison message blocks nobody, and the dead letter carries no pixels."""
    handled, consumer, producer = Handled(), FakeConsumer(), FakeProducer()
    records = [
        *records_of("a"),
        FakeRecord(b"\xc1 poison", 11),
        FakeRecord(encode_event(face_shot(event_id="c")), 12),
    ]
    await work_on(records, handled, consumer, producer)
    (letter,) = letters_in(producer)
    assert (handled.done, consumer.committed) == (["a", "c"], {PARTITION: 13})
    assert (letter.topic, letter.offset, letter.value_bytes) == (IDENTITY_FACES.name, 11, 8)
    assert "expected a FaceShot" in letter.error


async def test_refused_event_is_found_within_its_batch_and_buried_alone() -> None:
    """One bad event in a batch does not take its neighbours with it."""
    handled, consumer, producer = Handled(poison="b"), FakeConsumer(), FakeProducer()
    await work_on(records_of("a", "b", "c"), handled, consumer, producer)
    assert (handled.done, [letter.offset for letter in letters_in(producer)]) == (["a", "c"], [11])
    assert consumer.committed == {PARTITION: 13}


async def test_transient_failure_rewinds_and_commits_nothing() -> None:
    """A dead model server costs time, not events, and the service says so."""
    handled, consumer = Handled(TransientError("model server: no answer")), FakeConsumer()
    service = await work_on(records_of("a", "b"), handled, consumer, FakeProducer())
    assert (consumer.committed, consumer.sought) == ({}, {PARTITION: 10})
    assert "model server: no answer" in service.health.problems
    await work_on(records_of("a", "b"), handled, consumer, FakeProducer())
    assert (handled.done, consumer.committed) == (["a", "b"], {PARTITION: 12})


async def test_dead_letter_that_cannot_be_written_rewinds() -> None:
    """Poison is not forgotten because the broker was away."""
    consumer = FakeConsumer()
    await work_on([FakeRecord(b"x", 10)], Handled(), consumer, FakeProducer(failures=[OSError("gone")]))
    assert (consumer.committed, consumer.sought) == ({}, {PARTITION: 10})


async def test_defect_ends_the_process() -> None:
    """What nobody foresaw is not swallowed."""
    with pytest.raises(ZeroDivisionError):
        await work_on(records_of("a"), Handled(ZeroDivisionError()), FakeConsumer(), FakeProducer())


async def test_lost_partition_is_not_an_error() -> None:
    """The new owner repeats the work, and merging it twice changes nothing."""
    handled = Handled()
    await work_on(
        records_of("a"),
        handled,
        FakeConsumer(commit_errors=[CommitFailedError("rebalanced")]),
        FakeProducer(),
    )
    assert handled.done == ["a"]


async def test_task_that_fails_stops_the_others_and_is_raised() -> None:
    """A service never limps on with half of its tasks."""
    service = Service("recognizer")

    async def fail() -> None:
        raise ZeroDivisionError

    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup):
        await run_until_stopped(service, fail(), wait())
    assert service.stop.is_set()
