"""Who a track is: the recognizer's decisions, without any input or output."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from mien.contracts.events import FaceShot, IdentityAnswer, IdentityDecided, IdentityState, derive_event_id
from mien.contracts.models import Embedder
from mien.contracts.recognition import Calibration, limits_of
from mien.vision.similarity import Vector, encode_vector, unit, vector_of
from services.recognizer.classification import Decision, Opinion, combine
from services.recognizer.gallery import Gallery, Match

# One good view may be luck; two that agree are not.
_SHOTS_TO_CONFIRM = 2
_LEAST_WEIGHT = 0.01


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
        restarts: How often a shot showed somebody else, and the vote was begun anew.
        restarted: Whether the last shot was such a one.
        stranger_id: Whom of the strangers the track was counted to.
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
    restarts: int = 0
    restarted: bool = False
    stranger_id: str | None = None


@dataclass(frozen=True)
class Thresholds:
    """When a similarity is enough.

    Attributes:
        accept_similarity: From here on a face is somebody.
        reject_similarity: Below it nobody we know; between the two nothing can be said.
        margin: How much nearer than the second person the first must be.
        min_quality: Views worse than this can't say that somebody is a stranger, or somebody else.
        disagree_similarity: A shot less like the rest of its track than this shows somebody else.
        person_thresholds: Stricter than *accept_similarity*, by person id.
    """

    accept_similarity: float
    margin: float
    min_quality: float
    reject_similarity: float
    disagree_similarity: float = -1.0
    person_thresholds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def for_embedder(
        cls,
        spec: Embedder,
        *,
        accept_similarity: float | None,
        min_quality: float,
        calibration: Calibration | None = None,
    ) -> "Thresholds":
        """Take what the operator set, else what was calibrated on the gallery, else the embedder's own."""
        limits = limits_of(spec.name)
        accept, person_thresholds = spec.accept_similarity, {}
        if accept_similarity is not None:
            accept = accept_similarity
        elif calibration is not None:
            accept, person_thresholds = calibration.accept_similarity, calibration.person_thresholds
        return cls(
            accept_similarity=accept,
            margin=spec.margin,
            min_quality=min_quality,
            reject_similarity=accept - limits.unclear_width,
            disagree_similarity=limits.disagree_similarity,
            person_thresholds=person_thresholds,
        )

    def accept_for(self, person_id: str | None) -> float:
        """Return from where on a face is this person."""
        if person_id is None:
            return self.accept_similarity
        return max(self.person_thresholds.get(person_id, -1.0), self.accept_similarity)


def is_new(vote: Vote | None, shot: FaceShot, *, model: str, model_version: int) -> bool:
    """Whether a shot adds to a vote; a replayed one was decided and published before."""
    return (
        vote is None
        or shot.shot_number > vote.shot_number
        or (vote.model, vote.model_version) != (model, model_version)
    )


def add_shot(
    vote: Vote | None,
    shot: FaceShot,
    vector: Vector,
    *,
    model: str,
    model_version: int,
    thresholds: Thresholds,
) -> Vote:
    """Add a shot's unit vector, weighted by its quality, to the vote of its track.

    A vote of another model or version is begun anew: its vectors can't be added to this one's. So is one
    that the shot clearly disagrees with: the tracker may have gone over to somebody else, and nothing of
    the first may stick to the second.
    """
    if vote is None or (vote.model, vote.model_version) != (model, model_version):
        vote = Vote(model=model, model_version=model_version)
    restarted = disagrees(vote, shot, vector, thresholds)
    if restarted:
        vote = Vote(model=model, model_version=model_version, restarts=vote.restarts + 1)
    weight = max(shot.quality.score, _LEAST_WEIGHT)
    total = vector * weight
    if vote.vector_sum:
        total = total + vector_of(vote.vector_sum)
    return msgspec.structs.replace(
        vote,
        shot_number=shot.shot_number,
        vector_sum=encode_vector(total),
        weight=vote.weight + weight,
        best_quality=max(vote.best_quality, shot.quality.score),
        shots=vote.shots + 1,
        restarted=restarted,
    )


def disagrees(vote: Vote, shot: FaceShot, vector: Vector, thresholds: Thresholds) -> bool:
    """Whether a shot shows somebody else than the shots before it; poor views prove nothing."""
    if not vote.shots or min(vote.best_quality, shot.quality.score) < thresholds.min_quality:
        return False
    return float(vector @ unit(vector_of(vote.vector_sum))) < thresholds.disagree_similarity


def mean_vector(vote: Vote) -> Vector:
    """Return the mean of the vote's shots by quality, shape (dimensions,); shorter the less they agree.

    It is not brought to length 1: its product with a template is then the mean of the shots' similarities,
    on the scale the thresholds were chosen on. Of two LFW photos brought to length 1, the threshold for
    2.4 % of strangers named let 6.1 % through, and of three 8.0 %; as the mean, 1.3 % and 1.0 %.
    """
    return vector_of(vote.vector_sum) / max(vote.weight, _LEAST_WEIGHT)


def judge(match: Match, *, best_quality: float, thresholds: Thresholds) -> tuple[IdentityAnswer, str | None]:
    """Turn the nearest person into an answer: somebody, nobody we know, or not good enough to say."""
    clear_winner = match.similarity - match.runner_up_similarity >= thresholds.margin
    if match.person_id is not None and match.similarity >= thresholds.accept_for(match.person_id):
        return ("known", match.person_id) if clear_winner else ("unclear", None)
    if match.similarity >= thresholds.reject_similarity or best_quality < thresholds.min_quality:
        return "unclear", None
    return "unknown", None


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
    vector = mean_vector(vote)
    match = gallery.nearest(vector)
    answer, person_id = judge(match, best_quality=vote.best_quality, thresholds=thresholds)
    if opinion is not None:
        answer, person_id = combine(
            answer,
            person_id,
            opinion,
            decision=decision,
            accepted=[
                one
                for one, similarity in gallery.within(vector, thresholds.accept_similarity)
                if similarity >= thresholds.accept_for(one)
            ],
            enrolled=gallery.people,
        )
    changed = vote.answer is not None and (answer, person_id) != (vote.answer, vote.person_id)
    confirmed = answer != "unclear" and vote.shots >= _SHOTS_TO_CONFIRM and not changed
    state: IdentityState = "confirmed" if confirmed else "provisional"
    if vote.restarted or (changed and vote.confirmed):
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
        accept_similarity=(
            None if match.person_id is None else round(thresholds.accept_for(match.person_id), 2)
        ),
        model=vote.model,
        model_version=vote.model_version,
        gallery_generation=gallery.generation,
        classifier_version=None if opinion is None else opinion.version,
    )
    return noted, event


def is_strangers_visit(vote: Vote, gallery: Gallery, thresholds: Thresholds) -> bool:
    """Whether a track belongs to somebody worth remembering as a stranger.

    Two good views must agree that nobody we know is seen, and it must not be somebody who asked not to be
    recognised.
    """
    return (
        vote.answer == "unknown"
        and vote.confirmed
        and not gallery.resembles_inactive(mean_vector(vote), thresholds.accept_similarity)
    )


def member_id_of(track_id: str, vote: Vote) -> str:
    """Return the id of the visit that a vote stands for: a track that held several people has several."""
    return track_id if not vote.restarts else f"{track_id}/{vote.restarts}"
