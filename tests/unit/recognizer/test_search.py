"""A large gallery is searched through an index that follows what comes and goes."""

import asyncio

import numpy as np
import pytest

from mien.contracts.shared_state import Template
from mien.vision.similarity import ApproximateIndex, ExactIndex, LayeredIndex, Vectors
from services.recognizer.search import IndexKeeper

DIMENSIONS = 16


def faces(count: int, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def templates_of(vectors: Vectors) -> list[Template]:
    return [
        Template(
            template_id=f"t{row}", person_id=f"p{row}", photo_id="ph", model="m", model_version=1,
            vector=vector.tobytes(),
        )
        for row, vector in enumerate(vectors)
    ]  # fmt: skip


def test_exact_index_returns_the_nearest_in_order() -> None:
    """As many as there are, at most as many as were asked for."""
    vectors = faces(50)
    rows, similarities = ExactIndex(vectors).nearest(vectors[7], 5)
    assert rows[0] == 7
    assert similarities.tolist() == sorted((vectors @ vectors[7]).tolist(), reverse=True)[:5]
    assert len(ExactIndex(vectors).nearest(vectors[7], 80)[0]) == 50
    assert len(ExactIndex(faces(0)).nearest(vectors[7], 3)[0]) == 0


def test_approximate_index_finds_what_the_exact_one_finds() -> None:
    """Another photo of somebody enrolled leads to them; only the precision of the figure is halved."""
    vectors = faces(2000)
    index, exact = ApproximateIndex(vectors), ExactIndex(vectors)
    for query in vectors[:50] + 0.1 * faces(50, seed=1):
        rows, similarities = index.nearest(query, 10)
        wanted, exactly = exact.nearest(query, 10)
        assert rows[0] == wanted[0]
        assert similarities[0] == pytest.approx(exactly[0], abs=0.002)
        assert similarities.tolist() == sorted(similarities, reverse=True)


def test_layers_leave_out_what_is_gone_and_find_what_has_come() -> None:
    """Rows are those of the gallery of now."""
    old, new = faces(10), faces(3, seed=1)
    row_of_base = np.array([-1, 0, 1, 2, 3, 4, 5, 6, 7, 8])
    layered = LayeredIndex(ExactIndex(old), row_of_base, ExactIndex(new), np.array([9, 10, 11]))
    assert len(layered) == 12
    assert layered.nearest(old[1], 1)[0].tolist() == [0]
    assert layered.nearest(new[2], 1)[0].tolist() == [11]
    together = np.concatenate([old[1:], new])
    for query in faces(5, seed=2):
        assert layered.nearest(query, 12)[0].tolist() == ExactIndex(together).nearest(query, 12)[0].tolist()


async def test_large_gallery_is_exact_until_its_index_is_built_and_follows_changes() -> None:
    """No face waits for the index, none is missed after a change, and a small gallery needs none."""
    vectors = faces(400)
    templates = templates_of(vectors)
    keeper = IndexKeeper(dimensions=DIMENSIONS, exact_up_to=100)
    assert isinstance(keeper.index_for(templates), ExactIndex)
    keeper.take_news()
    async with asyncio.timeout(30):
        while not keeper.has_news:
            await asyncio.sleep(0)
    keeper.take_news()
    index = keeper.index_for(templates)
    assert isinstance(index, LayeredIndex)
    assert not keeper.has_news

    newcomer = templates_of(faces(1, seed=9))[0]
    changed = [*templates[1:], newcomer]
    index = keeper.index_for(changed)
    assert isinstance(index, LayeredIndex)
    assert index.nearest(faces(1, seed=9)[0], 1)[0].tolist() == [399]
    assert index.nearest(vectors[5], 1)[0].tolist() == [4]
    assert len(index) == 400
    assert isinstance(keeper.index_for(templates[:50]), ExactIndex)
