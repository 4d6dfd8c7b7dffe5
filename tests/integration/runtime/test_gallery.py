"""Templates in a real Redis."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from mien.contracts.shared_state import Template
from mien.runtime.gallery import TemplateStore


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[TemplateStore]:
    async with Redis.from_url(redis_url) as redis:
        yield TemplateStore(redis)


async def test_a_person_is_forgotten_in_every_embedder_that_ever_saw_them(store: TemplateStore) -> None:
    """Also in one that was imported, and that whoever forgets has never heard of."""
    embedders = ("face_embedder", "face_embedder_fused", "somebodys_arcface")
    for embedder in embedders:
        for person in ("rosa", "tom"):
            await store.add(
                Template(
                    template_id=f"{person}-{embedder}",
                    person_id=person,
                    photo_id=f"photo-{person}",
                    model=embedder,
                    model_version=1,
                    vector=b"",
                )
            )
    generations = [await store.generation(embedder) for embedder in embedders]
    assert await store.remove_person("rosa") == len(embedders)
    for embedder in embedders:
        assert [template.person_id for template in await store.load(embedder)] == ["tom"]
    assert [await store.generation(embedder) - 1 for embedder in embedders] == generations
    assert await store.remove_photo("photo-tom") == len(embedders)
