"""What a main stream costs and gives: ``python -m tests.bench.bench_closeup [--quick]``.

The simulator, a process of its own, shows one scene at 640x360 and at 1920x1080, 15 pictures a second, a
keyframe every two seconds, with its clock burned into both; this process reads them as ingest does. CPU time
is this process's, as a share of one core, for a camera that gets its 15 pictures a second through. Needs the
real faces beside the repository. Takes about five minutes. Writes ``docs/measurements/closeup.json``.
"""

import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import simplejpeg

from mien.bench.record import write_measurement
from mien.contracts.cameras import Camera
from mien.runtime.settings import CameraNetworkSettings
from mien.simulator import clock_strip
from mien.simulator.clips import FPS
from services.ingest.config import IngestSettings
from services.ingest.main_stream import Closeup, MainStream, main_stream_of
from services.ingest.reader import CameraReader, Sample
from services.ingest.sources import OpenSource, VideoSource, decoded, open_source
from services.ingest.sources.decoded import DecodedStream, UnseenPackets
from services.ingest.stream import StreamReader
from tests.bench.closeup_identity import measure_identity
from tests.faces import require_faces

CLIP: Final = "video/facenet_pytorch/street_crowd_1080p.mp4"
SETTINGS: Final = IngestSettings(cameras=CameraNetworkSettings(networks="loopback"))
_WARM_UP_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 120.0


class NothingKept(UnseenPackets):
    """Packets as a reader treats them that waits for the next keyframe."""

    def __init__(self, source: DecodedStream) -> None:
        super().__init__()
        self._source = source

    def add(self, packet: Any) -> None:
        """Forget what came while nobody wanted it."""
        if not self._source.is_wanted:
            self.give_up()
        if self._source.is_wanted or packet.is_keyframe:
            super().add(packet)


def open_forgetful(camera: Camera, settings: IngestSettings, stop: Any) -> VideoSource:
    """Open a stream that keeps no packets back to the last keyframe."""
    source = open_source(camera, settings, stop)
    assert isinstance(source, DecodedStream)
    source._unseen = NothingKept(source)
    return source


class Reading:
    """A camera with its main stream, read as ingest reads it, up to the publisher."""

    def __init__(self, camera: Camera, open_main: OpenSource = open_source) -> None:
        loop = asyncio.get_running_loop()
        self.samples: asyncio.Queue[Sample] = asyncio.Queue()
        self.pairs: list[tuple[Sample, Closeup | None]] = []
        main = main_stream_of(camera)
        self.main: MainStream | None = None
        if main is not None:
            self.main = MainStream(main, SETTINGS, on_change=_nothing, open_camera=open_main)

        def deliver(sample: Sample) -> None:
            loop.call_soon_threadsafe(self.samples.put_nowait, sample)

        self.sub = CameraReader(camera, SETTINGS, deliver=deliver, on_change=_nothing)

    async def pair(self) -> None:
        """Ask for each sample's close-up, for ever."""
        while True:
            sample = await self.samples.get()
            self.pairs.append((sample, await self.main.closeup_of(sample) if self.main else None))


def _nothing() -> None:
    """Statuses are not looked at."""


@asynccontextmanager
async def reading(camera: Camera, open_main: OpenSource = open_source) -> AsyncIterator[Reading]:
    """Read a camera until the context is left."""
    one = Reading(camera, open_main)
    readers: list[StreamReader] = [one.sub, one.main.reader] if one.main else [one.sub]
    for reader in readers:
        reader.start()
    pairing = asyncio.create_task(one.pair())
    try:
        yield one
    finally:
        pairing.cancel()
        for reader in readers:
            reader.stop()
            await asyncio.to_thread(reader.join, 10)


