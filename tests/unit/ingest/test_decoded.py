"""Which packets of a stream are decoded: no more than the sampled pictures need, and these as they are."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest

from mien.contracts.cameras import DecodePolicy, LoopFilter
from services.ingest.picture import DecodedPicture
from services.ingest.pipeline import SamplingSchedule
from services.ingest.sources.decoded import DecodedStream
from services.ingest.sources.source import video_stream

FPS, GOP, PICTURES = 15, 10, 40


class Seen(NamedTuple):
    """What a stream gave: how many pictures were decoded, and those of them that were due."""

    decoded: int
    due: list[tuple[float, bytes]]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[int], Path]:
    """Write a stream of moving pictures with so many B frames."""

    def write_clip(b_frames: int) -> Path:
        path = tmp_path / f"{b_frames}.mp4"
        with av.open(str(path), "w") as container:
            options = {"g": str(GOP), "bf": str(b_frames), "sc_threshold": "0", "b-adapt": "0"}
            stream = container.add_stream("libx264", rate=FPS, options=options)
            stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
            for number in range(PICTURES):
                image = np.roll(np.arange(96 * 160, dtype=np.uint8).reshape(96, 160), number * 3, axis=1)
                picture = av.VideoFrame.from_ndarray(np.dstack([image] * 3), format="rgb24")
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
        return path

    return write_clip


def look(path: Path, decode: DecodePolicy, *, fps: float, loop_filter: LoopFilter = "on") -> Seen:
    """Sample a stream as ingest does."""
    container = av.open(str(path))
    stream = video_stream(container, loop_filter=loop_filter)
    source = DecodedStream(container, stream)
    schedule = SamplingSchedule(fps)
    source.decode, source.sampled_fps, source.is_due = decode, fps, schedule.would_be_due
    decoded, due = 0, []
    for picture in source.pictures():
        if isinstance(picture, DecodedPicture):
            decoded += 1
            if schedule.is_due(picture.media_seconds):
                due.append((round(picture.media_seconds, 3), picture.frame.to_ndarray().tobytes()))
    source.close()
    return Seen(decoded, due)


def test_pictures_behind_the_last_one_that_is_due_are_not_decoded(write: Callable[[int], Path]) -> None:
    """What is sampled is the same to the last pixel; the rest before each keyframe is saved."""
    path = write(0)
    every, needed = look(path, "all", fps=5), look(path, "auto", fps=5)
    assert needed.due == every.due
    assert [seconds for seconds, _ in every.due] == [round(number / 5, 3) for number in range(14)]
    assert every.decoded == PICTURES
    # Due are 0 3 6 9 | 12 15 18 | 21 24 27 | 30 33 36 39: 19, 28 and 29 are left out.
    assert needed.decoded == PICTURES - 3


def test_no_more_than_eight_pictures_wait_to_be_decoded_at_once(write: Callable[[int], Path]) -> None:
    """Or else the one that is due would come that much later."""
    seen = look(write(0), "auto", fps=1.6)
    assert [round(seconds * FPS) for seconds, _ in seen.due] == [0, 10, 19, 29, 38]
    # 1 to 8, 11 to 18 and so on are decoded before anything is due; 9 and 39 never are.
    assert seen.decoded == PICTURES - 2


def test_pictures_out_of_order_are_all_decoded(write: Callable[[int], Path]) -> None:
    """One that is due may stand behind one that isn't."""
    path = write(2)
    every, needed = look(path, "all", fps=5), look(path, "auto", fps=5)
    assert needed.due == every.due
    assert needed.decoded >= every.decoded - 1


def test_without_the_loop_filter_keyframes_are_exact_and_others_nearly(write: Callable[[int], Path]) -> None:
    """What drifts is set right by the next keyframe."""
    path = write(0)
    exact, fast = (look(path, "all", fps=FPS, loop_filter=which) for which in ("on", "off"))
    drifts = [
        np.abs(np.frombuffer(one, np.uint8).astype(int) - np.frombuffer(other, np.uint8)).mean()
        for (_, one), (_, other) in zip(exact.due, fast.due, strict=True)
    ]
    assert drifts[::GOP] == [0] * (PICTURES // GOP)
    assert 0 < max(drifts) < 8
