"""Whom the gallery finds near a face, and whom it leaves out."""

import msgspec
import numpy as np
import pytest

from services.recognizer.gallery import Gallery
from tests.unit.recognizer.people import ADA, BOB, DIMENSIONS, template, unit


def test_template_set_aside_names_nobody_and_is_not_counted_as_unusable() -> None:
    """A photo set aside is kept, and compared with nobody."""
    aside = msgspec.structs.replace(template("ada", ADA), set_aside=True)
    gallery = Gallery([aside, template("bob", BOB)], dimensions=DIMENSIONS, generation=1)
    assert (len(gallery), gallery.ignored, gallery.nearest(ADA).person_id) == (1, 0, "bob")


def test_runner_up_is_found_behind_many_templates_of_one_person() -> None:
    """However many photos somebody has, the second person still counts for the margin."""
    many = [msgspec.structs.replace(template("ada", ADA), template_id=f"t{n}") for n in range(200)]
    gallery = Gallery([*many, template("bob", unit(1.0, 1.0))], dimensions=DIMENSIONS, generation=1)
    assert gallery.nearest(ADA).runner_up_similarity == pytest.approx(0.707, abs=0.001)


def test_template_of_another_size_is_left_out_and_counted() -> None:
    """A vector of another embedder can't be compared and isn't."""
    gallery = Gallery(
        [template("ada", ADA), template("eve", np.ones(3, dtype=np.float32))],
        dimensions=DIMENSIONS,
        generation=1,
    )
    assert (len(gallery), gallery.ignored) == (1, 1)


def test_the_gallery_lists_who_is_near_the_nearest_first() -> None:
    """Each person once, nobody below the threshold, and nobody who must not be named."""
    gallery = Gallery(
        [
            template("ada", ADA),
            template("ada", unit(1.0, 0.2)),
            template("bob", unit(1.0, 0.4)),
            template("cleo", BOB),
        ],
        dimensions=DIMENSIONS,
        generation=1,
    )
    assert [person for person, _ in gallery.within(ADA, 0.9)] == ["ada", "bob"]
    assert gallery.within(unit(0.0, 0.0, 1.0), 0.9) == []
    assert gallery.people == {"ada", "bob", "cleo"}
    silent = Gallery(
        [template("ada", ADA), template("bob", unit(1.0, 0.4))],
        dimensions=DIMENSIONS,
        generation=1,
        inactive_people={"ada"},
    )
    assert [person for person, _ in silent.within(ADA, 0.9)] == ["bob"]
    assert silent.people == {"bob"}
    assert Gallery([], dimensions=DIMENSIONS, generation=1).within(ADA, 0.9) == []
