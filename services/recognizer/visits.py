"""Telling of strangers: which track is whose visit, with the view that was best, and when it was nobody's."""

import msgspec
from aiokafka import AIOKafkaProducer

from mien.contracts.events import FaceShot, IdentityDecided, StrangerSeen, StrangerWithdrawn, derive_event_id
from mien.contracts.topics import STRANGERS
from mien.runtime.bus import publish
from mien.runtime.event_loop import Received
from services.recognizer.knowledge import Knowledge
from services.recognizer.pipeline import Vote, is_strangers_visit, member_id_of
from services.recognizer.strangers import StrangerBook


class StrangerVisits:
    """Counts unknown tracks to strangers and publishes whose they are."""

    def __init__(self, knowledge: Knowledge, embedder: str, producer: AIOKafkaProducer) -> None:
        self._knowledge = knowledge
        self._strangers = StrangerBook(knowledge, embedder)
        self._producer = producer

    async def note(
        self, one: Received[FaceShot], vote: Vote, decided: IdentityDecided
    ) -> tuple[Vote, IdentityDecided]:
        """Count an unknown track to a stranger, or take it back from one when its face got a name."""
        if decided.answer == "known" and vote.stranger_id is not None:
            await self._withdraw(one, vote, vote.stranger_id)
            return msgspec.structs.replace(vote, stranger_id=None), decided
        if decided.answer != "unknown" or not self._strangers.is_open:
            return vote, decided
        if vote.stranger_id is None and not is_strangers_visit(
            vote, self._knowledge.gallery, self._knowledge.thresholds
        ):
            return vote, decided
        stranger_id = await self._strangers.count(one.event, vote)
        if vote.stranger_id is None or one.event.quality.score >= vote.best_quality:
            await self._show(one, vote, stranger_id)
        return (
            msgspec.structs.replace(vote, stranger_id=stranger_id),
            msgspec.structs.replace(decided, stranger_id=stranger_id),
        )

    async def _show(self, one: Received[FaceShot], vote: Vote, stranger_id: str) -> None:
        shot, member_id = one.event, member_id_of(one.event.track_id, vote)
        seen = StrangerSeen(
            camera_id=shot.camera_id,
            event_id=derive_event_id(member_id, shot.shot_number, "stranger"),
            captured_at_ns=shot.captured_at_ns,
            trace=shot.trace,
            member_id=member_id,
            track_id=shot.track_id,
            stranger_id=stranger_id,
            quality=round(shot.quality.score, 3),
            face_jpeg=shot.crop_jpeg,
        )
        await publish(self._producer, STRANGERS, seen, partition=one.partition)

    async def _withdraw(self, one: Received[FaceShot], vote: Vote, stranger_id: str) -> None:
        shot, member_id = one.event, member_id_of(one.event.track_id, vote)
        withdrawn = StrangerWithdrawn(
            camera_id=shot.camera_id,
            event_id=derive_event_id(member_id, shot.shot_number, "withdrawn"),
            captured_at_ns=shot.captured_at_ns,
            trace=shot.trace,
            member_id=member_id,
            stranger_id=stranger_id,
        )
        await publish(self._producer, STRANGERS, withdrawn, partition=one.partition)
        await self._strangers.withdraw(member_id)
