"""Frames of clips, through the detector's own process."""

from pathlib import Path

import cv2
import pytest

from mien.contracts.follow_clip import ClipFrame, FrameFollowed
from mien.evaluate.people import demo_people
from mien.evaluate.scenes import Scene, Step
from mien.evaluate.stage import Stage
from mien.local.line_process import LineProcessError, detector_process

START_NS = 1_790_000_000_000_000_000


def test_a_clip_is_followed_and_another_begins_anew(tmp_path: Path) -> None:
    """One who stands there is one track, mostly looked for nearby; the next clip has tracks of its own."""
    standing = [Step(0, 320, 180, 90), Step(9, 330, 180, 90)]
    stage = Stage(Scene("test", 9, [standing]), demo_people(), seed=2)
    asked = []
    for index in range(5):
        picture, _ = stage.show(index / 5)
        path = tmp_path / f"{index}.jpg"
        cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        asked.append(ClipFrame(clip="one", path=str(path), captured_at_ns=START_NS + index * 200_000_000))
    other = ClipFrame(clip="two", path=asked[0].path, captured_at_ns=START_NS)

    with detector_process("follow_clip", FrameFollowed) as detector:
        answers = [detector.ask(frame) for frame in [*asked, other]]

    assert [answer.track_ids for answer in answers] == [["one:1:1"]] * 5 + [["two:1:1"]]
    assert [answer.looked_near for answer in answers] == [False, True, True, True, True, False]
    assert {shot.purpose for shot in answers[0].shots} == {"identity", "emotion"}
    assert all(answer.cpu_seconds > 0 for answer in answers)


def test_a_process_that_dies_says_so() -> None:
    """An unusable setting ends the process; whoever asks learns that, not a broken pipe."""
    settings = {"MIEN_DETECTOR_MIN_SCORE": "2"}
    with (
        detector_process("follow_clip", FrameFollowed, environment=settings) as detector,
        pytest.raises(LineProcessError, match="follow_clip ended with 2"),
    ):
        detector.ask(ClipFrame(clip="one", path="x.jpg", captured_at_ns=1))
