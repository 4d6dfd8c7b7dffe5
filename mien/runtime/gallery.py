"""Templates of enrolled people in Redis: written by recognizers, managed by the gateway, read by all."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import msgspec
from redis.asyncio import Redis

from mien.contracts.models import EMBEDDERS
from mien.contracts.shared_state import GALLERIES_KEY, Template, gallery_key
from mien.runtime.replicated_hash import ReplicatedHash

_DECODER = msgspec.msgpack.Decoder(Template)
_SCANNED_AT_ONCE = 1_000


@dataclass(frozen=True)
class TemplateChanges:
    """Templates by id, None where one is gone; see :class:`mien.runtime.replicated_hash.Changes`."""

    generation: int
    templates: dict[str, Template | None]
    is_complete: bool


class TemplateStore:
    """All templates, by the embedder that made them; vectors of different embedders are never compared."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def read(self, embedder: str, since: int = -1) -> TemplateChanges:
        """Return what has changed of an embedder's templates since a generation."""
        changes = await self._hash(embedder).read(since)
        templates = {
            name: None if value is None else _DECODER.decode(value) for name, value in changes.values.items()
        }
        return TemplateChanges(changes.generation, templates, changes.is_complete)

    async def generation(self, embedder: str) -> int:
        """Return how often an embedder's templates have changed."""
        return await self._hash(embedder).generation()

    async def load(self, embedder: str) -> list[Template]:
        """Return all templates of an embedder, by id."""
        changes = await self.read(embedder)
        found = [template for template in changes.templates.values() if template is not None]
        return sorted(found, key=lambda template: template.template_id)

    async def add(self, template: Template) -> None:
        """Write a template; writing it again changes nothing but the generation."""
        await self._redis.sadd(GALLERIES_KEY, template.model)
        await self._put(template.model, [template])

    async def remove_person(self, person_id: str) -> int:
        """Delete every template of a person, of every embedder; returns how many there were."""
        return await self._remove(person_id, lambda template: template.person_id == person_id)

    async def remove_photo(self, photo_id: str) -> int:
        """Delete every template that was made from a photo; returns how many there were."""
        return await self._remove(photo_id, lambda template: template.photo_id == photo_id)

    async def remove_photos(self, photo_ids: Collection[str]) -> int:
        """Delete every template that was made from some photos; returns how many there were."""
        wanted = frozenset(photo_ids)
        return await self._remove("", lambda template: template.photo_id in wanted)

    async def edit_photo(
        self, photo_id: str, *, person_id: str | None = None, set_aside: bool | None = None
    ) -> int:
        """Give a photo's templates to another person, set them aside or restore them; returns how many."""
        changes: dict[str, str | bool] = {}
        if person_id is not None:
            changes["person_id"] = person_id
        if set_aside is not None:
            changes["set_aside"] = set_aside
        edited = 0
        for embedder in await self._embedders():
            found = await self._find(embedder, photo_id, lambda template: template.photo_id == photo_id)
            if found:
                await self._put(embedder, [msgspec.structs.replace(one, **changes) for one in found])
                edited += len(found)
        return edited

    async def _remove(self, mentions: str, matches: Callable[[Template], bool]) -> int:
        removed = 0
        for embedder in await self._embedders():
            ids = [template.template_id for template in await self._find(embedder, mentions, matches)]
            if ids:
                await self._hash(embedder).write({}, ids)
                removed += len(ids)
        return removed

    async def _embedders(self) -> list[str]:
        """Return every embedder that may have made templates, those of imported models among them."""
        known = {name.decode() for name in await self._redis.smembers(GALLERIES_KEY)}
        return sorted({*EMBEDDERS, *known})

    async def _find(
        self, embedder: str, mentions: str, matches: Callable[[Template], bool]
    ) -> list[Template]:
        """Return matching templates; only those whose bytes mention a text are decoded."""
        found = {}
        scan = self._redis.hscan_iter(gallery_key(embedder), count=_SCANNED_AT_ONCE)
        async for name, value in scan:
            if mentions.encode() in value and matches(template := _DECODER.decode(value)):
                found[name] = template
        return list(found.values())

    async def _put(self, embedder: str, templates: list[Template]) -> None:
        await self._hash(embedder).write({one.template_id: msgspec.msgpack.encode(one) for one in templates})

    def _hash(self, embedder: str) -> ReplicatedHash:
        return ReplicatedHash(self._redis, gallery_key(embedder))
