"""Templates in a real Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from mien.contracts.shared_state import GALLERIES_KEY, Template, gallery_key, gallery_owners_key
from mien.runtime.gallery import TemplateStore


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as redis:
        yield redis


@pytest.fixture
def store(redis: Redis) -> TemplateStore:
    return TemplateStore(redis)


@pytest.fixture
def embedder() -> str:
    """An embedder that nobody has used before."""
    return f"embedder_{uuid4().hex}"


def template(embedder: str, person: str, photo: str) -> Template:
    return Template(
        template_id=f"{photo}-{embedder}", person_id=person, photo_id=photo, model=embedder,
        model_version=1, vector=b"",
    )  # fmt: skip


async def enrol(store: TemplateStore, embedder: str, *, people: int) -> None:
    for number in range(people):
        for photo in range(2):
            await store.add(template(embedder, f"person-{number}", f"photo-{number}-{photo}"))


async def people_of(store: TemplateStore, embedder: str) -> list[str]:
    return sorted({one.person_id for one in await store.load(embedder)})


async def test_a_person_is_forgotten_in_every_embedder_that_ever_saw_them(store: TemplateStore) -> None:
    """Also in one that was imported, and that whoever forgets has never heard of."""
    embedders = ("face_embedder", "face_embedder_fused", "somebodys_arcface")
    for embedder in embedders:
        for person in ("rosa", "tom"):
            await store.add(template(embedder, person, f"photo-{person}"))
    generations = [await store.generation(embedder) for embedder in embedders]
    assert await store.remove_person("rosa") == len(embedders)
    for embedder in embedders:
        assert await people_of(store, embedder) == ["tom"]
    assert [await store.generation(embedder) - 1 for embedder in embedders] == generations
    assert await store.remove_photo("photo-tom") == len(embedders)


async def test_ids_that_begin_alike_are_told_apart(store: TemplateStore, embedder: str) -> None:
    for person in ("p", "p1", "p12"):
        await store.add(template(embedder, person, f"photo-of-{person}"))
    assert await store.remove_person("p1") == 1
    assert await store.remove_photo("photo-of-p") == 1
    assert await people_of(store, embedder) == ["p12"]


async def test_a_moved_photo_is_its_new_persons_alone(store: TemplateStore, embedder: str) -> None:
    await store.add(template(embedder, "rosa", "photo"))
    assert await store.edit_photo("photo", person_id="ruby") == 1
    assert await store.remove_person("rosa") == 0
    assert await store.remove_person("ruby") == 1


async def test_a_photo_that_is_judged_again_after_its_move_is_still_found(
    store: TemplateStore, embedder: str
) -> None:
    """A recognizer that reads its shot twice writes the template as it was before the move."""
    first = template(embedder, "rosa", "photo")
    await store.add(first)
    await store.edit_photo("photo", person_id="ruby")
    await store.add(first)
    assert await store.remove_person("ruby") == 0
    assert await store.remove_person("rosa") == 1


async def test_a_gallery_from_before_there_was_an_index_is_edited_like_any_other(
    redis: Redis, store: TemplateStore, embedder: str
) -> None:
    await enrol(store, embedder, people=3)
    await redis.delete(gallery_owners_key(embedder))
    assert await store.remove_person("person-1") == 2
    assert await people_of(store, embedder) == ["person-0", "person-2"]
    assert await redis.zcard(gallery_owners_key(embedder)) == 2 * await redis.hlen(gallery_key(embedder))


async def test_nothing_is_left_behind(redis: Redis, store: TemplateStore, embedder: str) -> None:
    await enrol(store, embedder, people=2)
    for person in ("person-0", "person-1"):
        await store.remove_person(person)
    assert await redis.exists(gallery_key(embedder), gallery_owners_key(embedder)) == 0


async def test_an_edit_takes_as_many_commands_in_a_large_gallery_as_in_a_small_one(
    redis: Redis, store: TemplateStore
) -> None:
    """What is deleted, moved or set aside is found by its owner, never by looking through the others."""
    edits: tuple[Callable[[], Awaitable[int]], ...] = (
        lambda: store.remove_photo("photo-1-0"),
        lambda: store.edit_photo("photo-2-0", person_id="person-3"),
        lambda: store.remove_person("person-4"),
    )
    counted = []
    galleries = {f"embedder_{uuid4().hex}": people for people in (10, 2_000)}
    await redis.delete(GALLERIES_KEY)  # of other tests
    await redis.sadd(GALLERIES_KEY, *galleries)  # each edit looks into both
    for embedder, people in galleries.items():
        await enrol(store, embedder, people=people)
        before = await commands(redis)
        for edit in edits:
            await edit()
        after = await commands(redis)
        counted.append({name: calls - before.get(name, 0) for name, calls in after.items()})
        await redis.delete(gallery_key(embedder), gallery_owners_key(embedder))
    assert counted[0]["zrangebylex"] > 0
    for name in ("hscan", "zrangebylex", "hmget", "hdel", "zadd", "zrem"):
        assert counted[0].get(name, 0) == counted[1].get(name, 0), name


async def commands(redis: Redis) -> dict[str, int]:
    """Return how often Redis was given each command since it started."""
    stats = await redis.info("commandstats")
    return {name.removeprefix("cmdstat_"): one["calls"] for name, one in stats.items()}
