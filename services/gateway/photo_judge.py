"""Says of every enrolled photo whom it looks like, and sets aside those that are under the wrong name."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Final

import structlog
from redis.exceptions import RedisError
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from mien.errors import TransientError
from mien.runtime.gallery import TemplateStore
from mien.runtime.service import Service
from services.gateway.database import Database, audit
from services.gateway.likeness import Judgement, KnownPhoto, judge_photos
from services.gateway.pause import wait_at_most
from services.gateway.tables import Photo
from services.gateway.thresholds import ThresholdDesk

log = structlog.get_logger()

BY_MIEN: Final = "mien"
"""Who is noted in the audit for what nobody asked for."""
_LOOK_AGAIN_SECONDS: Final = 30.0
_RETRY_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.5
"""What arrives together is judged together."""


class PhotoJudge:
    """Compares photos with each other whenever some have come, gone or changed hands.

    The database says what is to be judged (*likeness* is None), so that a restart forgets nothing; several
    gateways come to the same verdicts.
    """

    def __init__(self, database: Database, templates: TemplateStore, desk: ThresholdDesk) -> None:
        self._database = database
        self._templates = templates
        self._desk = desk
        self._wanted = asyncio.Event()

    def look_soon(self) -> None:
        """Say that there are photos to judge."""
        self._wanted.set()

    async def run(self, service: Service) -> None:
        """Judge what there is to judge, until cancelled."""
        while not service.stop.is_set():
            self._wanted.clear()
            try:
                await self.judge()
                service.health.resolve("photo_judge")
                pause = _LOOK_AGAIN_SECONDS
            except TransientError as error:
                service.health.report("photo_judge", f"photos wait to be compared with each other: {error}")
                pause = _RETRY_SECONDS
            await wait_at_most(self._wanted, pause)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def judge(self) -> int:
        """Judge the people whose photos wait for it; returns how many photos were set aside.

        Raises:
            TransientError: The database or Redis is away.
        """
        people = await self._database.run(_people_to_judge)
        if not people:
            return 0
        try:
            # Photos first: whatever is enrolled by now has its template in the gallery that is read next.
            photos = await self._database.run(_known_photos)
            gallery = await self._desk.gallery()
            judgements = await asyncio.to_thread(judge_photos, gallery, photos, people)
            aside = [one.photo_id for one in judgements if one.to_set_aside]
            for photo_id in aside:
                await self._templates.edit_photo(photo_id, set_aside=True)
        except (RedisError, OSError) as error:
            raise TransientError(f"Redis does not answer: {type(error).__name__}") from error
        await self._database.run(lambda session: _write_down(session, judgements, photos))
        if aside:
            log.info("photos.set_aside", photos=len(aside))
        return len(aside)


def judge_again(session: Session, *person_ids: str) -> None:
    """Have people's photos judged again, and those that were found to resemble them."""
    concerned = or_(Photo.person_id.in_(person_ids), Photo.other_person_id.in_(person_ids))
    session.execute(update(Photo).where(Photo.status == "enrolled", concerned).values(likeness=None))


def judge_everybody_again(session: Session) -> None:
    """Have all photos judged again, for the thresholds have changed."""
    session.execute(update(Photo).where(Photo.status == "enrolled").values(likeness=None))


def _people_to_judge(session: Session) -> set[str]:
    waiting = select(Photo.person_id).where(Photo.status == "enrolled", Photo.likeness.is_(None))
    return set(session.scalars(waiting.distinct()))


def _known_photos(session: Session) -> dict[str, KnownPhoto]:
    columns = select(Photo.photo_id, Photo.created_at, Photo.use_anyway).where(Photo.status == "enrolled")
    return {
        photo_id: KnownPhoto(created_at.timestamp(), use_anyway)
        for photo_id, created_at, use_anyway in session.execute(columns)
    }


def _write_down(session: Session, judgements: Sequence[Judgement], known: Collection[str]) -> None:
    for one in judgements:
        photo = session.get(Photo, one.photo_id)
        if photo is None or photo.person_id != one.person_id:
            continue  # deleted or moved meanwhile; whoever did that has it judged again
        photo.likeness = one.verdict
        photo.own_similarity, photo.other_similarity = one.own_similarity, one.other_similarity
        photo.other_person_id, photo.duplicate_of = one.other_person_id, one.duplicate_of
        if one.to_set_aside and not photo.use_anyway:
            photo.set_aside, photo.set_aside_reason = True, one.verdict
            audit(session, actor=BY_MIEN, address="", action="photo.set_aside", subject=one.photo_id)
    # What waits still has no template of the embedder in use, or a newer template than those compared.
    waiting = select(Photo).where(Photo.status == "enrolled", Photo.likeness.is_(None))
    for photo in session.scalars(waiting):
        if photo.photo_id in known:
            photo.likeness = "alone"
