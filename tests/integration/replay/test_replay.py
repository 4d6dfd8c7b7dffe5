"""From frames on a real broker to a recording, and from it to a camera that ingest reads."""

import asyncio
import time
from pathlib import Path

import numpy as np
import simplejpeg
from aiokafka import AIOKafkaProducer

from mien.contracts.frames import Frame
from mien.contracts.topics import FRAMES
from mien.replay.play import replaying
from mien.replay.record import Recorded, listening, record
from mien.replay.recording import RecordingWriter, read_recording
from mien.runtime.bus import create_topics, open_frame_producer
from mien.runtime.settings import KafkaSettings
from tests.integration.ingest.harness import DEADLINE_SECONDS, until, watching

PARTITIONS = 4
FPS = 10


def frames_of(camera_id: str, count: int) -> list[Frame]:
    """Return frames of a picture that moves, a tenth of a second apart."""
    began_ns = time.time_ns()
    ramp = np.arange(320, dtype=np.int64)[None, :] + np.zeros((180, 1), np.int64)
    return [
        Frame(
            frame_id=f"{camera_id}:1:{number}",
            jpeg=simplejpeg.encode_jpeg(
                np.repeat(((ramp + 40 * number) % 256).astype(np.uint8)[..., None], 3, axis=2)
            ),
            captured_at_ns=began_ns + number * 1_000_000_000 // FPS,
            size_wh=(320, 180),
        )
        for number in range(count)
    ]


async def send(producer: AIOKafkaProducer, frame: Frame, *, partition: int) -> None:
    """Publish a frame as ingest does."""
    await producer.send_and_wait(FRAMES.name, frame.jpeg, partition=partition, headers=frame.headers())


async def record_all(kafka: KafkaSettings, frames: list[Frame], folder: Path, **options: int) -> Recorded:
    """Record while these frames, and one message that is none, are published."""
    writer = RecordingWriter(folder, max_bytes=options.get("max_bytes", 10_000_000))
    stop = asyncio.Event()
    expected = len(frames)

    def on_progress(recorded: Recorded) -> None:
        if recorded.frames + recorded.malformed > expected:
            stop.set()

    async with listening(kafka.bootstrap_servers) as consumer, open_frame_producer(kafka) as producer:
        recording = asyncio.create_task(
            record(consumer, writer, seconds=DEADLINE_SECONDS, stop=stop, on_progress=on_progress)
        )
        await producer.send_and_wait(FRAMES.name, b"no frame", partition=0)
        for frame in frames:
            await send(producer, frame, partition=1)
        recorded = await recording
    writer.close()
    return recorded


async def test_what_was_on_the_bus_is_shown_to_ingest_as_it_was(kafka_bootstrap: str, tmp_path: Path) -> None:
    """Every picture comes through unchanged and in order, at its own pace; the end closes the connection."""
    kafka = KafkaSettings(bootstrap_servers=kafka_bootstrap, partitions=PARTITIONS)
    await create_topics(kafka)
    frames = frames_of("lobby", 20)
    recorded = await record_all(kafka, frames, tmp_path / "recording")
    assert (recorded.frames, recorded.malformed, recorded.missed) == (20, 1, 0)

    recording = read_recording(tmp_path / "recording")
    async with replaying(recording, speed=2.0) as replay:
        url = replay.addresses["replay-lobby"]
        async with watching(url, username=None, password=None, sampled_fps=30.0) as watch:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await replay.ended()
            await until(lambda: "the camera closed the connection" in watch.reasons, watch.reasons)
    order = {frame.jpeg: number for number, frame in enumerate(frames)}
    seen = [order[sample.jpeg] for sample in watch.samples]
    assert seen == sorted(seen)
    # A slow machine may miss pictures, as with any camera; most come, and those at the end, too.
    assert len(seen) > len(frames) // 2
    assert watch.reader.pictures_seen <= len(frames)


async def test_a_recording_ends_at_its_size(kafka_bootstrap: str, tmp_path: Path) -> None:
    """The bound is kept and said."""
    kafka = KafkaSettings(bootstrap_servers=kafka_bootstrap, partitions=PARTITIONS)
    await create_topics(kafka)
    frames = frames_of("lobby", 20)
    size = sum(len(frame.jpeg) for frame in frames[:5])
    recorded = await record_all(kafka, frames, tmp_path / "recording", max_bytes=size)
    assert recorded.is_full
    assert read_recording(tmp_path / "recording").jpeg_bytes <= size
