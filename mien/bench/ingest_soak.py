"""Ingest between real cameras' protocols and a real Kafka, for minutes, and then with more than it can do.

The cameras are simulated by processes of their own; frames are counted and timed where a detector would take
them, on Kafka. Nothing of ingest, the broker or Redis is replaced; what comes behind them is left out.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from aiokafka import AIOKafkaConsumer, TopicPartition

from mien.bench.lone_service import LoneService, running_alone
from mien.bench.scrape import Samples, total, total_by
from mien.contracts.cameras import Camera
from mien.contracts.frames import Frame
from mien.contracts.topics import FRAMES, MAX_MESSAGE_BYTES
from mien.runtime.cameras import CameraRegistry
from mien.runtime.redis_connection import connect_redis
from mien.runtime.settings import KafkaSettings

MJPEG_CAMERAS: Final = 48
H264_CAMERAS: Final = 16
FPS: Final = 5.0
_STREAMING_SECONDS: Final = 60.0
_SETTLE_SECONDS: Final = 10.0
_SLICE_SECONDS: Final = 30.0
_MORE_AT_A_TIME: Final = 32
_MOST_CAMERAS: Final = 320
_SHEDDING_SHARE: Final = 0.05

Advance = Callable[[str, float], None]
"""Told what is being done, and how many seconds of it are over."""


@dataclass
class Heard:
    """Frames taken from Kafka since the last :meth:`take`."""

    ages_ms: list[float] = field(default_factory=list)
    frames_by_camera: dict[str, int] = field(default_factory=dict)

    def note(self, frame: Frame) -> None:
        """Count a frame that has just arrived."""
        self.ages_ms.append(frame.age_ms(time.time_ns()))
        self.frames_by_camera[frame.camera_id] = self.frames_by_camera.get(frame.camera_id, 0) + 1

    def take(self) -> "Heard":
        """Return what was heard, and begin anew."""
        taken = Heard(self.ages_ms, self.frames_by_camera)
        self.ages_ms, self.frames_by_camera = [], {}
        return taken


@dataclass(frozen=True)
class LoneIngest:
    """Ingest under load, and what can be asked of it."""

    registry: CameraRegistry
    service: LoneService
    heard: Heard

    async def streaming(self) -> int:
        """Return how many cameras stream."""
        samples = await asyncio.to_thread(self.service.metrics)
        return round(sum(total(one, "mien_camera_streaming") for one in samples))


@asynccontextmanager
async def running_ingest(folder: Path, *, replicas: int) -> AsyncIterator[LoneIngest]:
    """Run replicas of ingest and their neighbours until it ends; raises as :func:`running_alone` does."""
    async with (
        running_alone(folder, "ingest", replicas=replicas) as service,
        connect_redis(service.redis) as redis,
        _hearing(service.kafka) as heard,
    ):
        yield LoneIngest(CameraRegistry(redis, partitions=service.kafka.partitions), service, heard)


async def soak(
    ingest: LoneIngest, addresses: Sequence[str], *, minutes: float, advance: Advance
) -> dict[str, Any]:
    """Watch cameras for a while; returns what was lost, late or late for long."""
    await register(ingest, addresses)
    await until_streaming(ingest, len(addresses))
    await asyncio.sleep(_SETTLE_SECONDS)
    slices = []
    reconnects = _reconnects(await asyncio.to_thread(ingest.service.metrics))
    left = minutes * 60
    while left > 0:
        seconds = min(_SLICE_SECONDS, left)
        slices.append(await look(ingest, len(addresses), seconds=seconds))
        left -= seconds
        advance("soak", seconds)
    lost_for_good = len(addresses) - await ingest.streaming()
    ages = np.concatenate([one.pop("ages_ms") for one in slices])
    frames = sum(one["frames"] for one in slices)
    dropped = sum(sum(one["dropped"].values()) for one in slices)
    reconnects = _reconnects(await asyncio.to_thread(ingest.service.metrics)) - reconnects
    return {
        "cameras": len(addresses),
        "minutes": minutes,
        "frames": frames,
        "share_of_sampled_published": round(frames / (frames + dropped), 5),
        "share_of_wanted_published": round(frames / (FPS * 60 * minutes * len(addresses)), 5),
        "age_p50_ms": round(float(np.percentile(ages, 50)), 1),
        "age_p95_ms": round(float(np.percentile(ages, 95)), 1),
        "age_p99_ms": round(float(np.percentile(ages, 99)), 1),
        "age_max_ms": round(float(ages.max()), 1),
        "least_frames_per_second_of_a_camera": min(one["least_fps"] for one in slices),
        "reconnects": round(reconnects),
        "cameras_not_streaming_at_the_end": lost_for_good,
        "cpu_cores": round(float(np.mean([one["cpu_cores"] for one in slices])), 3),
        "rss_mb_first": slices[0]["rss_mb"],
        "rss_mb_last": slices[-1]["rss_mb"],
        "slices": slices,
    }


async def overload(
    ingest: LoneIngest, addresses: Sequence[str], *, seconds: float, advance: Advance
) -> list[dict[str, Any]]:
    """Add cameras until pictures are dropped; returns a row for each number of them, the last shedding."""
    count, rows = len(addresses), []
    while True:
        await asyncio.sleep(_SETTLE_SECONDS)
        row = await look(ingest, count, seconds=seconds)
        ages = row.pop("ages_ms")
        row |= {
            "age_p50_ms": round(float(np.percentile(ages, 50)), 1),
            "age_p95_ms": round(float(np.percentile(ages, 95)), 1),
            "age_max_ms": round(float(ages.max()), 1),
        }
        rows.append(row)
        advance(f"{count} cameras", seconds)
        if row["shed_share"] > _SHEDDING_SHARE or count + _MORE_AT_A_TIME > _MOST_CAMERAS:
            return rows
        more = [addresses[number % len(addresses)] for number in range(count, count + _MORE_AT_A_TIME)]
        await register(ingest, more, first=count)
        count += _MORE_AT_A_TIME


async def look(ingest: LoneIngest, cameras: int, *, seconds: float) -> dict[str, Any]:
    """Return what so many cameras came to in a while; ``ages_ms`` is an array for whoever sums up."""
    before = await asyncio.to_thread(ingest.service.metrics)
    cpu_before, began = ingest.service.cpu_seconds(), time.monotonic()
    ingest.heard.take()
    await asyncio.sleep(seconds)
    heard, elapsed = ingest.heard.take(), time.monotonic() - began
    cpu_cores = (ingest.service.cpu_seconds() - cpu_before) / elapsed
    dropped = _dropped(await asyncio.to_thread(ingest.service.metrics), before)
    frames = len(heard.ages_ms)
    counts = list(heard.frames_by_camera.values()) + [0] * (cameras - len(heard.frames_by_camera))
    wanted = FPS * cameras * elapsed
    return {
        "cameras": cameras,
        "frames": frames,
        "frames_per_second": round(frames / elapsed, 1),
        "dropped": dropped,
        "shed_share": round(max(1 - frames / wanted, 0.0), 4),
        "least_fps": round(min(counts) / elapsed, 2),
        "most_fps": round(max(counts) / elapsed, 2),
        "cpu_cores": round(cpu_cores, 3),
        "rss_mb": round(ingest.service.rss_mb()),
        "ages_ms": np.array(heard.ages_ms or [np.nan]),
    }


async def register(ingest: LoneIngest, addresses: Sequence[str], *, first: int = 0) -> None:
    """Put cameras into the registry; ingest finds them within a second."""
    for number, address in enumerate(addresses, first):
        camera_id = f"camera-{number + 1:03d}"
        await ingest.registry.add(
            Camera(camera_id=camera_id, name=camera_id, url=address, partition=0, sampled_fps=FPS)
        )


async def until_streaming(ingest: LoneIngest, cameras: int) -> None:
    """Wait until all cameras stream.

    Raises:
        RuntimeError: Not all of them do within a minute.
    """
    deadline = time.monotonic() + _STREAMING_SECONDS
    while (streaming := await ingest.streaming()) < cameras:
        if time.monotonic() > deadline:
            raise RuntimeError(f"expected {cameras} cameras to stream, {streaming} do: see ingest.log")
        await asyncio.sleep(1)


@asynccontextmanager
async def _hearing(kafka: KafkaSettings) -> AsyncIterator[Heard]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers,
        max_partition_fetch_bytes=4 * MAX_MESSAGE_BYTES,
        enable_auto_commit=False,
    )
    heard = Heard()
    await consumer.start()
    consumer.assign([TopicPartition(FRAMES.name, number) for number in range(kafka.partitions)])
    await consumer.seek_to_end()

    async def listen() -> None:
        while True:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    heard.note(Frame.from_record(record.headers, record.value))

    listening = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        listening.cancel()
        await consumer.stop()


def _dropped(after: Sequence[Samples], before: Sequence[Samples]) -> dict[str, int]:
    counts: dict[str, float] = {}
    for sign, replicas in ((1, after), (-1, before)):
        for samples in replicas:
            for reason, count in total_by(samples, "mien_dropped_total", "reason", stage="ingest").items():
                counts[reason] = counts.get(reason, 0) + sign * count
    return {reason: round(count) for reason, count in counts.items() if count > 0}


def _reconnects(replicas: Sequence[Samples]) -> float:
    return sum(total(samples, "mien_camera_reconnects_total") for samples in replicas)
