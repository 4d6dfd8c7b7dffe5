"""The recipe of the shipped network: nobody in two parts, CK+ never trained on, small sets repeated."""

from pathlib import Path

import pytest

from mien.dataset.split import PARTS
from mien.errors import PermanentError
from mien.training.emotion_recipe import OTHER, read_recipe, read_set

TABLES = {
    "fer2013": "path,label,split\n"
    + "".join(f"train/{row}.png,happy,train\n" for row in range(5))
    + "".join(f"validation/{row}.png,sad,validation\n" for row in range(40)),
    "muxspace": "path,label,name_stem\n"
    + "".join(f"{person}_{shot}.jpg,neutral,{person}\n" for person in range(30) for shot in range(2)),
    "yawdd": "path,kind,label5_proxy,person_group\n"
    + "".join(f"{row}.jpg,face,tired,{row // 3}\n" for row in range(90))
    + "whole.jpg,frame,tired,7\n",
    "ckplus48": "path,label,label5,subject\na.png,anger,angry,S1\nb.png,fear,,S1\nc.png,happy,happy,S2\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, table in TABLES.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "labels.csv").write_text(table)
    return tmp_path


def test_nobody_is_in_two_parts(folder: Path) -> None:
    """All pictures of a person are in one part, and every set that is trained on is in all three."""
    data = read_recipe(folder)
    parts: dict[str, set[str | None]] = {}
    for face in data.faces:
        parts.setdefault(face.person, set()).add(face.part)
    assert all(len(found) == 1 for found in parts.values())
    for name in ("muxspace", "yawdd"):
        assert {face.part for face in data.faces if face.person.startswith(name)} == {
            "train",
            "validation",
            "test",
        }


def test_ck_plus_is_only_reported(folder: Path) -> None:
    """Its agreement allows no training, and nothing is chosen by it."""
    found = [face for face in read_recipe(folder).faces if face.person.startswith("ckplus48")]
    assert {face.part for face in found} == {"test"}
    assert [face.label for face in found] == ["angry", "happy"]


def test_fer_keeps_its_own_parts(folder: Path) -> None:
    """Its Training part trains; its PublicTest part is divided between choosing and reporting."""
    faces = [face for face in read_recipe(folder).faces if face.person.startswith("fer2013")]
    assert {face.part for face in faces if "/train/" in face.path} == {"train"}
    assert {face.part for face in faces if "/validation/" in face.path} == {"validation", "test"}


def test_small_sets_are_repeated_in_training_alone(folder: Path) -> None:
    """A repeated face in the figures would count twice."""
    data = read_recipe(folder)
    for name, times in (("fer2013", 1), ("muxspace", 3), ("yawdd", 2)):
        for part, expected in zip(PARTS, (times, 1, 1), strict=True):
            paths = [face.path for face in data.part(part) if face.person.startswith(name)]
            assert {paths.count(path) for path in paths} <= {expected}


def test_whole_frames_are_left_out_and_expressions_outside_the_five_are_other(folder: Path) -> None:
    """Figures about *other* need the faces that the network has no label for."""
    assert not [face for face in read_set(folder, "yawdd") if face.path.endswith("whole.jpg")]
    assert [face.label for face in read_set(folder, "ckplus48")] == ["angry", OTHER, "happy"]


def test_a_missing_set_says_which_file_was_expected(tmp_path: Path) -> None:
    """The sets are no part of the repository: whoever lacks them is told what to bring."""
    with pytest.raises(PermanentError, match=r"expected labelled faces in .*fer2013.labels\.csv"):
        read_recipe(tmp_path)
