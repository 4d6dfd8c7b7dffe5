"""Between a reader and the broker: the newest sample wins, and epochs tell openings apart."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from mien.contracts.frames import Frame
from mien.errors import TransientError
from mien.runtime.health import Health
from services.ingest.main_stream import Closeup
from services.ingest.publisher import FramePublisher
from services.ingest.reader import Sample


@dataclass
class FakeEpochs:
    """Counts epochs; fails as often as it is told to."""

    epoch: int = 0
    failures: int = 0

    async def take(self, camera_id: str) -> int:
        if self.failures:
            self.failures -= 1
            raise TransientError("Redis is away")
        self.epoch += 1
        return self.epoch

    async def current(self, camera_id: str) -> int:
        return self.epoch


@dataclass
class FakeBroker:
    """Takes frames, one at a time when its gate is shut."""

    sent: list[tuple[Frame, int]] = field(default_factory=list)
    failures: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0

    async def send(self, frame: Frame, partition: int) -> None:
        self.asked += 1
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise TransientError("Kafka is away")
        self.sent.append((frame, partition))


class Rig:
    def __init__(self) -> None:
        self.epochs, self.broker, self.health = FakeEpochs(), FakeBroker(), Health()
        self.broker.gate.set()
        self.health.started()
        self.publisher = FramePublisher(
            "cam", 3, epochs=self.epochs, send=self.broker.send, health=self.health
        )

    async def offer(self, **changes: object) -> None:
        self.publisher.offer(sample(**changes))
        for _ in range(10):  # let the publisher's task take it
            await asyncio.sleep(0)

    @property
    def frame_ids(self) -> list[str]:
        return [frame.frame_id for frame, _ in self.broker.sent]


@asynccontextmanager
async def running() -> AsyncIterator[Rig]:
    rig = Rig()
    task = asyncio.create_task(rig.publisher.run())
    try:
        yield rig
    finally:
        task.cancel()


def sample(**changes: object) -> Sample:
    base = Sample(
        opening=1,
        jpeg=b"\xff\xd8",
        size_wh=(640, 360),
        captured_at_ns=time.time_ns(),
        camera_clock_ns=None,
        still=False,
        max_age_ms=60_000,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


async def test_frames_go_to_the_cameras_partition_in_one_epoch() -> None:
    """Frames of one opening share an epoch and are numbered."""
    async with running() as rig:
        for _ in range(3):
            await rig.offer()
        assert rig.frame_ids == ["cam:1:1", "cam:1:2", "cam:1:3"]
        assert {partition for _, partition in rig.broker.sent} == {3}


async def test_each_opening_takes_a_new_epoch() -> None:
    """A reconnect is a new epoch, and numbering begins again."""
    async with running() as rig:
        await rig.offer(opening=1)
        await rig.offer(opening=2)
        assert rig.frame_ids == ["cam:1:1", "cam:2:1"]


async def test_the_newest_frame_wins_while_the_broker_is_busy() -> None:
    """One frame is on its way, one waits; those it replaces are counted."""
    async with running() as rig:
        rig.broker.gate.clear()
        for number in range(5):
            await rig.offer(jpeg=b"\xff\xd8%d" % number)
        rig.broker.gate.set()
        await rig.offer(jpeg=b"\xff\xd8last")
        assert [frame.jpeg for frame, _ in rig.broker.sent] == [b"\xff\xd80", b"\xff\xd8last"]
        assert rig.publisher.dropped["replaced"] == 4
        assert rig.broker.asked == 2


async def test_stale_frames_are_dropped_here_already() -> None:
    """What waited too long for the broker is not sent."""
    async with running() as rig:
        await rig.offer(captured_at_ns=time.time_ns() - 2_000_000_000, max_age_ms=1000)
        assert rig.frame_ids == []
        assert rig.publisher.dropped == {"stale": 1}


async def test_trouble_is_told_and_forgotten_when_it_is_over() -> None:
    """A broker or Redis that is away makes the service unready, drops frames, and nothing more."""
    async with running() as rig:
        rig.broker.failures = 1
        await rig.offer()
        assert rig.health.problems == ["Kafka is away"]
        rig.epochs.failures = 1
        await rig.offer(opening=2)
        assert rig.health.problems == ["Redis is away"]
        await rig.offer(opening=2)
        assert rig.health.is_ready
        assert rig.publisher.dropped["unsent"] == 2
        assert rig.frame_ids == ["cam:2:1"]


async def test_nothing_is_sent_while_the_group_settles() -> None:
    """Between revocation and assignment frames are counted as unassigned."""
    async with running() as rig:
        rig.publisher.pause()
        await rig.offer()
        assert rig.frame_ids == []
        assert rig.publisher.dropped == {"unassigned": 1}
        rig.publisher.resume()
        await rig.offer()
        assert rig.frame_ids == ["cam:1:1"]


async def test_a_camera_kept_through_a_rebalance_keeps_its_epoch() -> None:
    """Nobody else had it, so consumers see one stream."""
    async with running() as rig:
        await rig.offer()
        rig.publisher.pause()
        rig.publisher.resume()
        await rig.offer()
        assert rig.frame_ids == ["cam:1:1", "cam:1:2"]


async def test_a_camera_that_somebody_else_had_gets_a_new_epoch() -> None:
    """Frames under the old epoch would be dropped by every consumer."""
    async with running() as rig:
        await rig.offer()
        rig.publisher.pause()
        rig.epochs.epoch = 7
        rig.publisher.resume()
        await rig.offer()
        assert rig.frame_ids == ["cam:1:1", "cam:8:1"]


async def test_a_frame_takes_its_closeup_along() -> None:
    """Where the camera has a main stream, each sample is asked for; without an answer it goes alone."""
    answers = [Closeup(b"\xff\xd8large", (1920, 1080)), None]

    async def find_closeup(_: Sample) -> Closeup | None:
        return answers.pop(0)

    async with running() as rig:
        rig.publisher.find_closeup = find_closeup
        await rig.offer()
        await rig.offer()
        sent = [(frame.closeup_jpeg, frame.closeup_size_wh) for frame, _ in rig.broker.sent]
        assert sent == [(b"\xff\xd8large", (1920, 1080)), (None, None)]


async def test_a_frame_that_waited_for_its_closeup_is_not_sent_after_a_pause() -> None:
    """Somebody else may own the camera by the time the main stream's picture has come."""
    asked, answer = asyncio.Event(), asyncio.Event()

    async def find_closeup(_: Sample) -> Closeup | None:
        asked.set()
        await answer.wait()
        return None

    async with running() as rig:
        rig.publisher.find_closeup = find_closeup
        await rig.offer()
        await asked.wait()
        rig.publisher.pause()
        answer.set()
        await rig.offer()
        assert rig.frame_ids == []
        assert rig.publisher.dropped == {"unassigned": 2}
