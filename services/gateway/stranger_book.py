"""Strangers over all that holds them: visits in Redis and SQL, rules in Redis, names in memory."""

import asyncio
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mien.contracts.events import StrangerEvent, StrangerSeen, derive_event_id
from mien.contracts.recognition import (
    DAY_SECONDS,
    InactivePerson,
    Rule,
    Rules,
    StrangerPolicy,
    StrangersApart,
    StrangersJoined,
    rule_id,
)
from mien.errors import TransientError
from mien.runtime.cameras import CameraDirectory
from mien.runtime.event_loop import Received
from mien.runtime.rules import RuleStore
from mien.runtime.service import Service
from mien.runtime.strangers import stranger_stores
from services.gateway import strangers as sql
from services.gateway.database import Database
from services.gateway.names import Names
from services.gateway.pipeline import InvalidInputError
from services.gateway.tables import Person

log = structlog.get_logger()

_FOLLOW_SECONDS: Final = 1.0
_SWEEP_SECONDS: Final = 60.0


class StrangerBook:
    """Changes who is who, everywhere at once: recognizers see it within a second, people at once."""

    def __init__(
        self,
        database: Database,
        redis: Redis,
        *,
        rules: RuleStore,
        names: Names,
        directory: CameraDirectory,
    ) -> None:
        self._database = database
        self._rules = rules
        self._names = names
        self._directory = directory
        self._stores = stranger_stores(redis)
        self._swept_at = float("-inf")

    async def note(self, received: Sequence[Received[StrangerEvent]]) -> None:
        """Write down what recognizers saw of strangers; a repetition changes nothing.

        Raises:
            TransientError: The database is away, or another gateway wrote of the same stranger first.
        """
        events = [one.event for one in received]

        def write(session: Session) -> bool:
            has_new = False
            for event in events:
                if isinstance(event, StrangerSeen):
                    camera = self._directory.get(event.camera_id)
                    name = camera.name if camera else event.camera_id
                    has_new |= sql.record_visit(session, event, camera_name=name)
                    session.flush()
                else:
                    sql.withdraw_visit(session, event)
            return has_new

        try:
            has_new = await self._database.run(write)
        except IntegrityError as error:
            raise TransientError("another gateway wrote of the same stranger first") from error
        if has_new:
            await self._names.announce_change()

    async def run(self, service: Service) -> None:
        """Follow the rules, keep them in step with the people, forget who was not seen for long."""
        while not service.stop.is_set():
            try:
                await self.refresh()
                await self._tell_inactive()
                if time.monotonic() - self._swept_at > _SWEEP_SECONDS:
                    await self.sweep()
                    self._swept_at = time.monotonic()
                service.health.resolve("strangers")
            except (RedisError, OSError, TransientError) as error:
                service.health.report("strangers", f"strangers can't be kept up to date: {error}")
            await asyncio.sleep(_FOLLOW_SECONDS)

    async def refresh(self) -> Rules:
        """Read the rules, and the names where the rules have changed."""
        before = self._rules.known.generation
        rules = await self._rules.refresh()
        if rules.generation != before:
            await self._names.refresh()
        return rules

    async def merge(self, stranger_ids: Sequence[str]) -> str:
        """Let several strangers count as the first of them; returns that one's id.

        Raises:
            NotFoundError: One of them is not remembered.
            InvalidInputError: They were given different names, or are one already.
        """
        await self.refresh()
        who = await self._names.read()
        ids = sql.ids_of(who, stranger_ids)
        people = {who.strangers[id_].person_id for id_ in ids} - {None}
        if len(people) > 1:
            raise InvalidInputError("these strangers were given different names; take one name back first")
        roots = list(dict.fromkeys(who.strangers[id_].root_id for id_ in stranger_ids))
        if len(roots) < 2:
            raise InvalidInputError("these are one stranger already")
        joined = [StrangersJoined(stranger_id=root, into_stranger_id=roots[0]) for root in roots[1:]]
        apart = self._rules.ids(
            lambda rule: isinstance(rule, StrangersApart) and set(rule.stranger_ids) <= set(ids)
        )
        await self._change(joined, apart, ids)
        return roots[0]

    async def unmerge(self, stranger_id: str) -> None:
        """Let a stranger who was joined with another count for themselves again, and keep it so.

        Raises:
            InvalidInputError: They were never joined.
        """
        rules = await self.refresh()
        into = rules.joined.get(stranger_id)
        if into is None:
            raise InvalidInputError("this stranger was not joined with another")
        ids = sql.ids_of(await self._names.read(), [stranger_id])
        joined = StrangersJoined(stranger_id=stranger_id, into_stranger_id=into)
        await self._change([StrangersApart(stranger_ids=(stranger_id, into))], [rule_id(joined)], ids)

    async def split(self, stranger_id: str, member_ids: Collection[str]) -> str:
        """Count some of a stranger's visits to somebody new; returns the new one's id.

        Raises:
            NotFoundError: Nobody of this id is remembered.
            InvalidInputError: None, or all, of the visits are theirs.
        """
        rules = await self.refresh()
        ids = sql.ids_of(await self._names.read(), [stranger_id])
        visits = await self._database.run(lambda session: sql.list_visits(session, ids))
        theirs = {visit.member_id for visit in visits}
        chosen = theirs & set(member_ids)
        if not chosen or chosen == theirs:
            raise InvalidInputError("choose some of this stranger's visits, but not all of them")
        new_id = derive_event_id("split", *sorted(chosen))
        await self._move_members(chosen, new_id)
        await self._database.run(lambda session: sql.split_off(session, chosen, new_id))
        await self._change(
            [StrangersApart(stranger_ids=(rules.root_of(stranger_id), new_id))], [], [*ids, new_id]
        )
        return new_id

    async def forget(self, stranger_ids: Collection[str]) -> None:
        """Forget strangers everywhere: vectors, faces, numbers, and what was said of them."""
        ids = set(stranger_ids)
        for store in self._stores.values():
            members = (await store.read()).members
            gone = [id_ for id_, member in members.items() if member and member.stranger_id in ids]
            if gone:
                await store.write(delete=gone)
        await self._database.run(lambda session: sql.forget(session, ids))
        await self._rules.refresh()
        orphaned = self._rules.ids(lambda rule: _is_about_strangers(rule, ids))
        if orphaned:
            await self._rules.write(delete=orphaned)
        await self.refresh()
        await self._names.announce_change()

    async def tell_inactive_soon(self) -> None:
        """Tell recognizers who must not be recognised; where Redis is away, :meth:`run` tells them later."""
        try:
            await self.refresh()
            await self._tell_inactive()
        except (RedisError, OSError) as error:
            log.warning("strangers.rules_not_told", error=type(error).__name__)

    async def rename(self, stranger_ids: Collection[str]) -> None:
        """Let the history of strangers say what they are called by now."""
        await self._names.announce_change()
        who = await self._names.read()
        await self._database.run(lambda session: sql.rename_history(session, who, stranger_ids))

    async def set_policy(self, keep_days: float) -> None:
        """Say for how long strangers are remembered; what is older is forgotten at once."""
        await self._rules.write([StrangerPolicy(keep_days=keep_days)])
        await self.refresh()
        await self.sweep()

    async def sweep(self) -> None:
        """Forget the strangers who were not seen for as long as they are remembered."""
        rules = await self.refresh()
        keep = timedelta(seconds=rules.stranger_policy.keep_days * DAY_SECONDS)
        before = datetime.now(UTC) - keep
        before_ns = int(before.timestamp() * 1e9)
        for store in self._stores.values():
            members = (await store.read()).members
            old = [id_ for id_, member in members.items() if member and member.seen_at_ns < before_ns]
            if old:
                await store.write(delete=old)
        gone = await self._database.run(lambda session: sql.expired(session, rules, before))
        await self._database.run(lambda session: sql.drop_old_visits(session, before))
        if gone:
            await self.forget(gone)
            log.info("strangers.expired", strangers=len(gone))

    async def _change(
        self, put: Sequence[Rule], delete: Sequence[str], stranger_ids: Collection[str]
    ) -> None:
        await self._rules.write(put, delete)
        await self.refresh()
        await self.rename(stranger_ids)

    async def _move_members(self, member_ids: Collection[str], stranger_id: str) -> None:
        for store in self._stores.values():
            members = (await store.read()).members
            moved = [
                msgspec.structs.replace(member, stranger_id=stranger_id)
                for member_id in member_ids
                if (member := members.get(member_id)) is not None
            ]
            if moved:
                await store.write(moved)

    async def _tell_inactive(self) -> None:
        """Let recognizers know who must not be recognised, also when Redis was away as it was said."""
        wanted = await self._database.run(_inactive_people)
        told = self._rules.known.inactive_people
        if wanted != told:
            await self._rules.write(
                [InactivePerson(person_id=person_id) for person_id in wanted - told],
                [rule_id(InactivePerson(person_id=person_id)) for person_id in told - wanted],
            )
            await self.refresh()


def _is_about_strangers(rule: Rule, stranger_ids: Collection[str]) -> bool:
    if isinstance(rule, StrangersJoined):
        return rule.stranger_id in stranger_ids or rule.into_stranger_id in stranger_ids
    return isinstance(rule, StrangersApart) and any(id_ in stranger_ids for id_ in rule.stranger_ids)


def _inactive_people(session: Session) -> frozenset[str]:
    return frozenset(session.scalars(select(Person.person_id).where(Person.active.is_(False))))
