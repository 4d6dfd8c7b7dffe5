"""Faces of picture files, through the detector's own process."""

from pathlib import Path

import cv2
import numpy as np

from mien.local.face_finder import find_faces
from mien.local.portraits import COLLINS


def test_each_file_is_answered_in_order_and_a_broken_one_in_words(tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((200, 300, 3), 127, np.uint8))
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    portrait = tmp_path / "portrait.png"
    portrait.write_bytes(COLLINS.read_bytes())
    missing = tmp_path / "missing.jpg"

    answers = list(find_faces([blank, broken, portrait, missing], min_face_px=40))

    assert [Path(answer.path) for answer in answers] == [blank, broken, portrait, missing]
    assert answers[0].size_wh == (300, 200)
    assert answers[0].scores == []
    assert answers[1].error == "expected a picture, got 10 bytes that don't decode"
    assert len(answers[2].scores) == len(answers[2].boxes_xyxy) == len(answers[2].landmarks_xy) == 1
    assert answers[3].error == "could not be read: No such file or directory"


def test_smaller_faces_are_looked_for_only_where_there_is_none(tmp_path: Path) -> None:
    small, blank = tmp_path / "small.png", tmp_path / "blank.png"
    portrait = cv2.imdecode(np.frombuffer(COLLINS.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert portrait is not None
    cv2.imwrite(str(small), cv2.resize(portrait, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(blank), np.full((200, 300, 3), 127, np.uint8))

    found = [len(answer.scores) for answer in find_faces([small, blank], min_face_px=60)]
    found_after_all = [
        len(answer.scores) for answer in find_faces([small, blank], min_face_px=60, else_min_face_px=20)
    ]

    assert (found, found_after_all) == ([0, 0], [1, 0])
