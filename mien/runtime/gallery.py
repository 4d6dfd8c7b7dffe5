"""Templates of enrolled people in Redis: written by recognizers, managed by the gateway, read by all."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from redis.asyncio import Redis

from mien.contracts.models import EMBEDDERS
from mien.contracts.shared_state import (
    GALLERIES_KEY,
    Template,
    TemplateOwner,
    gallery_key,
    gallery_owners_key,
    template_owner,
)
from mien.runtime.replicated_hash import ReplicatedHash

_DECODER = msgspec.msgpack.Decoder(Template)
_SCANNED_AT_ONCE: Final = 1_000


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
        await self._write(template.model, put=[template])

    async def remove_person(self, person_id: str) -> int:
        """Delete every template of a person, of every embedder; returns how many there were."""
        return await self._remove("person", person_id)

    async def remove_photo(self, photo_id: str) -> int:
        """Delete every template that was made from a photo; returns how many there were."""
        return await self._remove("photo", photo_id)

    async def remove_photos(self, photo_ids: Collection[str]) -> int:
        """Delete every template that was made from some photos; returns how many there were."""
        return sum([await self.remove_photo(photo_id) for photo_id in photo_ids])

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
            found = await self._find(embedder, "photo", photo_id)
            changed = [msgspec.structs.replace(one, **changes) for one in found]
            await self._write(embedder, put=changed, instead_of=found)
            edited += len(found)
        return edited

    async def _remove(self, kind: TemplateOwner, owner_id: str) -> int:
        removed = 0
        for embedder in await self._embedders():
            found = await self._find(embedder, kind, owner_id)
            await self._write(embedder, instead_of=found)
            removed += len(found)
        return removed

    async def _embedders(self) -> list[str]:
        """Return every embedder that may have made templates, those of imported models among them."""
        known = {name.decode() for name in await self._redis.smembers(GALLERIES_KEY)}
        return sorted({*EMBEDDERS, *known})

    async def _find(self, embedder: str, kind: TemplateOwner, owner_id: str) -> list[Template]:
        """Return the templates of a person or a photo; takes as long as there are of them."""
        await self._index_owners(embedder)
        begins = template_owner(kind, owner_id).encode()
        entries: list[bytes] = await self._redis.zrangebylex(
            gallery_owners_key(embedder), b"[" + begins, b"(" + begins + b"\xff"
        )
        ids = [entry.removeprefix(begins) for entry in entries]
        values = await self._redis.hmget(gallery_key(embedder), ids) if ids else []
        templates = [_DECODER.decode(value) for value in values if value is not None]
        # An entry outlives its truth where a photo is judged again after it was moved.
        return [one for one in templates if owner_id == (one.person_id if kind == "person" else one.photo_id)]

    async def _index_owners(self, embedder: str) -> None:
        """Enter the templates of a gallery that was written when there were no such entries."""
        owners = gallery_owners_key(embedder)
        entries, templates = await self._redis.zcard(owners), await self._redis.hlen(gallery_key(embedder))
        if entries >= 2 * templates:
            return
        found: list[Template] = []
        async for _, value in self._redis.hscan_iter(gallery_key(embedder), count=_SCANNED_AT_ONCE):
            found.append(_DECODER.decode(value))
            if len(found) == _SCANNED_AT_ONCE:
                await self._redis.zadd(owners, _owners_of(found))
                found = []
        if found:
            await self._redis.zadd(owners, _owners_of(found))

    async def _write(
        self, embedder: str, *, put: Sequence[Template] = (), instead_of: Sequence[Template] = ()
    ) -> None:
        """Put templates in the place of others, with their owners' entries, in one transaction."""
        new = {one.template_id: msgspec.msgpack.encode(one) for one in put}
        gone = [one.template_id for one in instead_of if one.template_id not in new]
        if not new and not gone:
            return
        owners, entries = gallery_owners_key(embedder), _owners_of(put)
        outdated = _owners_of(instead_of).keys() - entries.keys()
        async with self._redis.pipeline(transaction=True) as pipeline:
            await self._hash(embedder).queue_write(pipeline, new, gone)
            if entries:
                pipeline.zadd(owners, entries)
            if outdated:
                pipeline.zrem(owners, *outdated)
            await pipeline.execute()

    def _hash(self, embedder: str) -> ReplicatedHash:
        return ReplicatedHash(self._redis, gallery_key(embedder))


def _owners_of(templates: Sequence[Template]) -> dict[str, float]:
    entries: dict[str, float] = {}
    for one in templates:
        entries[template_owner("person", one.person_id, one.template_id)] = 0.0
        entries[template_owner("photo", one.photo_id, one.template_id)] = 0.0
    return entries
