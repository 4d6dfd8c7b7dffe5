"""``mien bench detector-scale``: the cost of cameras and faces, and what a full detector does."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from rich.table import Table

from mien.bench.crowds import CROWD_SIZE_WH, MOST_FACES, clip_jpegs, crowd_jpegs
from mien.bench.lone_detector import Feed, LoneDetector, Shown, running_detector
from mien.bench.portraits import write_bench_clips
from mien.bench.scrape import Samples, total, total_by
from mien.contracts.cameras import Camera
from mien.local.demo_video import SIZE_WH

CAMERAS: Final = (1, 2, 4, 8, 12, 16, 24, 32, 48)
"""The last are more than one process can look at: what it does then is measured, too."""
FACES: Final = (1, 2, 4, 8, MOST_FACES)
_CLIPS: Final = 4
_WARM_UP_SECONDS: Final = 2.0
# A frame that is lost now and then, to a pause of the machine, is no shedding.
SHEDDING_SHARE: Final = 0.01

Advance = Callable[[str, int], None]
"""Told what is being done, and how many loads are over."""


@dataclass(frozen=True, kw_only=True)
class DetectorScaleBench:
    """What to measure.

    Attributes:
        folder: For the data of Kafka and Redis.
        seconds: How long each load is looked at, after it has settled.
        runs: How often to go through all loads.
        cameras: Numbers of cameras, 640x360 with two faces each.
        faces: Numbers of faces in one camera, 1280x720.
    """

    folder: Path
    seconds: float = 8.0
    runs: int = 2
    fps: float = 5.0
    cameras: Sequence[int] = CAMERAS
    faces: Sequence[int] = FACES

    @property
    def steps(self) -> int:
        """How many loads are looked at in all."""
        return self.runs * (len(self.cameras) + len(self.faces))


async def measure_detector_scale(
    bench: DetectorScaleBench, advance: Advance
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Load a detector step by step; returns the rows of each run's loads, and what they all come to."""
    advance("making pictures", 0)
    clips = write_bench_clips(bench.folder, _CLIPS, seconds=6)
    pictures = [clip_jpegs(clip, fps=bench.fps) for clip in clips]
    rooms = [
        Feed(_camera(f"room-{number + 1:02d}"), pictures[number % _CLIPS], SIZE_WH)
        for number in range(max(bench.cameras))
    ]
    crowds = [Feed(_camera(f"crowd-of-{count}"), crowd_jpegs(count), CROWD_SIZE_WH) for count in bench.faces]
    runs = []
    advance("starting Kafka, Redis and a detector", 0)
    async with running_detector(bench.folder / "home") as detector:
        feeds = await detector.register([*rooms, *crowds])
        rooms, crowds = feeds[: len(rooms)], feeds[len(rooms) :]
        loads = [_Load("cameras", rooms[:count], faces_per_frame=2) for count in bench.cameras]
        loads += [
            _Load("faces", [crowd], faces_per_frame=count)
            for count, crowd in zip(bench.faces, crowds, strict=True)
        ]
        for _ in range(bench.runs):
            rows = []
            for load in loads:
                advance(load.in_words, 0)
                rows.append({**load.facts, **await _look(detector, load.feeds, bench)})
                advance(load.in_words, 1)
            runs.append({"loads": rows})
    return runs, summarise(rows_of(runs), deadline_ms=rooms[0].camera.max_age_ms, fps=bench.fps)


