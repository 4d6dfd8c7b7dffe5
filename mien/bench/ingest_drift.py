"""How far pictures drift that are decoded without the loop filter, and whether the same faces are found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from mien.bench.camera_clips import write_camera_clip
from mien.local.face_finder import find_faces
from mien.simulator.clips import FPS, GOP, Codec
from mien.vision.boxes import overlap_matrix
from mien.vision.jpeg import decode_jpeg_rgb, encode_jpeg_rgb

_SIZE_WH: Final = (1280, 720)
_FRAME_WH: Final = (640, 360)
_EVERY: Final = FPS // 5
_GOPS: Final = (GOP, 5 * GOP)
_CODECS: Final[tuple[Codec, ...]] = ("h264", "hevc")
DRIFT_STREAMS: Final = len(_CODECS) * len(_GOPS)
_QUALITY: Final = 80
_SAME_FACE_IOU: Final = 0.5

Advance = Callable[[str], None]
"""Told what is being done, once for each stream."""


@dataclass(frozen=True)
class Drift:
    """How far a picture's luma is from the exact one's: mean difference in grey levels, and PSNR in dB."""

    grey_levels: float
    psnr_db: float


def measure_drift(folder: Path, advance: Advance) -> list[dict[str, Any]]:
    """Return a row for each codec and keyframe interval, over the frames that would go on to detection.

    What JPEG itself costs at ingest's quality stands beside it.
    """
    rows = []
    for codec in _CODECS:
        for gop in _GOPS:
            advance(f"{codec}, a keyframe every {gop // FPS} s")
            rows.append(_measure(write_camera_clip(folder, codec, _SIZE_WH, gop=gop), folder, codec, gop))
    return rows


def drift_of(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Drift:
    """Compare the brightness of two RGB pictures of shape (h, w, 3)."""
    error = one.astype(np.float32).mean(axis=2) - other.astype(np.float32).mean(axis=2)
    squared = max(float((error**2).mean()), 1e-3)
    return Drift(float(np.abs(error).mean()), float(10 * np.log10(255**2 / squared)))


def count_found_again(exact: NDArray[np.float32], fast: NDArray[np.float32]) -> int:
    """Return how many boxes of the exact picture have one of the other in their place; xyxy, shape (n, 4)."""
    if not len(exact) or not len(fast):
        return 0
    return int((overlap_matrix(exact, fast).max(axis=1) >= _SAME_FACE_IOU).sum())


def _frames(clip: Path, *, fast: bool = False) -> Iterator[NDArray[np.uint8]]:
    """Yield the sampled pictures as they are published, RGB of shape (h, w, 3)."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        if fast:
            stream.codec_context.options = {"skip_loop_filter": "nokey"}
        for number, frame in enumerate(container.decode(stream)):
            if number % _EVERY == 0:
                scaled = frame.reformat(*_FRAME_WH, "rgb24", interpolation="AREA", threads=1)
                yield scaled.to_ndarray()


def _measure(clip: Path, folder: Path, codec: Codec, gop: int) -> dict[str, Any]:
    drifts, jpegs = [], []
    paths: list[Path] = []
    for number, (exact, fast) in enumerate(zip(_frames(clip), _frames(clip, fast=True), strict=True)):
        drifts.append(drift_of(exact, fast))
        coded = decode_jpeg_rgb(encode_jpeg_rgb(exact, quality=_QUALITY))
        jpegs.append(drift_of(exact, coded))
        pair = folder / f"{number}-exact.jpg", folder / f"{number}-fast.jpg"
        for path, frame in zip(pair, (exact, fast), strict=True):
            path.write_bytes(encode_jpeg_rgb(frame, quality=_QUALITY))
        paths += pair
    boxes = [np.array(found.boxes_xyxy, np.float32).reshape(-1, 4) for found in find_faces(paths)]
    for path in paths:
        path.unlink()
    faces = sum(map(len, boxes[::2]))
    again = sum(count_found_again(exact, fast) for exact, fast in zip(boxes[::2], boxes[1::2], strict=True))
    return {
        "codec": codec,
        "keyframe_every_seconds": gop // FPS,
        "frames": len(drifts),
        "grey_levels_mean": round(fmean(one.grey_levels for one in drifts), 2),
        "grey_levels_worst_frame": round(max(one.grey_levels for one in drifts), 2),
        "psnr_db_worst_frame": round(min(one.psnr_db for one in drifts), 1),
        "jpeg_grey_levels_mean": round(fmean(one.grey_levels for one in jpegs), 2),
        "jpeg_psnr_db_worst_frame": round(min(one.psnr_db for one in jpegs), 1),
        "faces": faces,
        "faces_found_again": round(again / max(faces, 1), 4),
        "other_faces": sum(map(len, boxes[1::2])) - again,
    }
