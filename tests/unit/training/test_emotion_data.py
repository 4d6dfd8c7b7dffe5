"""Labelled faces from folders and tables: whose they are, what they show, and in which part they are."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from mien.contracts.models import EMOTIONS
from mien.dataset.split import LeakError
from mien.errors import PermanentError
from mien.training.emotion_data import EmotionData, EmotionOptions, class_weights, in_words, read_emotion_data
from mien.training.emotion_recipe import read_faces


def read(*paths: Path, validation: float = 0.2, test: float = 0.2, seed: int = 1) -> EmotionData:
    return read_emotion_data(paths, validation=validation, test=test, seed=seed)


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def table(folder: Path, *rows: str, header: str = "path,label,person,split") -> Path:
    touch(folder, *(row.split(",")[0] for row in rows))
    path = folder / "faces.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def named(people: int, *, labels: tuple[str, ...] = ("happy", "sad")) -> list[str]:
    return [f"Person_{one}-{label}-1.jpg" for one in range(people) for label in labels]


def parts_of(data: EmotionData) -> dict[str, set[str | None]]:
    parts: dict[str, set[str | None]] = defaultdict(set)
    for face in data.faces:
        parts[face.person].add(face.part)
    return dict(parts)


def test_a_folder_for_each_label(tmp_path: Path) -> None:
    """A name says the person there, too; a picture without a name is a person of its own."""
    touch(tmp_path, *(f"{label}/{n}.jpg" for label in ("angry", "Tired") for n in range(9)))
    touch(tmp_path, "angry/Ada_Lovelace-angry-1.jpg", "Tired/Ada_Lovelace-tired-2.jpg")
    data = read(tmp_path)
    assert data.labels == ["angry", "tired"]
    assert (len(data.faces), data.without_person) == (20, 18)
    assert {face.label for face in data.faces if face.person == "Ada_Lovelace"} == {"angry", "tired"}


def test_pictures_named_by_person_and_emotion(tmp_path: Path) -> None:
    """Also in folders of people; other words for a label count for it."""
    touch(tmp_path, *named(6), *(f"Eve/Eve_Smith-happiness-{n}.jpg" for n in range(3)))
    data = read(tmp_path)
    assert [face.label for face in data.faces if face.person == "Eve"] == ["happy"] * 3
    assert data.without_person == 0
    assert len(parts_of(data)) == 7


def test_a_table_says_label_person_and_part(tmp_path: Path) -> None:
    rows = ["a.jpg,happy,p1,train", "b.jpg,sad,p1,train", "c.jpg,happy,p2,val", "d.jpg,sad,p2,"]
    data = read(table(tmp_path, *rows, "e.jpg,happy,p3,test", "f.jpg,sad,p3,test"))
    assert parts_of(data) == {"p1": {"train"}, "p2": {"validation"}, "p3": {"test"}}


def test_a_folder_that_was_exported_is_read_by_its_table(tmp_path: Path) -> None:
    """`labels.csv` beside label folders knows whose faces they are; the folders don't."""
    rows = [f"{label}/{n}.jpg,{label},p{n}" for n in range(4) for label in ("happy", "tired")]
    table(tmp_path, *rows, header="path,label,person").rename(tmp_path / "labels.csv")
    assert set(parts_of(read(tmp_path))) == {"p0", "p1", "p2", "p3"}


@pytest.mark.parametrize("seed", range(5))
def test_nobody_is_in_two_parts_and_every_part_has_every_label(tmp_path: Path, seed: int) -> None:
    """Also a rare one that few people show; again the same for the same seed."""
    touch(tmp_path, *named(12), *(f"Rare_{n}-tired-1.jpg" for n in range(3)))
    data = read(tmp_path, seed=seed)
    assert all(len(parts) == 1 for parts in parts_of(data).values())
    for part in ("train", "validation", "test"):
        assert {face.label for face in data.part(part)} == {"happy", "sad", "tired"}
    assert read(tmp_path, seed=seed) == data


