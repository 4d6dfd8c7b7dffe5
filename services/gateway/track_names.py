"""A followed face is given a name, with its best recent views as templates, and loses it again.

What a person says counts as a result of the shots there were: it is merged like a recognizer's, so that the
live picture, the history and integrators hear of it, and the next shot is compared with the new templates.
"""

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog
from redis.asyncio import Redis
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, undefer

from mien.contracts.events import IdentityAnswer, IdentityDecided, derive_event_id
from mien.contracts.shared_state import TRACK_TTL_SECONDS, TrackShot, track_shots_key
from mien.contracts.topics import IDENTITIES
from mien.runtime.cameras import CameraDirectory
from mien.runtime.gallery import TemplateStore
from services.gateway.database import Database
from services.gateway.denials import Denials
from services.gateway.enrolment import EnrolmentRoad
from services.gateway.merge import TrackState, TrackStore
from services.gateway.names import Names
from services.gateway.people import NotFoundError, new_id, require_person
from services.gateway.pipeline import InvalidInputError, identity_guard
from services.gateway.publisher import Publisher
from services.gateway.tables import Person, Photo, Sighting, StrangerVisit

log = structlog.get_logger()

_SHOTS: Final = msgspec.msgpack.Decoder(list[TrackShot])
SAID_BY_PEOPLE: Final = "said-by-people"
"""Stands where other results name their model."""


class TrackNamed(msgspec.Struct, frozen=True, kw_only=True):
    """What naming a track changed, so that it can be taken back.

    Attributes:
        before: What was known of the track.
        is_new_person: Whether the person was added for it.
        denied: Whether the name that the track had was said to be wrong.
    """

    track_id: str
    person_id: str
    photo_ids: list[str]
    before: IdentityDecided | None = None
    is_new_person: bool = False
    denied: bool = False


_NAMED: Final = msgspec.msgpack.Decoder(TrackNamed)


