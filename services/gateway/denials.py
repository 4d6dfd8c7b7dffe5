"""Names that were wrong: a click says so, and the face is not given that name again."""

import time
from typing import Final

import msgspec
from redis.asyncio import Redis
from sqlalchemy import select

from mien.contracts.recognition import Denial, InactivePerson, TrackVector, rule_id, track_vector_key
from mien.contracts.shared_state import track_shots_key
from mien.runtime.rules import RuleStore
from mien.runtime.strangers import stranger_stores
from services.gateway.database import Database
from services.gateway.names import Names
from services.gateway.pipeline import InvalidInputError
from services.gateway.stranger_book import StrangerBook
from services.gateway.tables import Sighting

_VECTOR: Final = msgspec.msgpack.Decoder(TrackVector)


class Denials:
    """Lays down and withdraws denials; recognizers and people see them at once."""

    def __init__(
        self, database: Database, redis: Redis, *, rules: RuleStore, names: Names, strangers: StrangerBook
    ) -> None:
        self._database = database
        self._redis = redis
        self._rules = rules
        self._names = names
        self._strangers = strangers
        self._stores = stranger_stores(redis)

    async def deny(self, track_id: str, person_id: str) -> None:
        """Note that a track is not the person it was said to be; its face gets that name no more."""
        denial = Denial(
            track_id=track_id,
            person_id=person_id,
            denied_at_ns=time.time_ns(),
            vector=await self._vector_of(track_id),
        )
        await self._rules.write([denial])
        await self._strangers.refresh()
        await self._names.announce_change()

    async def withdraw(self, track_id: str) -> str:
        """Take a denial back; returns whom the track is again.

        Raises:
            InvalidInputError: Nothing was said of this track.
        """
        rules = await self._strangers.refresh()
        denial = next((one for one in rules.denials if one.track_id == track_id), None)
        if denial is None:
            raise InvalidInputError("nobody said of this sighting that it is not that person")
        await self._rules.write(delete=[rule_id(denial)])
        await self._strangers.refresh()
        await self._names.announce_change()
        return denial.person_id

    async def forget_person(self, person_id: str) -> None:
        """Forget what was measured and said of a person besides their photos."""
        await self._strangers.refresh()
        about = self._rules.ids(
            lambda rule: isinstance(rule, Denial | InactivePerson) and rule.person_id == person_id
        )
        if about:
            await self._rules.write(delete=about)
        sightings = select(Sighting.track_id).where(Sighting.person_id == person_id)
        track_ids = await self._database.run(lambda session: list(session.scalars(sightings)))
        if track_ids:
            await self._redis.delete(*map(track_vector_key, track_ids), *map(track_shots_key, track_ids))
        who = await self._names.read()
        theirs = [id_ for id_, stranger in who.strangers.items() if stranger.person_id == person_id]
        if theirs:
            await self._strangers.forget(theirs)

    async def _vector_of(self, track_id: str) -> TrackVector | None:
        """Return what a track looked like, if that is still known."""
        kept = await self._redis.get(track_vector_key(track_id))
        if kept is not None:
            vector: TrackVector = _VECTOR.decode(kept)
            return vector
        for store in self._stores.values():
            member = (await store.read()).members.get(track_id)
            if member is not None:
                return TrackVector(
                    model=member.model, model_version=member.model_version, vector=member.vector
                )
        return None