def rows_of(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of all runs, one after the other."""
    return [row for run in runs for row in run["loads"]]


@dataclass(frozen=True)
class _Load:
    series: Literal["cameras", "faces"]
    feeds: Sequence[Feed]
    faces_per_frame: int

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "series": self.series,
            "cameras": len(self.feeds),
            "faces_per_frame": self.faces_per_frame,
        }

    @property
    def in_words(self) -> str:
        return f"cameras: {len(self.feeds)}, faces in each: {self.faces_per_frame}"


def summarise(rows: Sequence[dict[str, Any]], *, deadline_ms: int, fps: float) -> dict[str, Any]:
    """Return slopes, fits and limits; lines are fitted to the loads under which nothing was shed."""
    by_cameras = [row for row in rows if row["series"] == "cameras"]
    by_faces = [row for row in rows if row["series"] == "faces"]
    calm = kept_up(by_cameras, "cameras")
    shedding = [row for row in by_cameras if row["shed_share"] > SHEDDING_SHARE]
    cameras_line = fit_line([(row["cameras"], row["cpu_percent"]) for row in calm])
    faces_line = fit_line(
        [(row["faces_per_frame"], row["cpu_percent"]) for row in kept_up(by_faces, "faces_per_frame")]
    )
    return {
        "cpu_percent_per_camera": cameras_line and round(cameras_line.slope, 2),
        "linear_fit_r2_cameras": cameras_line and round(cameras_line.r2, 4),
        "cpu_ms_per_face": faces_line and round(10 * faces_line.slope / fps, 2),
        "linear_fit_r2_faces": faces_line and round(faces_line.r2, 4),
        "cameras_before_shedding": max((row["cameras"] for row in calm), default=0),
        "age_p95_ms_before_shedding": max((row["age_p95_ms"] for row in calm), default=None),
        "age_p95_ms_when_shedding": max((row["age_p95_ms"] for row in shedding), default=None),
        "deadline_ms": deadline_ms,
        "fairness_min_over_max": min(
            _fairness(by_cameras, count) for count in {row["cameras"] for row in by_cameras}
        ),
    }


def _fairness(rows: Sequence[dict[str, Any]], cameras: int) -> float:
    """Return the fewest over the most frames that one of so many cameras was looked at in all runs."""
    looks: Counter[str] = Counter()
    for row in rows:
        if row["cameras"] == cameras:
            looks.update(row["frames_per_camera"])
    return round(min(looks.values()) / max(looks.values()), 3)


def kept_up(rows: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Return the rows of loads below the first under which any run shed frames."""
    limit = min((row[key] for row in rows if row["shed_share"] > SHEDDING_SHARE), default=np.inf)
    return [row for row in rows if row[key] < limit]


@dataclass(frozen=True)
class Line:
    """A straight line through points.

    Attributes:
        r2: Share of the points' variance that the line explains.
    """

    slope: float
    intercept: float
    r2: float


def fit_line(points: Sequence[tuple[float, float]]) -> Line | None:
    """Fit a line by least squares; None where points at fewer than three places would fit any."""
    if len({x for x, _ in points}) < 3:
        return None
    x, y = np.array(points, dtype=np.float64).T
    slope, intercept = np.polyfit(x, y, 1)
    residual, spread = ((y - slope * x - intercept) ** 2).sum(), ((y - y.mean()) ** 2).sum()
    return Line(float(slope), float(intercept), 1.0 - float(residual / spread) if spread else 0.0)


def step_row(
    camera_ids: Sequence[str],
    before: Samples,
    after: Samples,
    *,
    shown: Shown,
    cpu_seconds: float,
    elapsed_seconds: float,
) -> dict[str, Any]:
    """Return what one load came to, from the detector's counters before and after and what viewers saw."""
    looked_at = {
        camera_id: _gained(before, after, "mien_frames_total", camera_id=camera_id)
        for camera_id in camera_ids
    }
    dropped_before = total_by(before, "mien_dropped_total", "reason", stage="detector")
    dropped_after = total_by(after, "mien_dropped_total", "reason", stage="detector")
    dropped = {
        reason: round(count - dropped_before.get(reason, 0))
        for reason, count in dropped_after.items()
        if count > dropped_before.get(reason, 0)
    }
    frames = sum(looked_at.values())
    if not frames or not shown.ages_ms:
        raise RuntimeError("expected the detector to look at frames, it looked at none: see its log")
    ages = np.array(shown.ages_ms)
    return {
        "frames_offered_per_second": round((frames + sum(dropped.values())) / elapsed_seconds, 1),
        "frames_per_second": round(frames / elapsed_seconds, 1),
        "faces_found_per_frame": round(statistics.fmean(shown.faces), 2),
        "cpu_percent": round(100 * cpu_seconds / elapsed_seconds, 1),
        "cpu_ms_per_frame": round(1000 * cpu_seconds / frames, 1),
        "age_p50_ms": round(float(np.percentile(ages, 50)), 1),
        "age_p95_ms": round(float(np.percentile(ages, 95)), 1),
        "age_max_ms": round(float(ages.max()), 1),
        "dropped": dropped,
        "shed_share": round(sum(dropped.values()) / (frames + sum(dropped.values())), 4),
        "frames_per_camera": {camera_id: round(count) for camera_id, count in looked_at.items()},
    }


def step_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return all loads as a table to look at; why frames were shed is in the rows themselves."""
    columns = {
        "cameras": "cameras",
        "faces": "faces_per_frame",
        "sent/s": "frames_offered_per_second",
        "seen/s": "frames_per_second",
        "CPU %": "cpu_percent",
        "ms/frame": "cpu_ms_per_frame",
        "p50 ms": "age_p50_ms",
        "p95 ms": "age_p95_ms",
    }
    caption = "CPU ms per frame; age at the viewer, p50 and p95; least and most frames seen of a camera"
    table = Table(*columns, "shed", "of each", box=None, pad_edge=False, caption=caption)
    for column in table.columns:
        column.justify = "right"
    for row in rows:
        looks = row["frames_per_camera"].values()
        cells = [str(row[key]) for key in columns.values()]
        table.add_row(*cells, f"{row['shed_share']:.1%}", f"{min(looks)}–{max(looks)}")
    return table


async def _look(detector: LoneDetector, feeds: Sequence[Feed], bench: DetectorScaleBench) -> dict[str, Any]:
    async with detector.playing(feeds, fps=bench.fps) as shown:
        await asyncio.sleep(_WARM_UP_SECONDS)
        before = await asyncio.to_thread(detector.metrics)
        cpu_before, began = detector.cpu_seconds(), time.monotonic()
        shown.ages_ms.clear()
        shown.faces.clear()
        await asyncio.sleep(bench.seconds)
        seen = Shown(list(shown.ages_ms), list(shown.faces))
        after = await asyncio.to_thread(detector.metrics)
        cpu_seconds, elapsed_seconds = detector.cpu_seconds() - cpu_before, time.monotonic() - began
    return step_row(
        [feed.camera.camera_id for feed in feeds],
        before,
        after,
        shown=seen,
        cpu_seconds=cpu_seconds,
        elapsed_seconds=elapsed_seconds,
    )


def _gained(before: Samples, after: Samples, name: str, **labels: str) -> float:
    return total(after, name, stage="detector", **labels) - total(before, name, stage="detector", **labels)


def _camera(camera_id: str) -> Camera:
    return Camera(
        camera_id=camera_id,
        name=camera_id,
        url="rtsp://127.0.0.1/never-opened",
        partition=0,
        emotion_policy="per_person",
        emotion_purpose="Benchmark",
    )
