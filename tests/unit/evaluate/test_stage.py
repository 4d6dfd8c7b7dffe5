"""Scenes show who they say is there, where they say, as far as they can be seen."""

import numpy as np
import pytest

from mien.evaluate.people import CutOut
from mien.evaluate.scenes import SCENES, SEEN_FROM, SIZE_WH, Post, Scene, Step
from mien.evaluate.stage import Stage

WHITE, BLACK = (
    CutOut(
        np.dstack([np.full((100, 100, 3), grey, np.float32), np.ones((100, 100), np.float32)]),
        np.array([25, 25, 75, 75], np.float32),
    )
    for grey in (255, 0)
)


def stage(*walks: list[Step], posts: list[Post] | None = None) -> Stage:
    return Stage(Scene("test", 4.0, list(walks), posts or []), [WHITE, BLACK], seed=1)


def test_a_walker_is_where_the_truth_says() -> None:
    """Between two steps people move evenly; before the first and after the last nobody is there."""
    show = stage([Step(1, 100, 180, 50), Step(3, 300, 180, 50)]).show
    picture, truth = show(2)
    assert truth.people == [0]
    assert truth.boxes_xyxy[0] == pytest.approx([175, 155, 225, 205])
    assert picture[155:205, 175:225].mean() > 240
    assert show(0.5)[1].people == show(3.5)[1].people == []


def test_the_nearer_person_covers_the_other() -> None:
    picture, truth = stage(
        [Step(0, 200, 180, 50), Step(4, 200, 180, 50)], [Step(0, 200, 180, 80), Step(4, 200)]
    ).show(0)
    assert dict(zip(truth.people, truth.visible, strict=True)) == {0: 0, 1: 1}
    assert picture[170:190, 190:210].mean() < 15


def test_posts_and_turned_heads_hide_a_face() -> None:
    still = [Step(0, 200, 180, 50), Step(4, 200, 180, 50)]
    assert stage(still, posts=[Post(150, 250)]).show(0)[1].visible == [0]
    assert stage(still, posts=[Post(200, 250)]).show(0)[1].visible == [pytest.approx(0.5, abs=0.05)]
    away = [Step(0, 200, 180, 50, turn=1), Step(4, 200, 180, 50, turn=1)]
    assert stage(away).show(0)[1].visible == [0]


@pytest.mark.parametrize("make", SCENES, ids=lambda make: make.__name__)
def test_every_scene_shows_everybody_and_repeats(make: object) -> None:
    """Each person of a scene can be seen at some time; the same seed gives the same scene."""
    assert callable(make)
    scene = make(np.random.default_rng(3))
    assert make(np.random.default_rng(3)) == scene
    assert len(scene.walks) <= 10, "the demo has ten heads"
    players = Stage(scene, [WHITE, BLACK] * 5, seed=3)
    seen: set[int] = set()
    for seconds in np.arange(0, scene.seconds, 0.2):
        picture, truth = players.show(float(seconds))
        assert picture.shape == (SIZE_WH[1], SIZE_WH[0], 3)
        seen |= {who for who, share in zip(truth.people, truth.visible, strict=True) if share >= SEEN_FROM}
    assert seen == set(range(len(scene.walks)))