@contextmanager
def scene(clip: Path) -> Iterator[Camera]:
    """Show a clip as a camera with a sub-stream and a main stream, both with the clock burned in."""
    command = [sys.executable, "-m", "mien.cli", "camera-simulator", str(clip), "--port", "0", "--barcode"]
    process = subprocess.Popen([*command, "--main-width", "1920"], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        addresses = json.loads(process.stdout.readline())["cameras"]
        sub_url, main_url = addresses[clip.stem]["rtsp"], addresses[f"{clip.stem}-main"]["rtsp"]
        yield Camera(
            camera_id="bench", name="Bench", url=sub_url, main_stream_url=main_url, partition=0, sampled_fps=5
        )
    finally:
        process.terminate()
        process.wait(timeout=30)


async def measure_cpu(camera: Camera, seconds: float) -> dict[str, float]:
    """Return the CPU a camera takes with its sub-stream alone, its main stream idle, and wanted, percent."""
    sub_only = Camera(
        **{name: getattr(camera, name) for name in camera.__struct_fields__} | {"main_stream_url": None}
    )
    spent = {}
    async with reading(sub_only) as one:
        spent["sub_stream_only"] = await _cpu_percent(one, seconds)
    async with reading(camera) as one:
        spent["main_stream_idle"] = await _cpu_percent(one, seconds)
        assert one.main is not None
        one.main.reader.wanted = True
        spent["main_stream_wanted"] = await _cpu_percent(one, seconds)
        _expect_closeups(one)
    return spent


async def _cpu_percent(one: Reading, seconds: float) -> float:
    await _pass_video(one, _WARM_UP_SECONDS)
    cpu = time.process_time()
    passed = await _pass_video(one, seconds)
    return round(100 * (time.process_time() - cpu) / passed, 2)


async def _pass_video(one: Reading, seconds: float) -> float:
    """Wait for so many seconds of video, and return how many they were.

    On a busy machine the simulator sends fewer pictures a second, so the clock on the wall says little.
    """
    before = one.sub.pictures_seen
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while one.sub.pictures_seen < before + seconds * FPS:
            await asyncio.sleep(0.1)
    return (one.sub.pictures_seen - before) / FPS


async def measure_first_picture(camera: Camera, repeats: int) -> dict[str, list[float]]:
    """Return milliseconds from a wish to the first decoded picture, for three ways to be idle."""
    waits: dict[str, list[float]] = {"opened_then": []}
    rng = random.Random(5)
    for name, open_main in (("kept_packets", open_source), ("next_keyframe", open_forgetful)):
        async with reading(camera, open_main) as one:
            assert one.main is not None
            await _pass_video(one, _WARM_UP_SECONDS)
            waits[name] = [await _first_picture_ms(one.main, rng.uniform(1, 3)) for _ in range(repeats)]
    for _ in range(repeats):
        await asyncio.sleep(rng.uniform(0, 2))
        started = time.monotonic()
        async with reading(camera) as one:
            assert one.main is not None
            one.main.reader.wanted = True
            await _until_picture(one.main)
            waits["opened_then"].append(round(1000 * (time.monotonic() - started)))
    return waits


async def _first_picture_ms(main: MainStream, idle_seconds: float) -> float:
    main.reader.wanted = False
    await asyncio.sleep(idle_seconds)
    started = time.monotonic()
    main.reader.wanted = True
    await _until_picture(main)
    return round(1000 * (time.monotonic() - started))


async def _until_picture(main: MainStream) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not main.reader.ring.pictures():
            await asyncio.sleep(0.002)


async def measure_moments(camera: Camera, seconds: float) -> dict[str, float]:
    """Return how far from its frame's moment a close-up is, by the clocks burned into both."""
    async with reading(camera) as one:
        assert one.main is not None
        one.main.reader.wanted = True
        await _pass_video(one, _WARM_UP_SECONDS)
        one.pairs.clear()
        await _pass_video(one, seconds)
        _expect_closeups(one)
        pairs = list(one.pairs)
    apart = sorted(
        abs(clock_strip.age_ms(_burned_ms(sample.jpeg), _burned_ms(closeup.jpeg)))
        for sample, closeup in pairs
        if closeup is not None
    )
    return {
        "frames_with_closeup": round(len(apart) / len(pairs), 3),
        "same_picture": round(sum(one == 0 for one in apart) / len(apart), 3),
        "apart_p95_ms": apart[int(0.95 * len(apart))],
        "apart_max_ms": apart[-1],
    }


def _expect_closeups(one: Reading) -> None:
    if not any(closeup for _, closeup in one.pairs):
        raise RuntimeError("expected close-ups, got none: is the machine too busy to show the scene?")


def _burned_ms(jpeg: bytes) -> int:
    clock = clock_strip.read(simplejpeg.decode_jpeg(jpeg, colorspace="GRAY")[..., 0])
    assert clock is not None, "expected a clock in the picture"
    return clock


async def measure_streams(clip: Path, *, runs: int, seconds: float, repeats: int) -> list[dict[str, Any]]:
    """Measure all of it several times."""
    done: list[dict[str, Any]] = []
    for _ in range(runs):
        with scene(clip) as camera:
            run: dict[str, Any] = {"ingest_cpu_percent": await measure_cpu(camera, seconds)}
            run["first_picture_ms"] = await measure_first_picture(camera, repeats)
            run["by_camera_clock"] = await measure_moments(camera, seconds)
            with patch.object(decoded, "_camera_clock_ns", return_value=None):
                run["by_arrival"] = await measure_moments(camera, seconds)
        done.append(run)
    return done


def summarise(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return medians over the runs, and the worst where a key says max; waits are taken together."""
    summary: dict[str, Any] = {
        key: {part: round(statistics.median(run[key][part] for run in runs), 3) for part in runs[0][key]}
        for key in ("ingest_cpu_percent", "by_camera_clock", "by_arrival")
    }
    for key in ("by_camera_clock", "by_arrival"):
        summary[key]["apart_max_ms"] = max(run[key]["apart_max_ms"] for run in runs)
    waits = {
        way: sorted(wait for run in runs for wait in run["first_picture_ms"][way])
        for way in runs[0]["first_picture_ms"]
    }
    for end, choose in (("min", min), ("max", max)):
        summary[f"ingest_cpu_percent_{end}"] = {
            part: choose(run["ingest_cpu_percent"][part] for run in runs)
            for part in runs[0]["ingest_cpu_percent"]
        }
    summary["first_picture_p50_ms"] = {way: statistics.median(values) for way, values in waits.items()}
    summary["first_picture_max_ms"] = {way: values[-1] for way, values in waits.items()}
    return summary


def main() -> None:
    """Measure and write down."""
    clip = require_faces() / CLIP
    quick = "--quick" in sys.argv[1:]
    runs_count, seconds, repeats = (1, 4.0, 2) if quick else (3, 5.0, 3)
    runs = asyncio.run(measure_streams(clip, runs=runs_count, seconds=seconds, repeats=repeats))
    identity = measure_identity()
    summary = summarise(runs) | identity
    path = write_measurement("closeup", runs=runs, summary=summary)
    print(f"{path}: {json.dumps(summary, indent=2)}")


if __name__ == "__main__":
    main()
