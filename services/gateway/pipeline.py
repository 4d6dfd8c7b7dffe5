"""The gateway's decisions, without input or output: addresses, merging, what a viewer may see."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mien.contracts.cameras import Camera
from mien.contracts.events import (
    EmotionEstimated,
    IdentityAnswer,
    IdentityDecided,
    TirednessAnswer,
    TirednessEstimated,
)
from mien.contracts.live import LiveEmotion, LiveFace, LiveFrame, LiveTiredness
from mien.contracts.readings import emotion_allowed, tiredness_allowed
from mien.contracts.shared_state import Preview, TrackResult
from mien.errors import PermanentError
from services.gateway.who import WhoIsWho

_MAX_SLUG: Final = 48
Guard = tuple[int, int, int]


class InvalidInputError(PermanentError):
    """What somebody asked for can't be; the message says why, in words for people."""


def slug_of(name: str, *, taken: frozenset[str] = frozenset()) -> str:
    """Make a camera id from a name, another one than those *taken*: ``Vordertür 2`` → ``vordertur-2``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: _MAX_SLUG - 4].strip("-") or "camera"
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    return slug


def identity_guard(event: IdentityDecided) -> Guard:
    """Order identity results of a track: more shots, then a newer model, then a newer gallery."""
    return (event.shot_number, event.model_version, event.gallery_generation)


def reading_guard(event: EmotionEstimated | TirednessEstimated) -> Guard:
    """Order emotion, or tiredness, results of a track: more shots, then a newer model."""
    return (event.shot_number, event.model_version, 0)


def merge_results(old: TrackResult | None, new: TrackResult) -> TrackResult:
    """Return what is known of a track after hearing *new*, in whatever order the two come."""
    if old is None:
        return new
    identity, emotion, tiredness = old.identity, old.emotion, old.tiredness
    if new.identity and (identity is None or identity_guard(new.identity) > identity_guard(identity)):
        identity = new.identity
    if new.emotion and (emotion is None or reading_guard(new.emotion) > reading_guard(emotion)):
        emotion = new.emotion
    if new.tiredness and (tiredness is None or reading_guard(new.tiredness) > reading_guard(tiredness)):
        tiredness = new.tiredness
    return TrackResult(
        camera_id=new.camera_id,
        track_id=new.track_id,
        identity=identity,
        emotion=emotion,
        tiredness=tiredness,
    )


@dataclass(frozen=True)
class Identity:
    """Who somebody is, as far as this may be said now.

    Attributes:
        stranger_id: Who of the strangers; also where that one has been given a name since.
        ignored: Whether it is somebody who is left out of history and alerts.
    """

    answer: IdentityAnswer
    person_id: str | None = None
    similarity: float | None = None
    accept_similarity: float | None = None
    stranger_id: str | None = None
    ignored: bool = False


def identity_now(decided: IdentityDecided | None, who: WhoIsWho, camera: Camera | None) -> Identity | None:
    """Return what may be said of a track now: a forgotten person is unknown, whoever was asked before.

    A stranger who has been given a name since is that person; a name that was said to be wrong is none.

    Args:
        who: Who is called what now.
        camera: As the registry has it now; None when it was removed.
    """
    if decided is None or camera is None or camera.identity_policy == "off":
        return None
    stranger = who.strangers.get(decided.stranger_id) if decided.stranger_id else None
    person_id = stranger.person_id if stranger else decided.person_id
    if person_id is not None and person_id in who.people and who.denials.get(decided.track_id) != person_id:
        # What a stranger resembled says nothing of the person they turned out to be.
        similarities = (None, None) if stranger else (decided.similarity, decided.accept_similarity)
        ignored = person_id in who.ignored_people
        return Identity("known", person_id, *similarities, decided.stranger_id, ignored)
    if person_id is not None or decided.answer == "known":
        return Identity("unknown")
    return Identity(
        decided.answer,
        None,
        decided.similarity,
        decided.accept_similarity,
        decided.stranger_id,
        stranger is not None and stranger.ignored,
    )


def emotions_allowed(camera: Camera | None) -> bool:
    """Whether an emotion may be told of a single face; an aggregate policy allows only sums."""
    return camera is not None and camera.emotion_policy == "per_person" and emotion_allowed(camera)


def tiredness_told(estimate: TirednessEstimated | None, camera: Camera | None) -> TirednessAnswer | None:
    """Return what history says of a track: tired if it ever was; None where nothing may be told."""
    if estimate is None or not tiredness_allowed(camera):
        return None
    return "tired" if estimate.was_tired else estimate.answer


def live_face(
    preview: Preview,
    index: int,
    result: TrackResult | None,
    *,
    who: WhoIsWho,
    camera: Camera | None,
) -> LiveFace:
    """Join a box of a frame with what is known of its track."""
    decided = result.identity if result else None
    identity = identity_now(decided, who, camera)
    stranger = who.strangers.get(identity.stranger_id) if identity and identity.stranger_id else None
    emotion = result.emotion if result and emotions_allowed(camera) else None
    tiredness = result.tiredness if result and tiredness_allowed(camera) else None
    person_id = identity.person_id if identity else None
    return LiveFace(
        track_id=preview.track_ids[index],
        box_xyxy=preview.boxes_xyxy[index],
        score=preview.scores[index],
        answer=identity.answer if identity else None,
        state=decided.state if identity and decided else None,
        person_id=person_id,
        person_name=who.people.get(person_id) if person_id else None,
        similarity=identity.similarity if identity else None,
        stranger_id=stranger.root_id if stranger and not person_id else None,
        stranger_label=stranger.label if stranger and not person_id else None,
        ignored=identity.ignored if identity else False,
        emotion=LiveEmotion(label=emotion.label, probabilities=emotion.probabilities) if emotion else None,
        tiredness=_live_tiredness(tiredness) if tiredness else None,
    )


def _live_tiredness(estimate: TirednessEstimated) -> LiveTiredness:
    return LiveTiredness(
        answer=estimate.answer,
        reason=estimate.reason,
        perclos=estimate.perclos,
        yawns=estimate.yawns,
        watched_seconds=estimate.watched_seconds,
    )


def live_frame(
    preview: Preview,
    results: Mapping[str, TrackResult],
    *,
    who: WhoIsWho,
    camera: Camera | None,
    now_ns: int,
) -> LiveFrame:
    """Join all boxes of a frame with what is known of their tracks."""
    return LiveFrame(
        camera_id=preview.camera_id,
        frame_id=preview.frame_id,
        captured_at_ns=preview.captured_at_ns,
        detected_at_ns=preview.detected_at_ns,
        sent_at_ns=now_ns,
        size_wh=preview.size_wh,
        faces=[
            live_face(preview, index, results.get(track_id), who=who, camera=camera)
            for index, track_id in enumerate(preview.track_ids)
        ],
    )


def emotion_shares(counts: Mapping[str, int], camera: Camera | None) -> dict[str, float] | None:
    """Return how much of a track's estimates each label got; None where that may not be told or is not."""
    total = sum(counts.values())
    if not total or not emotions_allowed(camera):
        return None
    return {label: round(count / total, 3) for label, count in sorted(counts.items())}
