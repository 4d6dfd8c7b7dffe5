"""Clips for benchmarks, from the demo's portraits."""

from pathlib import Path
from typing import Final

from mien.local.demo_video import Shot, write_clip
from mien.local.portraits import BIDEN, COLLINS, OBAMA_SMILING, OBAMA_SPEAKING, OBAMA_STANDING

_PAIRS: Final = (
    (OBAMA_SMILING, COLLINS),
    (BIDEN, OBAMA_SPEAKING),
    (COLLINS, BIDEN),
    (OBAMA_STANDING, COLLINS),
)


def write_bench_clips(folder: Path, cameras: int, *, seconds: float = 10) -> list[Path]:
    """Write a clip for each camera, two faces in every picture; pairs repeat after four."""
    return [
        write_clip(folder / f"camera-{number + 1}.mp4", [Shot(_PAIRS[number % len(_PAIRS)], seconds, 0.36)])
        for number in range(cameras)
    ]
