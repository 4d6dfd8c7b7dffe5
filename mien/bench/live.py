"""``mien bench live``: from the moment a camera sends a picture to the moment a browser has drawn it.

The simulator burns its clock into every picture; the dashboard, in headless Chromium on the same machine,
tells us when it has drawn one, and the clock is read back off its canvas. Nothing is taken from our own
time stamps but the breakdown into stages.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page, async_playwright

from mien.bench.browser import CHROMIUM, CHROMIUM_FLAGS, READ_CLOCK_STRIP, sign_in
from mien.bench.hops import hops_between, scrape_histograms
from mien.bench.processes import cpu_seconds, register_camera, running_stack, simulated_cameras
from mien.local.home import Home

# What one core does with the same work in one process, without broker, model server and network: decode,
# detect, embed and read emotion at 640x360 with two faces (design, section 5).
YARDSTICK_FRAMES_PER_CORE_SECOND: Final = 33.0


@dataclass(frozen=True, kw_only=True)
class LiveBench:
    """What to measure.

    Attributes:
        clips: One camera each, 640x360; the simulator encodes them live at 15 fps.
        warm_up_seconds: Time before the first sample counts.
        seconds: Time during which samples of one run count.
        runs: How often to look, one after the other, at the same stack.
    """

    clips: Sequence[Path]
    home: Path
    sampled_fps: float = 5.0
    warm_up_seconds: float = 15.0
    seconds: float = 30.0
    runs: int = 3


async def measure_live(bench: LiveBench) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Run a stack of its own, look at it several times, and return each run and the medians over them."""
    with simulated_cameras(bench.clips, "--barcode") as addresses, running_stack(bench.home) as home:
        with home.open_api() as client:
            for name, sides in addresses.items():
                register_camera(client, name, sides["rtsp"], sampled_fps=bench.sampled_fps)
        seen = await _watch(bench, home)
    runs = [_summarise(one, cameras=len(addresses), seconds=bench.seconds) for one in seen]
    worst = max(run["capture_to_screen_p95_ms"] for run in runs)
    return runs, {**medians(runs), "capture_to_screen_p95_ms_worst_run": worst}


def medians(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return, for each key, the median over the runs; keys with parts keep them."""
    return {
        key: medians([run[key] for run in runs])
        if isinstance(value, dict)
        else round(statistics.median(run[key] for run in runs), 2)
        for key, value in runs[0].items()
    }


@dataclass(frozen=True)
class _Seen:
    """What was seen in the time that counts.

    Attributes:
        samples: One per picture drawn.
        cpu_cores: Cores that each process kept busy.
        hop_ms: Mean milliseconds of each hop, from the services' own metrics.
    """

    samples: list[dict[str, Any]]
    cpu_cores: dict[str, float]
    hop_ms: dict[str, float]


async def _watch(bench: LiveBench, home: Home) -> list[_Seen]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        password = home.first_password.read_text().strip()
        await sign_in(page, home.gateway_url(), username="admin", password=password)
        await page.evaluate(READ_CLOCK_STRIP)
        await asyncio.sleep(bench.warm_up_seconds)
        seen = [await _look(page, home, bench.seconds) for _ in range(bench.runs)]
        await browser.close()
    return seen


async def _look(page: Page, home: Home, seconds: float) -> _Seen:
    cpu_before, totals_before = cpu_seconds(home), scrape_histograms(home)
    await _take_samples(page)
    started = time.monotonic()
    await asyncio.sleep(seconds)
    samples = await _take_samples(page)
    elapsed = time.monotonic() - started
    cpu_cores = {
        name: (spent - cpu_before.get(name, 0.0)) / elapsed for name, spent in cpu_seconds(home).items()
    }
    return _Seen(samples, cpu_cores, hops_between(totals_before, scrape_histograms(home)))


async def _take_samples(page: Page) -> list[dict[str, Any]]:
    samples: list[dict[str, Any]] = await page.evaluate("window.__samples.splice(0)")
    return samples


def _summarise(seen: _Seen, *, cameras: int, seconds: float) -> dict[str, Any]:
    samples, cpu_cores = seen.samples, seen.cpu_cores
    if not samples:
        raise RuntimeError("expected pictures on the screen, got none: see the logs of the stack")
    total_cores = sum(cpu_cores.values())
    frames_per_second = len(samples) / seconds
    stages = {
        "camera_to_ingest": [one["age_ms"] - one["drawn_ms"] + one["captured_ms"] for one in samples],
        "ingest_to_detected": [one["detected_ms"] - one["captured_ms"] for one in samples],
        "detected_to_sent": [one["sent_ms"] - one["detected_ms"] for one in samples],
        "sent_to_screen": [one["drawn_ms"] - one["sent_ms"] for one in samples],
    }
    return {
        **_percentiles("capture_to_screen", [one["age_ms"] for one in samples]),
        "frames_per_second": round(frames_per_second, 1),
        "cameras": cameras,
        "faces_per_frame": round(statistics.fmean(one["faces"] for one in samples), 2),
        "cpu_per_camera_percent": round(100 * total_cores / cameras, 1),
        "stage_p50_ms": {name: round(statistics.median(values), 1) for name, values in stages.items()},
        "stage_p95_ms": {name: round(_quantile(values, 0.95), 1) for name, values in stages.items()},
        "hop_mean_ms": seen.hop_ms,
        "cpu_percent_of_a_core": {name: round(100 * cores, 1) for name, cores in sorted(cpu_cores.items())},
        "cpu_ms_per_frame": round(1000 * total_cores / frames_per_second, 1),
        "cpu_ms_per_frame_yardstick": round(1000 / YARDSTICK_FRAMES_PER_CORE_SECOND, 1),
    }


def _percentiles(name: str, values: Sequence[float]) -> dict[str, float]:
    return {
        f"{name}_p50_ms": round(statistics.median(values), 1),
        f"{name}_p95_ms": round(_quantile(values, 0.95), 1),
    }


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