def test_another_seed_divides_otherwise(tmp_path: Path) -> None:
    touch(tmp_path, *named(12))
    assert parts_of(read(tmp_path, seed=1)) != parts_of(read(tmp_path, seed=2))


def test_a_part_that_leaks_somebody_is_refused_and_says_who(tmp_path: Path) -> None:
    rows = ["a.jpg,happy,Ada,train", "b.jpg,sad,Ada,test", "c.jpg,sad,Bob,train", "d.jpg,sad,Bob,train"]
    with pytest.raises(LeakError, match=r"leaks Ada \(train, test\)\. "):
        read(table(tmp_path, *rows))


def test_of_many_who_leak_ten_are_named(tmp_path: Path) -> None:
    rows = [
        f"{part}{n}.jpg,{label},P{n:02},{part}"
        for n in range(13)
        for part, label in (("train", "sad"), ("test", "happy"))
    ]
    with pytest.raises(LeakError, match=r"leaks P00 .*P09 \(train, test\) and 3 more"):
        read(table(tmp_path, *rows))


def test_other_labels_are_left_out_and_counted(tmp_path: Path) -> None:
    touch(tmp_path, *named(6), "Eve-disgust-1.jpg", "Eve-disgust-2.jpg", "unnamed.jpg")
    data = read(tmp_path)
    assert data.left_out == {"disgust": 2, "no label": 1}
    assert in_words(data.left_out) == "disgust (2), no label (1)"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], r"expected pictures in a folder for each label \(angry, happy, neutral, sad, tired\)"),
        (named(5, labels=("sad",)), r"two labels at least, .*; found sad \(5\)"),
        (["happy/1.jpg", "disgust/Al-disgust-1.jpg"], r"found happy \(1\); other labels: disgust \(1\)"),
        (["fear/1.jpg"], r"found none; other labels: fear \(1\)"),
        (named(2), r"with 2 people validation has no happy"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_in_words(tmp_path: Path, names: list[str], words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        read(touch(tmp_path, *names))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("file,label\na.jpg,sad\n", "path is missing among file, label"),
        ("path,label\nnowhere.jpg,sad\n", "line 2: expected a picture, there is no"),
        (
            "path,label,split\na.jpg,sad,exam\n",
            "line 2: expected a split of train, validation, test, got 'exam'",
        ),
    ],
)
def test_a_table_that_cannot_be_understood_says_where(tmp_path: Path, content: str, words: str) -> None:
    touch(tmp_path, "a.jpg")
    path = tmp_path / "faces.csv"
    path.write_text(content)
    with pytest.raises(PermanentError, match=words):
        read(path)


@pytest.mark.parametrize(("validation", "test"), [(0, 0.2), (0.5, 0.5)])
def test_shares_leave_something_for_training(tmp_path: Path, validation: float, test: float) -> None:
    with pytest.raises(PermanentError, match="two shares above 0"):
        read(touch(tmp_path, *named(6)), validation=validation, test=test)


def test_most_per_label_limits_what_is_learnt_from_and_nothing_else(tmp_path: Path) -> None:
    touch(tmp_path, *named(40))
    options = EmotionOptions(data=[str(tmp_path)], model_repo="", most_per_label=5)
    few, all_of_them = read_faces(options), read(tmp_path, validation=0.15, test=0.15)
    assert [face.label for face in few.part("train")].count("sad") == 5
    assert {face.path for face in few.part("test")} == {face.path for face in all_of_them.part("test")}


def test_rare_classes_cost_more_and_the_mean_cost_is_one() -> None:
    classes = np.array([0, 0, 0, 1])
    weights = class_weights(classes, 3)
    assert weights == pytest.approx([2 / 3, 2.0, 0.0])
    assert np.mean([weights[one] for one in classes]) == pytest.approx(1)


def test_labels_come_in_the_order_of_the_contract(tmp_path: Path) -> None:
    touch(tmp_path, *named(6, labels=tuple(reversed(EMOTIONS))))
    assert tuple(read(tmp_path).labels) == EMOTIONS
