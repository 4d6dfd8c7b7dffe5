"""Pictures that can't be read, or show no face, are named, and the others are learnt from."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.dataset.split import PARTS, Part
from mien.errors import PermanentError
from mien.training.emotion_data import EmotionData, LabelledFace
from mien.training.emotion_faces import AlignedFaces
from mien.training.emotion_pictures import leave_out_faceless, leave_out_unreadable

LABELS = ("happy", "sad")


@pytest.fixture
def data(tmp_path: Path) -> EmotionData:
    """Two pictures of each label in each part, all of one person in each part."""
    faces = []
    for part in PARTS:
        for label in LABELS:
            for number in range(2):
                path = tmp_path / f"{part}-{label}-{number}.png"
                cv2.imwrite(str(path), np.full((40, 40, 3), 90, np.uint8))
                faces.append(LabelledFace(path=str(path), label=label, person=part, part=part))
    return EmotionData(faces=faces, labels=list(LABELS), left_out={}, without_person=0)


def aligned(data: EmotionData, missing: set[str]) -> dict[Part, AlignedFaces]:
    """Faces whose grey is their row."""
    made = {}
    for part in PARTS:
        faces = data.part(part)
        images = np.stack([np.full((4, 4, 3), row, np.uint8) for row in range(len(faces))])
        made[part] = AlignedFaces(images, np.array([Path(face.path).name not in missing for face in faces]))
    return made


def test_a_damaged_picture_is_named_and_the_others_are_read(data: EmotionData) -> None:
    damaged = [data.faces[0].path, data.faces[-1].path]
    Path(damaged[0]).write_bytes(b"no picture")
    Path(damaged[1]).write_bytes(b"")
    told: list[tuple[int, int]] = []
    read, unreadable = leave_out_unreadable(data, lambda done, total: told.append((done, total)))
    assert unreadable == damaged
    assert [face.path for face in read.faces] == [face.path for face in data.faces[1:-1]]
    assert told[-1] == (12, 12)


def test_pictures_without_a_face_are_named_and_the_others_keep_their_own(data: EmotionData) -> None:
    kept, faces, faceless = leave_out_faceless(data, aligned(data, {"train-happy-0.png"}))
    assert [Path(path).name for path in faceless] == ["train-happy-0.png"]
    assert [face.label for face in kept.part("train")] == ["happy", "sad", "sad"]
    assert faces["train"].images_rgb[:, 0, 0, 0].tolist() == [1, 2, 3]
    assert len(faces["test"].images_rgb) == 4


def test_too_little_that_can_be_used_is_said_with_the_reason(data: EmotionData) -> None:
    sad = {f"test-sad-{number}.png" for number in range(2)}
    with pytest.raises(PermanentError, match=r"no face was found in 2 pictures of 12.* test has no sad"):
        leave_out_faceless(data, aligned(data, sad))
    for name in sad:
        (Path(data.faces[0].path).parent / name).write_bytes(b"")
    with pytest.raises(PermanentError, match=r"2 pictures can't be read of 12.* test has no sad"):
        leave_out_unreadable(data, lambda *_: None)
