"""Reading and publishing when neighbours misbehave."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError
from prometheus_client import REGISTRY
from redis.exceptions import ConnectionError as RedisConnectionError

from mien.contracts.events import DeadLetter, TrackStarted, decode_event
from mien.contracts.frames import Frame
from mien.contracts.shared_state import Preview, closeup_key, watch_key
from mien.contracts.topics import DEAD_LETTERS, FRAMES, TRACK_EVENTS
from mien.runtime.event_loop import DeadLetterOffice
from mien.runtime.service import Service
from services.detector import outlets
from services.detector.frame_reader import FrameOwnership, FrameReader
from services.detector.outlets import CloseupWishes, EventOutlet, PreviewOutlet
from tests.fakes import FakeConsumer, FakeProducer, FakeRecord, FakeRedis


@dataclass
class FrameRecord(FakeRecord):
    """A record with a frame's headers."""

    headers: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass
class ScriptedConsumer(FakeConsumer):
    """Hands over given records once, then tells the service to stop."""

    service: Service | None = None
    batches: list[list[FrameRecord]] = field(default_factory=list)

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[FrameRecord]]:
        assert self.service is not None
        if not self.batches:
            self.service.stop.set()
            return {}
        records = self.batches.pop(0)
        return {TopicPartition(FRAMES.name, 0): records}

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(FRAMES.name, 0)}


def record(offset: int, *, jpeg: bytes = b"\xff\xd8", camera_id: str = "door") -> FrameRecord:
    frame = Frame(
        frame_id=f"{camera_id}:1:{offset}",
        jpeg=jpeg,
        captured_at_ns=time.time_ns() + offset,
        size_wh=(640, 360),
    )
    return FrameRecord(jpeg, offset, topic=FRAMES.name, headers=frame.headers())


def dropped(reason: str) -> float:
    return REGISTRY.get_sample_value("mien_dropped_total", {"stage": "detector", "reason": reason}) or 0.0


async def read(batches: list[list[FrameRecord]]) -> tuple[FrameReader, FakeProducer, ScriptedConsumer]:
    """Let a reader read records; returns it, where its dead letters went, and its consumer."""
    service, producer = Service("detector"), FakeProducer()
    consumer = ScriptedConsumer(service=service, batches=batches)
    reader = FrameReader(
        consumer,
        ownership=FrameOwnership(service),
        letters=DeadLetterOffice("detector", producer),
        service=service,
    )
    await reader.read()
    return reader, producer, consumer


async def test_the_newest_of_a_batch_is_what_waits() -> None:
    """Of many frames fetched at once, each camera's last is taken; the rest is counted."""
    before = dropped("superseded")
    batch = [record(offset, camera_id=camera) for offset, camera in enumerate(["a", "b", "a", "a", "b"])]
    reader, _, _ = await read([batch])
    found = [await reader.take(0), await reader.take(0), await reader.take(0)]
    assert [one and one.frame.frame_id for one in found] == ["a:1:3", "b:1:4", None]
    assert dropped("superseded") - before == 3


async def test_gaps_in_offsets_are_counted() -> None:
    """Frames that the broker deleted before they were read show up as drops."""
    before = dropped("offset_gap")
    await read([[record(10), record(11)], [record(20)]])
    assert dropped("offset_gap") - before == 8


async def test_broken_frames_are_counted_and_written_down_sparingly() -> None:
    """Frames without headers fill the dead letters with one a second, are all counted, and stop nothing."""
    before = dropped("malformed")
    broken = [FrameRecord(b"\xff\xd8", offset, topic=FRAMES.name) for offset in range(30)]
    reader, producer, _ = await read([[*broken, record(30)]])
    assert dropped("malformed") - before == 30
    (letter,) = [decode_event(value, DeadLetter) for _, value in producer.sent[DEAD_LETTERS.name]]
    assert "needs the headers" in letter.error
    assert await reader.take(0) is not None


