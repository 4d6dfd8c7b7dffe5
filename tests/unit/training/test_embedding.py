"""Faces and their views are embedded once; a run that goes on takes what is there."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.models import FACE_EMBEDDER
from mien.errors import PermanentError
from mien.training.embedding import Embedder, embed_views
from tests.unit.dataset.faces import picture


class MeanColour:
    """Embeds a face as its mean colour, and counts; fails when told to."""

    def __init__(self, fails_after: int = 1000) -> None:
        self.faces = 0
        self._fails_after = fails_after

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self.faces >= self._fails_after:
            raise KeyboardInterrupt
        self.faces += 1
        return np.asarray(images.mean(axis=(1, 2)), dtype=np.float32)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "aligned"
    folder.mkdir()
    for n in range(20):
        cv2.imwrite(str(folder / f"{n:02}.png"), picture(n, side=32))
    return sorted(folder.iterdir())


def run(paths: list[Path], cache: Path, embedder: MeanColour) -> tuple[NDArray[np.float32], list[int]]:
    told: list[int] = []
    vectors = embed_views(
        paths,
        embedder,  # type: ignore[arg-type]
        copies=2,
        seed=1,
        cache=cache,
        on_face=lambda done, _: told.append(done),
    )
    return vectors, told


def test_each_face_and_its_views_are_embedded_in_order(paths: list[Path], tmp_path: Path) -> None:
    vectors, told = run(paths, tmp_path / "cache", MeanColour())
    assert vectors.shape == (20, 3, 3)
    first = cv2.imread(str(paths[0]), cv2.IMREAD_COLOR_RGB)
    assert first is not None
    np.testing.assert_allclose(vectors[0, 0], first.mean(axis=(0, 1)), rtol=1e-5)
    assert told == [16, 20]


def test_an_interrupted_run_goes_on_where_it_was(paths: list[Path], tmp_path: Path) -> None:
    whole, _ = run(paths, tmp_path / "other", MeanColour())
    with pytest.raises(KeyboardInterrupt):
        run(paths, tmp_path / "cache", MeanColour(fails_after=18))
    second = MeanColour()
    vectors, _ = run(paths, tmp_path / "cache", second)
    assert second.faces == 4
    np.testing.assert_array_equal(vectors, whole)


def test_a_picture_that_is_gone_is_named(paths: list[Path], tmp_path: Path) -> None:
    paths[3].unlink()
    with pytest.raises(PermanentError, match=r"03\.png"):
        run(paths, tmp_path / "cache", MeanColour())


def test_an_embedder_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="mien models build"):
        Embedder(FACE_EMBEDDER, tmp_path / "1")
