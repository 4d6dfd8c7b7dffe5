"""Who a track is: the recognizer's decisions, without any input or output."""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.contracts.events import FaceShot, IdentityAnswer, IdentityDecided, IdentityState, derive_event_id
from mien.contracts.models import Embedder
from services.recognizer.classification import Decision, Opinion, combine
from services.recognizer.gallery import Gallery, Match

# One good view may be luck; two that agree are not.
_SHOTS_TO_CONFIRM = 2


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """What a track's shots have said so far. Lives in Redis, so that another recognizer can go on.

    Attributes:
        shot_number: The last shot that counts; earlier ones are repetitions.
        vector_sum: float32 little-endian, the shots' unit vectors weighted by their quality.
        weight: Sum of those weights.
        best_quality: Of the best shot.
        shots: How many shots count.
        answer: What was said last, with *person_id*; None before the first answer.
        confirmed: Whether it was said with confidence.
    """

    model: str
    model_version: int
    shot_number: int = 0
    vector_sum: bytes = b""
    weight: float = 0.0
    best_quality: float = 0.0
    shots: int = 0
    answer: IdentityAnswer | None = None
    person_id: str | None = None
    confirmed: bool = False


@dataclass(frozen=True)
class Thresholds:
    """When a similarity is enough.

    Attributes:
        accept_similarity: From here on a face is somebody.
        margin: How much nearer than the second person the first must be.
        min_quality: Views worse than this can't say that somebody is a stranger.
    """

    accept_similarity: float
    margin: float
    min_quality: float

    @classmethod
    def for_embedder(
        cls, spec: Embedder, *, accept_similarity: float | None, min_quality: float
    ) -> "Thresholds":
        """Take the embedder's own thresholds where none are given."""
        accept = spec.accept_similarity if accept_similarity is None else accept_similarity
        return cls(accept, spec.margin, min_quality)


def is_new(vote: Vote | None, shot: FaceShot, *, model: str, model_version: int) -> bool:
    """Whether a shot adds to a vote; a replayed one was decided and published before."""
    return (
        vote is None
        or shot.shot_number > vote.shot_number
        or (vote.model, vote.model_version) != (model, model_version)
    )


def add_shot(
    vote: Vote | None, shot: FaceShot, vector: NDArray[np.float32], *, model: str, model_version: int
) -> Vote:
    """Add a shot's unit vector, weighted by its quality, to the vote of its track.

    A vote of another model or version is begun anew: its vectors can't be added to this one's.
    """
    if vote is None or (vote.model, vote.model_version) != (model, model_version):
        vote = Vote(model=model, model_version=model_version)
    weight = max(shot.quality.score, 0.01)
    total = vector * weight
    if vote.vector_sum:
        total = total + np.frombuffer(vote.vector_sum, dtype="<f4")
    return msgspec.structs.replace(
        vote,
        shot_number=shot.shot_number,
        vector_sum=total.astype("<f4").tobytes(),
        weight=vote.weight + weight,
        best_quality=max(vote.best_quality, shot.quality.score),
        shots=vote.shots + 1,
    )


def mean_vector(vote: Vote) -> NDArray[np.float32]:
    """Return the unit vector that the vote's shots point to on average."""
    total = np.frombuffer(vote.vector_sum, dtype="<f4")
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), dtype=np.float32)


def judge(match: Match, *, best_quality: float, thresholds: Thresholds) -> tuple[IdentityAnswer, str | None]:
    """Turn the nearest person into an answer: somebody, nobody we know, or not good enough to say."""
    near_enough = match.similarity >= thresholds.accept_similarity
    clear_winner = match.similarity - match.runner_up_similarity >= thresholds.margin
    if match.person_id is not None and near_enough:
        return ("known", match.person_id) if clear_winner else ("unclear", None)
    return ("unclear", None) if best_quality < thresholds.min_quality else ("unknown", None)


def decide(
    vote: Vote,
    shot: FaceShot,
    gallery: Gallery,
    thresholds: Thresholds,
    *,
    decision: Decision = "gallery",
    opinion: Opinion | None = None,
) -> tuple[Vote, IdentityDecided]:
    """Decide who a track is from all of its shots; returns the vote with that answer noted, and the event.

    Args:
        opinion: The classifier's on the track's mean vector; None when it was not or can't be asked.
    """
    match = gallery.nearest(mean_vector(vote))
    answer, person_id = judge(match, best_quality=vote.best_quality, thresholds=thresholds)
    if opinion is not None:
        answer, person_id = combine(
            answer,
            person_id,
            opinion,
            decision=decision,
            accepted=gallery.accepted(mean_vector(vote), thresholds.accept_similarity),
            enrolled=gallery.people,
        )
    changed = vote.answer is not None and (answer, person_id) != (vote.answer, vote.person_id)
    confirmed = answer != "unclear" and vote.shots >= _SHOTS_TO_CONFIRM and not changed
    state: IdentityState = "confirmed" if confirmed else "provisional"
    if changed and vote.confirmed:
        state = "revised"
    noted = msgspec.structs.replace(vote, answer=answer, person_id=person_id, confirmed=confirmed)
    event = IdentityDecided(
        camera_id=shot.camera_id,
        event_id=derive_event_id(shot.track_id, shot.shot_number, "identity", vote.model, vote.model_version),
        captured_at_ns=shot.captured_at_ns,
        trace=shot.trace,
        track_id=shot.track_id,
        shot_number=shot.shot_number,
        state=state,
        answer=answer,
        person_id=person_id,
        similarity=None if match.person_id is None else round(match.similarity, 2),
        model=vote.model,
        model_version=vote.model_version,
        gallery_generation=gallery.generation,
        classifier_version=None if opinion is None else opinion.version,
    )
    return noted, event
