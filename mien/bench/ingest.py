"""``mien bench ingest``: what cameras cost, what decoding faster loses, 64 for minutes, and too many."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from mien.bench.camera_clips import write_camera_clip
from mien.bench.ingest_cost import CostBench, measure_cost, summarise_cost
from mien.bench.ingest_drift import DRIFT_STREAMS, measure_drift
from mien.bench.ingest_soak import H264_CAMERAS, MJPEG_CAMERAS, Advance, overload, running_ingest, soak
from mien.bench.processes import simulated_cameras

Part = Literal["cost", "drift", "soak", "shed"]
PARTS: Final[tuple[Part, ...]] = ("cost", "drift", "soak", "shed")
_DRIFT_SECONDS: Final = 15.0


@dataclass(frozen=True, kw_only=True)
class IngestBench:
    """What to measure.

    Attributes:
        folder: For clips and the data of Kafka and Redis.
        minutes: How long the 64 cameras are watched.
        shed_seconds: How long each number of cameras beyond them is.
        replicas: Processes of ingest.
    """

    folder: Path
    parts: Sequence[Part] = PARTS
    cost_seconds: float = 10.0
    rounds: int = 3
    minutes: float = 10.0
    shed_seconds: float = 20.0
    replicas: int = 1

    @property
    def seconds_in_all(self) -> float:
        """About how long is measured."""
        cost = CostBench(self.folder, self.cost_seconds, rounds=self.rounds)
        return (
            cost.readings * self.cost_seconds * ("cost" in self.parts)
            + DRIFT_STREAMS * _DRIFT_SECONDS * ("drift" in self.parts)
            + 60 * self.minutes * ("soak" in self.parts)
            + 3 * self.shed_seconds * ("shed" in self.parts)
        )


async def measure_ingest(bench: IngestBench, advance: Advance) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what was measured and its summary; a part that was not asked for is in neither."""
    runs: list[dict[str, Any]] = []
    summary: dict[str, Any] = {}
    if "cost" in bench.parts:
        cost = CostBench(bench.folder, bench.cost_seconds, rounds=bench.rounds)
        rows = await asyncio.to_thread(measure_cost, cost, lambda doing: advance(doing, bench.cost_seconds))
        runs.append({"part": "cost", "readings": rows})
        summary |= summarise_cost(rows)
    if "drift" in bench.parts:
        rows = await asyncio.to_thread(
            measure_drift, bench.folder, lambda doing: advance(doing, _DRIFT_SECONDS)
        )
        runs.append({"part": "drift", "streams": rows})
        summary["drift"] = rows
    if {"soak", "shed"} & set(bench.parts):
        load = await _measure_load(bench, advance)
        runs += [{"part": name, **result} for name, result in load.items()]
        if "soak" in load:
            summary["soak"] = [{key: value for key, value in load["soak"].items() if key != "slices"}]
        if "shed" in load:
            summary["load"] = load["shed"]["steps"]
    return runs, summary


async def _measure_load(bench: IngestBench, advance: Advance) -> dict[str, dict[str, Any]]:
    advance("making clips", 0)
    large = await asyncio.to_thread(write_camera_clip, bench.folder, "h264", (1280, 720))
    small = await asyncio.to_thread(write_camera_clip, bench.folder, "h264", (640, 360))
    result: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        mjpeg = stack.enter_context(
            simulated_cameras([large], "--mjpeg-port", "0", "--copies", str(MJPEG_CAMERAS))
        )
        h264 = stack.enter_context(simulated_cameras([small], "--copies", str(H264_CAMERAS)))
        addresses = [sides["mjpeg"] for sides in mjpeg.values()] + [sides["rtsp"] for sides in h264.values()]
        advance("starting Kafka, Redis and ingest", 0)
        async with running_ingest(bench.folder / "home", replicas=bench.replicas) as ingest:
            minutes = bench.minutes if "soak" in bench.parts else 0.2
            watched = await soak(ingest, addresses, minutes=minutes, advance=advance)
            if "soak" in bench.parts:
                result["soak"] = {"replicas": bench.replicas, **watched}
            if "shed" in bench.parts:
                steps = await overload(ingest, addresses, seconds=bench.shed_seconds, advance=advance)
                result["shed"] = {"steps": steps}
    return result