class TrackNames:
    """Gives followed faces names, and takes them back."""

    def __init__(
        self,
        database: Database,
        redis: Redis,
        *,
        names: Names,
        denials: Denials,
        enrolment: EnrolmentRoad,
        publisher: Publisher,
        directory: CameraDirectory,
    ) -> None:
        self._database = database
        self._redis = redis
        self._tracks = TrackStore(redis)
        self._templates = TemplateStore(redis)
        self._names = names
        self._denials = denials
        self._enrolment = enrolment
        self._publisher = publisher
        self._directory = directory

    async def give(self, track_id: str, person: Person, *, is_new_person: bool) -> TrackNamed:
        """Say who a track is; its best views go down the enrolment road.

        Args:
            person: Somebody who is known, or a row to add.

        Raises:
            InvalidInputError: No view of the track is kept any more, or it has that name already.
            NotFoundError: There is no such person.
            TransientError: The database or the broker is away.
        """
        state = next(iter(await self._tracks.load([track_id])), None)
        before = state.identity if state else None
        earlier = await self._last_named(track_id)
        if earlier is not None and earlier.person_id != person.person_id:
            # Its views are no templates of whom it was taken for first.
            await self.take_back(track_id)
            before = earlier.before
        if before is not None and before.answer == "known" and before.person_id == person.person_id:
            raise InvalidInputError("this face has that name already")
        shots = await self._shots(track_id)
        if not shots:
            raise InvalidInputError(
                "no good view of this face is kept any more: name it while it is in view, or soon after"
            )
        camera_name = self._camera_name(track_id, state)
        photos = [_photo(shot, person.person_id, camera_name) for shot in shots]

        def write(session: Session) -> None:
            if is_new_person:
                session.add(person)
                session.flush()
            require_person(session, person.person_id)
            session.add_all(photos)

        await self._database.run(write)
        was_denied = before is not None and before.answer == "known" and before.person_id is not None
        named = TrackNamed(
            track_id=track_id,
            person_id=person.person_id,
            photo_ids=[photo.photo_id for photo in photos],
            before=before,
            is_new_person=is_new_person,
            denied=was_denied,
        )
        await self._redis.set(_named_key(track_id), msgspec.msgpack.encode(named), ex=TRACK_TTL_SECONDS)
        if was_denied and before is not None and before.person_id is not None:
            await self._denials.deny(track_id, before.person_id)
        await self._names.announce_change()
        self._enrolment.send_soon()
        await self._tell(track_id, state, person.person_id)
        return named

    async def take_back(self, track_id: str) -> TrackNamed:
        """Undo :meth:`give`: the views are deleted, and the track is called what it was.

        Raises:
            NotFoundError: Nobody named this track within the last hour.
            TransientError: The database or the broker is away.
        """
        named = await self._last_named(track_id)
        if named is None:
            raise NotFoundError(
                "nothing was said of this face within the last hour; its photos can be deleted one by one"
            )
        for photo_id in named.photo_ids:
            await self._templates.remove_photo(photo_id)
        if named.denied:
            # Somebody may have taken the denial back by itself already.
            with suppress(InvalidInputError):
                await self._denials.withdraw(track_id)
        state = next(iter(await self._tracks.load([track_id])), None)
        former = named.before.person_id if named.before and named.before.answer == "known" else None
        await self._tell(track_id, state, former, restored=named.before)

        def remove(session: Session) -> None:
            _rename(session, track_id, former, named.before.answer if named.before else "unclear")
            session.execute(delete(Photo).where(Photo.photo_id.in_(named.photo_ids)))
            rest = select(Photo.photo_id).where(Photo.person_id == named.person_id).limit(1)
            person = session.get(Person, named.person_id)
            if named.is_new_person and person is not None and session.scalar(rest) is None:
                session.delete(person)

        await self._database.run(remove)
        await self._redis.delete(_named_key(track_id))
        await self._names.announce_change()
        return named

    async def _last_named(self, track_id: str) -> TrackNamed | None:
        value = await self._redis.get(_named_key(track_id))
        return None if value is None else _NAMED.decode(value)

    async def _shots(self, track_id: str) -> list[TrackShot]:
        """Return the views that are kept of a track: recent ones, else the face of a stranger's visit."""
        value = await self._redis.get(track_shots_key(track_id))
        if value is not None:
            return _SHOTS.decode(value)
        visits = select(StrangerVisit).options(undefer(StrangerVisit.face_jpeg))
        chosen = visits.where(StrangerVisit.track_id == track_id).order_by(StrangerVisit.quality.desc())
        found = await self._database.run(lambda session: list(session.scalars(chosen.limit(1))))
        return [
            TrackShot(
                quality=visit.quality,
                captured_at_ns=int(visit.seen_at.timestamp() * 1e9),
                face_jpeg=visit.face_jpeg,
            )
            for visit in found
        ]

    async def _tell(
        self,
        track_id: str,
        state: TrackState | None,
        person_id: str | None,
        *,
        restored: IdentityDecided | None = None,
    ) -> None:
        """Let everybody hear what a track is called now; where its results have expired, the history."""
        camera_id = track_id.rsplit(":", 2)[0]
        camera = self._directory.get(camera_id)
        if state is None or camera is None:
            answer: IdentityAnswer = "known" if person_id else "unknown"
            await self._database.run(lambda session: _rename(session, track_id, person_id, answer))
            return
        current = state.identity
        shot_number, _, generation = identity_guard(current) if current else (1, 0, 0)
        said = restored or IdentityDecided(
            camera_id=camera_id,
            event_id="",
            captured_at_ns=0,
            track_id=track_id,
            shot_number=0,
            state="revised",
            answer="known" if person_id else "unknown",
            model=SAID_BY_PEOPLE,
            model_version=0,
            gallery_generation=0,
            person_id=person_id,
        )
        event = msgspec.structs.replace(
            said,
            event_id=derive_event_id(track_id, SAID_BY_PEOPLE, time.time_ns()),
            captured_at_ns=time.time_ns(),
            # Newer than what was said of the same shots; the next shot is newer still.
            shot_number=shot_number,
            model_version=current.model_version if current else 1,
            gallery_generation=max(generation + 1, time.time_ns() // 1_000_000),
        )
        await self._publisher.publish(IDENTITIES, event, partition=camera.partition)

    def _camera_name(self, track_id: str, state: TrackState | None) -> str:
        camera_id = state.camera_id if state and state.camera_id else track_id.rsplit(":", 2)[0]
        camera = self._directory.get(camera_id)
        return camera.name if camera else camera_id


def _photo(shot: TrackShot, person_id: str, camera_name: str) -> Photo:
    seen_at = datetime.fromtimestamp(shot.captured_at_ns / 1e9, UTC)
    return Photo(
        photo_id=new_id(),
        person_id=person_id,
        filename=f"{camera_name}, {seen_at:%Y-%m-%d %H:%M:%S}"[:255],
        status="pending",
        image_jpeg=shot.face_jpeg,
    )


def _rename(session: Session, track_id: str, person_id: str | None, answer: IdentityAnswer) -> None:
    sighting = session.get(Sighting, track_id)
    if sighting is not None:
        sighting.person_id, sighting.answer, sighting.similarity = person_id, answer, None


def _named_key(track_id: str) -> str:
    return f"mien:gateway:track-named:{track_id}"
