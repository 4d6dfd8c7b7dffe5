"""Strays are planted where they are counted, and what is counted is what the product would set aside."""

from pathlib import Path

import numpy as np

from mien.contracts.models import FACE_EMBEDDER
from mien.evaluate.enrolment import Tally, judge_gallery, limits_for, plant_strays
from mien.evaluate.identity.data import Enrolled
from mien.evaluate.identity.embeddings import Face, Vectors
from mien.vision.similarity import unit

PEOPLE = {
    name: Enrolled(
        tuple(Path(f"{name}{number}") for number in range(3)), (Path(f"{name}3"), Path(f"{name}4"))
    )
    for name in "abcdef"
}
STRANGERS = [Path(f"stranger{number}") for number in range(4)]


def vectors() -> Vectors:
    """Photos of one person are at 0.96 of each other, of two at 0.85."""
    paths = [path for one in PEOPLE.values() for path in (*one.enrol, *one.probe)] + STRANGERS
    names = [path.name[0] if path.name[0] in PEOPLE and len(path.name) == 2 else path.name for path in paths]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    values = np.zeros((len(paths), 128), np.float32)
    for row, name in enumerate(names):
        values[row, [0, 1 + numbers[name], 20 + row]] = 1.0, 0.36, 0.21
    faces = [Face(path.as_posix(), (0.0, 0.0, 9.0, 9.0), ((0.0, 0.0),) * 5, 1.0) for path in paths]
    return Vectors(faces, np.stack([unit(row) for row in values]))


def test_every_second_person_gets_a_photo_that_is_not_among_the_good_ones() -> None:
    known = vectors()
    for seed in range(5):
        gallery = plant_strays(PEOPLE, STRANGERS, known, good_photos=3, of="enrolled", seed=seed)
        assert (~gallery.is_stray).sum() == 18
        assert len(np.unique(gallery.person_of[gallery.is_stray])) == gallery.is_stray.sum()
        good, strays = gallery.vectors[~gallery.is_stray], gallery.vectors[gallery.is_stray]
        assert (good @ strays.T).max() < 0.99, "none of them is enrolled under its own name, too"


def test_strays_and_good_photos_are_counted_apart() -> None:
    tally = Tally()
    for seed in range(5):
        gallery = plant_strays(PEOPLE, STRANGERS, vectors(), good_photos=3, of="stranger", seed=seed)
        judge_gallery(gallery, limits_for(FACE_EMBEDDER), tally)
    assert tally.strays > 5
    assert tally.row()["strays_found"] == 1
    assert (tally.good, tally.good_set_aside) == (90, 0)


def test_nothing_planted_is_no_division_by_zero() -> None:
    assert Tally().row() == {"strays_found": 0.0, "strays": 0, "good_set_aside": 0.0, "good": 0}
