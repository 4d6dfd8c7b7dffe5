"""A hundred reconnections leave nothing behind."""

import gc
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.integration.ingest.harness import SETTINGS, Watch, simulated, until, watching, write_clip

TIMES = 100
SETTLING = 20
# A leaked connection costs a decoder with its pictures, a third of a megabyte at least.
MOST_GROWTH_BYTES = 12 * 1024 * 1024


@pytest.fixture(scope="module")
def quick_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Large keyframes only: FFmpeg has enough with the first, and each connection streams at once."""
    path = tmp_path_factory.mktemp("clips") / "quick.mp4"
    return write_clip(path, seconds=1, size_wh=(640, 360), g="1", qp="1")


@pytest.mark.parametrize("side", ["rtsp", "mjpeg"])
async def test_a_hundred_reconnections_leave_no_memory_and_no_threads(quick_clip: Path, side: str) -> None:
    """The camera closes the connection again and again; files, threads and memory are as they were."""
    settings = SETTINGS.model_copy(update={"first_retry_seconds": 0.01, "longest_retry_seconds": 0.01})
    async with simulated(quick_clip) as (simulator, camera):
        async with watching(simulator.addresses("cam")[side], settings=settings) as watch:
            await _lose(watch, camera.drop, times=SETTLING)
            before = _belongings()
            await _lose(watch, camera.drop, times=TIMES)
            after = _belongings()
        assert watch.reader.openings > TIMES + SETTLING
    assert after[1:] == before[1:]
    assert after[0] - before[0] < MOST_GROWTH_BYTES


async def _lose(watch: Watch, drop: Callable[[], None], *, times: int) -> None:
    for _ in range(times):
        await until(lambda: watch.reader.report.state == "streaming", watch.reasons[-3:])
        watch.samples.clear()
        expected = watch.reader.openings + 1
        drop()
        # Not for the state: between two looks it may be lost and be streaming again.
        await until(partial(_has_opened, watch, expected), watch.states[-3:])
    await until(lambda: watch.reader.report.state == "streaming", watch.reasons[-3:])


def _has_opened(watch: Watch, times: int) -> bool:
    return watch.reader.openings >= times


def _belongings() -> tuple[int, int, int]:
    """Return memory in bytes, threads and open files."""
    gc.collect()
    process = psutil.Process()
    return process.memory_info().rss, threading.active_count(), process.num_fds()
