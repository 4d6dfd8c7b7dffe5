"""Remembering strangers: counts a track to somebody seen before, or to somebody new."""

from typing import Final

import structlog

from mien.contracts.events import FaceShot, derive_event_id
from mien.contracts.recognition import DAY_SECONDS, StrangerMember, StrangersJoined, limits_of
from mien.errors import TransientError
from mien.runtime import metrics
from mien.vision.similarity import encode_vector, unit
from services.recognizer.clustering import superfluous
from services.recognizer.knowledge import Knowledge
from services.recognizer.pipeline import Vote, mean_vector, member_id_of

log = structlog.get_logger()

_ATTEMPTS: Final = 20
_SECOND_NS: Final = 1_000_000_000


class StrangerBook:
    """Writes visits so that all recognizers agree on who is who.

    A visit is written only if nobody has written another since this recognizer last looked; else it looks
    again first. So two recognizers that meet the same new stranger in the same moment find one, not two.
    """

    def __init__(self, knowledge: Knowledge, embedder: str) -> None:
        self._knowledge = knowledge
        self._limits = limits_of(embedder)

    @property
    def is_open(self) -> bool:
        """Whether strangers are remembered at all."""
        return self._knowledge.rules.stranger_policy.keep_days > 0

    async def count(self, shot: FaceShot, vote: Vote) -> str:
        """Count a track to a stranger, or what it looks like by now; returns the stranger's id.

        Raises:
            TransientError: Others wrote so often meanwhile that it never came to it.
        """
        for _ in range(_ATTEMPTS):
            member = self._member_of(shot, vote)
            if await self._write(member):
                await self._join_twins(member)
                return self._knowledge.rules.root_of(member.stranger_id)
            await self._knowledge.refresh_strangers()
        raise TransientError("too many recognizers write of strangers at once")

    async def withdraw(self, member_id: str) -> None:
        """Take a visit back, for the face is somebody's who is known."""
        if member_id in self._knowledge.strangers.members:
            await self._knowledge.stranger_store.write(delete=[member_id])
            self._knowledge.strangers.remove(member_id)

    def _member_of(self, shot: FaceShot, vote: Vote) -> StrangerMember:
        member_id, vector = member_id_of(shot.track_id, vote), unit(mean_vector(vote))
        before = self._knowledge.strangers.members.get(member_id)
        if before is not None:
            stranger_id = before.stranger_id
        else:
            match = self._knowledge.strangers.nearest(vector)
            is_back = match is not None and match.similarity >= self._limits.stranger_similarity
            stranger_id = match.stranger_id if match and is_back else derive_event_id("stranger", member_id)
            metrics.STRANGER_VISITS.labels("back" if is_back else "new").inc()
        return StrangerMember(
            member_id=member_id,
            stranger_id=stranger_id,
            camera_id=shot.camera_id,
            model=vote.model,
            model_version=vote.model_version,
            vector=encode_vector(vector),
            quality=vote.best_quality,
            seen_at_ns=shot.captured_at_ns,
        )

    async def _write(self, member: StrangerMember) -> bool:
        keep_days = self._knowledge.rules.stranger_policy.keep_days
        oldest_ns = member.seen_at_ns - int(keep_days * DAY_SECONDS) * _SECOND_NS
        others = [
            one
            for one in self._knowledge.strangers.members_of(member.stranger_id)
            if one.member_id != member.member_id
        ]
        expired = [one.member_id for one in others if one.seen_at_ns < oldest_ns]
        dropped = sorted({*expired, *superfluous([*others, member])} - {member.member_id})
        written = await self._knowledge.stranger_store.write(
            [member],
            dropped,
            keep_days=keep_days,
            expected_generation=self._knowledge.strangers_generation,
        )
        if written:
            await self._knowledge.refresh_strangers()
        return written

    async def _join_twins(self, member: StrangerMember) -> None:
        """Join the member's stranger with another who by now looks the same, the younger into the older."""
        twin = self._knowledge.strangers.twin_of(member.stranger_id, similarity=self._limits.twin_similarity)
        if twin is None:
            return
        older, younger = self._knowledge.strangers.older_of(member.stranger_id, twin)
        joined = await self._knowledge.rule_store.write(
            [StrangersJoined(stranger_id=younger, into_stranger_id=older)],
            expected_generation=self._knowledge.rules.generation,
        )
        # Where somebody else was first, the next shot of either looks again.
        if joined:
            await self._knowledge.refresh_strangers()
            log.info("strangers.joined", stranger_id=younger, into=older)
