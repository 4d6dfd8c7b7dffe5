"""A split is the same for the same seed, keeps everybody where they belong, and never leaks."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.dataset.manifest import Dataset
from mien.dataset.split import (
    PARTS,
    By,
    LeakError,
    Split,
    check_split,
    read_split,
    split_dataset,
    write_split,
)
from mien.errors import PermanentError
from tests.unit.dataset.faces import dataset

PEOPLE = {"ada": 10, "bob": 12, "cleo": 4, "dan": 7, "eve": 9, "finn": 5}


def people_of(ids: list[str]) -> set[str]:
    return {face_id.split("/")[0] for face_id in ids}


def split(data: Dataset, by: By = "photo", seed: int = 1) -> Split:
    return split_dataset(data, by=by, validation=0.2, test=0.2, seed=seed)


def test_by_photo_everybody_is_in_every_part() -> None:
    made = split(dataset(PEOPLE))
    for part in PARTS:
        assert people_of(made.part(part)) == set(PEOPLE)
    shares = Counter(face_id.split("/")[0] for face_id in made.test)
    assert shares["bob"] in {2, 3}
    assert shares["cleo"] == 1


def test_by_person_nobody_is_in_two_parts_and_emotions_are_balanced() -> None:
    data = dataset({f"p{n}": 6 for n in range(20)})
    made = split(data, "person")
    assert sum(len(people_of(made.part(part))) for part in PARTS) == 20
    assert [len(made.part(part)) for part in PARTS] == [72, 24, 24]


def test_the_same_seed_splits_the_same_way() -> None:
    data = dataset(PEOPLE)
    assert split(data) == split(data)
    assert split(data).test != split(data, seed=2).test


def test_people_with_too_few_photos_are_left_out_by_name() -> None:
    made = split(dataset(PEOPLE | {"gus": 2}))
    assert made.left_out == {"gus": 2}
    assert "gus" not in people_of(made.train + made.validation + made.test)


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(3, 9), min_size=3), st.integers(0, 50))
def test_no_split_leaks(people: dict[str, int], seed: int) -> None:
    data = dataset(people)
    for by in ("photo", "person"):
        made = split(data, by, seed)
        check_split(made, data)
        assert sorted(made.train + made.validation + made.test) == sorted(f.face_id for f in data.faces)


def with_twins(data: Dataset, first: int, second: int) -> Dataset:
    """Make the second face a copy of the first."""
    faces = list(data.faces)
    faces[second] = msgspec.structs.replace(faces[second], fingerprint=faces[first].fingerprint)
    return msgspec.structs.replace(data, faces=faces)


@pytest.mark.parametrize("seed", range(5))
def test_near_duplicates_stay_together(seed: int) -> None:
    data = with_twins(dataset(PEOPLE), 0, 1)
    made = split(data, seed=seed)
    assert sum({"ada/0", "ada/1"} <= set(made.part(part)) for part in PARTS) == 1


def test_people_who_share_a_picture_stay_together_or_lose_it() -> None:
    data = with_twins(dataset(PEOPLE), 0, 10)  # ada/0 and bob/0
    by_person, by_photo = split(data, "person"), split(data)
    assert sum({"ada", "bob"} <= people_of(by_person.part(part)) for part in PARTS) == 1
    assert not {"ada/0", "bob/0"} & {*by_photo.train, *by_photo.validation, *by_photo.test}


def edited(made: Split, **parts: list[str]) -> Split:
    return msgspec.structs.replace(made, **parts)


def test_a_split_edited_by_hand_is_refused_where_it_leaks() -> None:
    data = with_twins(dataset(PEOPLE), 0, 1)
    made = split(data)
    with pytest.raises(LeakError, match="more than once"):
        check_split(edited(made, test=[*made.test, made.train[0]]), data)
    others = [face_id for face_id in made.train if face_id not in {"ada/0", "ada/1"}]
    apart = edited(made, train=[*others, "ada/0"], validation=["ada/1"], test=[])
    with pytest.raises(LeakError, match="ada/0 and ada/1 are the same picture"):
        check_split(apart, data)
    by_person = split(data, "person")
    mover = by_person.train[0]
    torn = edited(by_person, train=by_person.train[1:], test=[*by_person.test, mover])
    with pytest.raises(LeakError, match=mover.split("/")[0]):
        check_split(torn, data)


def test_a_split_that_names_faces_that_are_gone_is_refused() -> None:
    data = dataset(PEOPLE)
    with pytest.raises(PermanentError, match=r"1 faces that are not used, such as ada/99"):
        check_split(edited(split(data), test=["ada/99"]), data)


@pytest.mark.parametrize(("validation", "test"), [(0, 0.2), (0.2, 0), (0.5, 0.5), (-0.1, 0.2)])
def test_shares_that_leave_a_part_empty_are_refused(validation: float, test: float) -> None:
    with pytest.raises(PermanentError, match="shares above 0"):
        split_dataset(dataset(PEOPLE), by="photo", validation=validation, test=test, seed=1)


def test_too_little_data_is_refused_with_what_there_is() -> None:
    with pytest.raises(PermanentError, match=r"nothing is left for train.*2 people"):
        split(dataset({"ada": 2, "bob": 1}))


def test_a_split_survives_its_file_and_is_checked_when_read(tmp_path: Path) -> None:
    data = dataset(PEOPLE)
    with pytest.raises(PermanentError, match="mien dataset split"):
        read_split(tmp_path, data)
    made = split(data)
    write_split(made, tmp_path)
    assert read_split(tmp_path, data) == made
    write_split(edited(made, test=[*made.test, made.train[0]]), tmp_path)
    with pytest.raises(LeakError):
        read_split(tmp_path, data)
    (tmp_path / "split.json").write_text("{")
    with pytest.raises(PermanentError, match="can't be understood"):
        read_split(tmp_path, data)