async def test_done_frames_are_committed_once() -> None:
    """What is finished is committed up to its offset; then there is nothing left to commit."""
    reader, _, consumer = await read([[record(41)]])
    waiting = await reader.take(0)
    assert waiting is not None
    reader.finished(waiting)
    await reader.commit_done()
    assert consumer.committed == {TopicPartition(FRAMES.name, 0): 42}
    consumer.committed.clear()
    await reader.commit_done()
    assert consumer.committed == {}


def started(number: int) -> TrackStarted:
    return TrackStarted(
        camera_id="door", event_id=str(number), captured_at_ns=1, track_id=f"door:1:{number}", frame_id="f"
    )


async def test_track_events_are_tried_again_until_they_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """After two refusals by the broker every event is there once, and the trouble is over."""
    monkeypatch.setattr(outlets, "RETRY_SECONDS", 0.0)
    service = Service("detector")
    producer = FakeProducer(failures=[KafkaTimeoutError(), KafkaTimeoutError()])
    outlet = EventOutlet(service, events=producer, droppable=producer)
    await outlet.changed([started(1), started(2), started(3)], [], partition=2)
    ids = [decode_event(value, TrackStarted).event_id for _, value in producer.sent[TRACK_EVENTS.name]]
    assert sorted(ids) == ["1", "2", "3"]
    assert not [problem for problem in service.health.problems if "publishing" in problem]


async def test_stopping_gives_up_on_a_broker_that_is_away() -> None:
    """A service told to stop does not wait for ever; what it could not publish is counted."""
    before = dropped("unpublished_at_stop")
    service = Service("detector")
    service.stop.set()
    producer = FakeProducer(failures=[KafkaTimeoutError()])
    outlet = EventOutlet(service, events=producer, droppable=producer)
    await outlet.changed([started(1)], [], partition=0)
    assert dropped("unpublished_at_stop") - before == 1


class HangingRedis(FakeRedis):
    """Takes a message and never answers."""

    async def publish(self, channel: str, message: bytes) -> None:
        await asyncio.Event().wait()


def preview() -> Preview:
    return Preview(
        camera_id="door",
        frame_id="door:1:1",
        captured_at_ns=1,
        detected_at_ns=2,
        size_wh=(640, 360),
        boxes_xyxy=[],
        track_ids=[],
        scores=[],
        jpeg=b"",
    )


async def test_a_hanging_redis_costs_a_preview_not_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview that Redis does not take in time is dropped and counted."""
    monkeypatch.setattr(outlets, "_REDIS_TIMEOUT_SECONDS", 0.01)
    before = dropped("preview_unsent")
    await PreviewOutlet(HangingRedis()).show(preview())
    assert dropped("preview_unsent") - before == 1


async def test_watchers_are_remembered_while_redis_is_away() -> None:
    """Who watched before goes on being served; a mark that is gone ends it."""
    redis: Any = FakeRedis({watch_key("door"): b"1"})
    previews = PreviewOutlet(redis)
    await previews.refresh(["door", "yard"])
    assert (previews.is_watched("door"), previews.is_watched("yard")) == (True, False)
    redis.error = RedisConnectionError("gone")
    await previews.refresh(["door"])
    assert previews.is_watched("door")
    redis.error = None
    redis.values.clear()
    await previews.refresh(["door"])
    assert not previews.is_watched("door")


async def test_a_wish_is_told_once_a_second_and_waits_for_nobody() -> None:
    """However often a camera's close-ups are wished for; a Redis that is away costs the wish alone."""
    redis = FakeRedis()
    wishes = CloseupWishes(redis)
    await wishes.wish("door")
    assert redis.values.pop(closeup_key("door")) == b"1"
    await wishes.wish("door")
    assert redis.values == {}
    wishes.forget("door")
    redis.error = RedisConnectionError("away")
    await wishes.wish("door")
    wishes.forget("door")
    redis.error = None
    await wishes.wish("door")
    assert redis.values == {closeup_key("door"): b"1"}
