"""Visits of strangers in Redis: written by recognizers, regrouped and forgotten by the gateway."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import msgspec
from redis.asyncio import Redis

from mien.contracts.models import EMBEDDERS
from mien.contracts.recognition import DAY_SECONDS, StrangerMember, encode_record, strangers_key
from mien.runtime.replicated_hash import ReplicatedHash

_DECODER = msgspec.msgpack.Decoder(StrangerMember)


@dataclass(frozen=True)
class MemberChanges:
    """Members by id, None where one is gone; see :class:`mien.runtime.replicated_hash.Changes`."""

    generation: int
    members: dict[str, StrangerMember | None]
    is_complete: bool


class StrangerStore:
    """The visits that one embedder has measured."""

    def __init__(self, redis: Redis, embedder: str) -> None:
        self._hash = ReplicatedHash(redis, strangers_key(embedder))

    async def read(self, since: int = -1) -> MemberChanges:
        """Return what has changed since a generation."""
        changes = await self._hash.read(since)
        members = {
            name: None if value is None else _DECODER.decode(value) for name, value in changes.values.items()
        }
        return MemberChanges(changes.generation, members, changes.is_complete)

    async def write(
        self,
        put: Iterable[StrangerMember] = (),
        delete: Collection[str] = (),
        *,
        keep_days: float | None = None,
        expected_generation: int | None = None,
    ) -> bool:
        """Put and delete members in one step; the whole lives *keep_days* longer than its last change."""
        return await self._hash.write(
            {member.member_id: encode_record(member) for member in put},
            delete,
            expected_generation=expected_generation,
            ttl_seconds=None if keep_days is None else keep_days * DAY_SECONDS,
        )


def stranger_stores(redis: Redis) -> dict[str, StrangerStore]:
    """Return the store of each embedder."""
    return {embedder: StrangerStore(redis, embedder) for embedder in EMBEDDERS}
