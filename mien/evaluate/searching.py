"""``mien evaluate searching``: looking where faces are expected, beside searching every frame."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from mien.contracts.follow_clip import ClipFrame, FrameFollowed
from mien.evaluate.people import STAGED
from mien.evaluate.shot_scores import ShotScore, total_shots
from mien.local.demo_video import CLIPS, DEMO, build_demo
from mien.local.line_process import detector_process
from mien.vision.boxes import overlap_matrix

_RATES_FPS: Final = (5, 10)
_WIDEST_PX: Final = 1280
_JPEG_QUALITY: Final = 85
_START_NS: Final = 1_790_000_000_000_000_000
_SAME_FACE_IOU: Final = 0.4


def measure_searching(
    *, seconds: float, advance: Callable[[float], None] = lambda _: None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Look at recorded clips twice, in turns: as the service does, and searching all of every frame.

    The staged videos where they are, the demo's clips otherwise. Processor time is that of decoding,
    searching, following and choosing shots, on one thread.

    Raises:
        LineProcessError: A detector's process died.
    """
    staged = sorted((STAGED / "video").glob("*/*.mp4"))
    if not staged:
        build_demo()
    clips = staged or [DEMO / f"{name}.mp4" for name in CLIPS]
    runs, shots = [], []
    with (
        tempfile.TemporaryDirectory(prefix="mien-clips-") as folder,
        detector_process("follow_clip", FrameFollowed) as ours,
        detector_process(
            "follow_clip", FrameFollowed, environment={"MIEN_DETECTOR_SEARCH_SECONDS": "0"}
        ) as every,
    ):
        for number, clip in enumerate(clips):
            for fps in _RATES_FPS:
                frames = list(_sampled(clip, fps, seconds, Path(folder), name=f"{number}-at-{fps}"))
                pairs = [(ours.ask(frame), every.ask(frame)) for frame in frames]
                runs.append(_compare(clip.stem, fps, pairs))
                shots.append(_shots([found for found, _ in pairs]))
                advance(1 / (len(clips) * len(_RATES_FPS)))
    return runs, {
        "clips": len(clips),
        "recorded_people": bool(staged),
        "shots": total_shots(shots),
        "by_rate": [_total(fps, [run for run in runs if run["fps"] == fps]) for fps in _RATES_FPS],
    }


def _sampled(clip: Path, fps: int, seconds: float, folder: Path, *, name: str) -> Iterator[ClipFrame]:
    """Write the frames that a camera sampled at this rate would send, and yield the questions about them."""
    video = cv2.VideoCapture(str(clip))
    step = max(round(video.get(cv2.CAP_PROP_FPS) / fps), 1)
    per_second = step * fps
    for index in range(int(seconds * per_second)):
        is_there, picture = video.read()
        if not is_there:
            break
        if index % step == 0:
            scale = min(_WIDEST_PX / picture.shape[1], 1.0)
            smaller = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            path = folder / f"{index}.jpg"
            cv2.imwrite(str(path), smaller, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
            at_ns = _START_NS + round(index / per_second * 1e9)
            yield ClipFrame(clip=name, path=str(path), captured_at_ns=at_ns)
    video.release()


def _compare(clip: str, fps: int, pairs: Sequence[tuple[FrameFollowed, FrameFollowed]]) -> dict[str, Any]:
    """Return what looking nearby (first of each pair) saved and missed of searching all (second)."""
    return {
        "clip": clip,
        "fps": fps,
        "frames": len(pairs),
        "looked_near": sum(found.looked_near for found, _ in pairs),
        "cpu_seconds": round(sum(found.cpu_seconds for found, _ in pairs), 3),
        "cpu_seconds_searching_all": round(sum(found.cpu_seconds for _, found in pairs), 3),
        "faces": sum(len(found.scores) for _, found in pairs),
        "missed": sum(_lacking(everything, found) for found, everything in pairs),
        "found_beside": sum(_lacking(found, everything) for found, everything in pairs),
        "tracks": _tracks([found for found, _ in pairs]),
        "tracks_searching_all": _tracks([found for _, found in pairs]),
    }


def _shots(followed: Sequence[FrameFollowed]) -> ShotScore:
    score = ShotScore()
    for found in followed:
        score.add(found, (found.captured_at_ns - _START_NS) / 1e9)
    return score


def _lacking(wanted: FrameFollowed, found: FrameFollowed) -> int:
    """Return how many faces of one look the other has not."""
    a, b = (np.array(look.boxes_xyxy, np.float32).reshape(-1, 4) for look in (wanted, found))
    return int((overlap_matrix(a, b).max(axis=1, initial=0) < _SAME_FACE_IOU).sum())


def _tracks(followed: Sequence[FrameFollowed]) -> int:
    return len({track for frame in followed for track in frame.track_ids if track is not None})


def _total(fps: int, runs: list[dict[str, Any]]) -> dict[str, Any]:
    saved = [1 - run["cpu_seconds"] / run["cpu_seconds_searching_all"] for run in runs]
    whole = {key: sum(run[key] for run in runs) for key in runs[0] if key not in ("clip", "fps")}
    return {
        "fps": fps,
        "looked_near_percent": round(100 * whole["looked_near"] / whole["frames"], 1),
        "cpu_saved_percent": round(100 * (1 - whole["cpu_seconds"] / whole["cpu_seconds_searching_all"]), 1),
        "by_clip_p10": round(100 * float(np.quantile(saved, 0.1)), 1),
        "by_clip_p90": round(100 * float(np.quantile(saved, 0.9)), 1),
        "faces": whole["faces"],
        "missed": whole["missed"],
        "found_beside": whole["found_beside"],
        "tracks": whole["tracks"],
        "tracks_searching_all": whole["tracks_searching_all"],
    }
