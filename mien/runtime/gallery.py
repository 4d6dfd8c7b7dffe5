"""Templates of enrolled people in Redis: written by recognizers, deleted by the gateway, read by all."""

from collections.abc import Callable

import msgspec
from redis.asyncio import Redis

from mien.contracts.models import EMBEDDERS
from mien.contracts.shared_state import GALLERIES_KEY, GALLERY_GENERATION_KEY, Template, gallery_key

_DECODER = msgspec.msgpack.Decoder(Template)


class TemplateStore:
    """All templates, by the embedder that made them; vectors of different embedders are never compared."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def generation(self) -> int:
        """Return how often any template has changed."""
        return int(await self._redis.get(GALLERY_GENERATION_KEY) or 0)

    async def load(self, embedder: str) -> list[Template]:
        """Return all templates of an embedder, by id."""
        values: dict[bytes, bytes] = await self._redis.hgetall(gallery_key(embedder))
        return sorted(
            (_DECODER.decode(value) for value in values.values()), key=lambda template: template.template_id
        )

    async def add(self, template: Template) -> None:
        """Write a template; writing it again changes nothing but the generation."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(gallery_key(template.model), template.template_id, msgspec.msgpack.encode(template))
            pipe.sadd(GALLERIES_KEY, template.model)
            pipe.incr(GALLERY_GENERATION_KEY)
            await pipe.execute()

    async def remove_person(self, person_id: str) -> int:
        """Delete every template of a person, of every embedder; returns how many there were."""
        return await self._remove(lambda template: template.person_id == person_id)

    async def remove_photo(self, photo_id: str) -> int:
        """Delete every template that was made from a photo; returns how many there were."""
        return await self._remove(lambda template: template.photo_id == photo_id)

    async def _remove(self, matches: Callable[[Template], bool]) -> int:
        removed = 0
        imported = {name.decode() for name in await self._redis.smembers(GALLERIES_KEY)}
        async with self._redis.pipeline(transaction=True) as pipe:
            for embedder in sorted({*EMBEDDERS, *imported}):
                ids = [template.template_id for template in await self.load(embedder) if matches(template)]
                if ids:
                    pipe.hdel(gallery_key(embedder), *ids)
                    removed += len(ids)
            pipe.incr(GALLERY_GENERATION_KEY)
            await pipe.execute()
        return removed
