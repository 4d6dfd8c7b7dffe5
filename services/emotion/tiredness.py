"""Whether somebody looks tired: how long their eyes are closed, and how often they yawn. No I/O.

PERCLOS is the share of a minute in which the eyes are closed (Wierwille et al., "Research on vehicle-based
driver status/performance monitoring", 1994; Dinges and Grace, "PERCLOS: a valid psychophysiological measure
of alertness", FHWA-MCRT-98-006, 1998). They count an eye as closed when the lid covers 80 % of the pupil. A
camera's picture does not show so small a rest, so here an eye is closed when it is nearer to shut than to
open. A blink lasts 0.1 to 0.4 s and there are some 15 a minute, so somebody awake has 3 to 10 %.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from mien.contracts.events import (
    FaceShot,
    NotEnoughReason,
    TirednessAnswer,
    TirednessEstimated,
    derive_event_id,
)
from mien.vision.eyes import CLOSED_OPENNESS, YAWN_OPENNESS
from services.emotion.gate import ViewFault

WINDOW_SECONDS: Final = 60
YAWN_WINDOW_SECONDS: Final = 300
STATE_TTL_SECONDS: Final = YAWN_WINDOW_SECONDS
_PUBLISH_SECONDS: Final = 2.0
_STILL_TIRED: Final = 0.6
"""Who was tired is awake again below this share of the limit."""
_FAULTS: Final[tuple[ViewFault, ...]] = ("eyes_too_small", "turned_away", "unclear")


@dataclass(frozen=True)
class TirednessRules:
    """From when on somebody looks tired.

    Attributes:
        closed_openness: An eye that is open less than this is closed.
        yawn_openness: A mouth that is open this far, for *yawn_seconds* without a break, yawns. Laughing
            and talking open it as far for moments only.
        yawn_apart_seconds: A mouth that opens again sooner still yawns the same yawn.
        yawn_probability: So does one whose face the emotion network calls tired with this probability.
        tired_perclos: Tired from here on.
        min_watched_seconds: The eyes must have been seen in so many seconds of the last minute,
        min_views: and in so many views.
    """

    closed_openness: float = CLOSED_OPENNESS
    yawn_openness: float = YAWN_OPENNESS
    yawn_seconds: float = 2.0
    yawn_apart_seconds: float = 5.0
    yawn_probability: float = 0.5
    tired_perclos: float = 0.15
    tired_yawns: int = 3
    min_watched_seconds: int = 20
    min_views: int = 30


@dataclass(frozen=True)
class FaceOpenness:
    """What one view shows.

    Attributes:
        eyes: Mean of both eyes, as ``mien.vision.eyes.eye_openness``.
        mouth: As ``mien.vision.eyes.mouth_openness``.
        tired_probability: What the emotion network says; 0 where it was not asked.
    """

    eyes: float
    mouth: float
    tired_probability: float = 0.0


class Second(msgspec.Struct, frozen=True, array_like=True):
    """What was seen within one second: views of the eyes, closed ones among them, and views without use."""

    second: int
    seen: int = 0
    closed: int = 0
    faults: tuple[int, int, int] = (0, 0, 0)


class TirednessState(msgspec.Struct, frozen=True, kw_only=True):
    """What a track's shots have shown so far. Lives in Redis, so that another worker can go on.

    Attributes:
        seconds: The last minute, the oldest first; at most one entry a second.
        yawned_at_ns: When each yawn of the last minutes was long enough to be one.
        mouth_open_since_ns: When the mouth opened wide; None while it is not.
        published_at_ns: When the answer was last told.
    """

    shot_number: int
    captured_at_ns: int
    seconds: list[Second] = []
    yawned_at_ns: list[int] = []
    mouth_open_since_ns: int | None = None
    answer: TirednessAnswer = "not_enough"
    reason: NotEnoughReason | None = "too_short"
    was_tired: bool = False
    published_at_ns: int = 0

    @property
    def views(self) -> int:
        """Views of the eyes within the last minute."""
        return sum(second.seen for second in self.seconds)

    @property
    def watched_seconds(self) -> int:
        """Seconds of the last minute in which the eyes were seen."""
        return sum(second.seen > 0 for second in self.seconds)

    @property
    def perclos(self) -> float:
        """Share of the views with closed eyes; 0 without any."""
        return sum(second.closed for second in self.seconds) / max(self.views, 1)


def observe(
    state: TirednessState | None, shot: FaceShot, seen: FaceOpenness | ViewFault, rules: TirednessRules
) -> TirednessState:
    """Take in what a shot shows, or why it shows nothing, and decide anew."""
    now_ns = shot.captured_at_ns
    before = state or TirednessState(shot_number=0, captured_at_ns=now_ns)
    yawned, open_since_ns = _yawns(before, now_ns, seen, rules)
    after = msgspec.structs.replace(
        before,
        shot_number=shot.shot_number,
        captured_at_ns=now_ns,
        seconds=_seconds(before.seconds, now_ns, seen, rules),
        yawned_at_ns=yawned,
        mouth_open_since_ns=open_since_ns,
    )
    answer, reason = _decide(after, rules)
    was_tired = before.was_tired or answer == "tired"
    return msgspec.structs.replace(after, answer=answer, reason=reason, was_tired=was_tired)


def is_news(before: TirednessState | None, after: TirednessState) -> bool:
    """Whether a new state is worth telling: another answer, a yawn, or some time has passed."""
    if before is None or (after.captured_at_ns - before.published_at_ns) / 1e9 >= _PUBLISH_SECONDS:
        return True
    return (before.answer, before.reason, before.yawned_at_ns) != (
        after.answer,
        after.reason,
        after.yawned_at_ns,
    )


def estimated(state: TirednessState, shot: FaceShot, *, model: str, model_version: int) -> TirednessEstimated:
    """Return the event that tells a track's tiredness."""
    return TirednessEstimated(
        camera_id=shot.camera_id,
        event_id=derive_event_id(shot.track_id, shot.shot_number, "tiredness", model, model_version),
        captured_at_ns=shot.captured_at_ns,
        trace=shot.trace,
        track_id=shot.track_id,
        shot_number=shot.shot_number,
        answer=state.answer,
        reason=state.reason,
        perclos=None if state.answer == "not_enough" else round(state.perclos, 3),
        yawns=len(state.yawned_at_ns),
        watched_seconds=state.watched_seconds,
        model=model,
        model_version=model_version,
        was_tired=state.was_tired,
    )


def _seconds(
    seconds: list[Second], now_ns: int, seen: FaceOpenness | ViewFault, rules: TirednessRules
) -> list[Second]:
    now = now_ns // 1_000_000_000
    kept = [second for second in seconds if now - WINDOW_SECONDS < second.second <= now]
    last = kept.pop() if kept and kept[-1].second == now else Second(now)
    if isinstance(seen, FaceOpenness):
        closed = last.closed + (seen.eyes < rules.closed_openness)
        return [*kept, msgspec.structs.replace(last, seen=last.seen + 1, closed=closed)]
    small, turned, unclear = (
        count + (fault == seen) for count, fault in zip(last.faults, _FAULTS, strict=True)
    )
    return [*kept, msgspec.structs.replace(last, faults=(small, turned, unclear))]


def _yawns(
    state: TirednessState, now_ns: int, seen: FaceOpenness | ViewFault, rules: TirednessRules
) -> tuple[list[int], int | None]:
    """Return when there were yawns, and since when the mouth is open wide now."""
    yawned = [at_ns for at_ns in state.yawned_at_ns if now_ns - at_ns < YAWN_WINDOW_SECONDS * 1e9]
    if not isinstance(seen, FaceOpenness):
        return yawned, state.mouth_open_since_ns
    is_wide = seen.mouth >= rules.yawn_openness or seen.tired_probability >= rules.yawn_probability
    # A head that turned away, or a gap, may hide that the mouth was shut meanwhile.
    is_gap = now_ns - state.captured_at_ns > 1_000_000_000
    if not is_wide:
        return yawned, None
    since_ns = state.mouth_open_since_ns
    if since_ns is None or is_gap:
        return yawned, now_ns
    is_long = now_ns - since_ns >= rules.yawn_seconds * 1e9
    is_same = any(at_ns >= since_ns - rules.yawn_apart_seconds * 1e9 for at_ns in yawned)
    if is_long and not is_same:
        yawned.append(now_ns)
    return yawned, since_ns


def _decide(state: TirednessState, rules: TirednessRules) -> tuple[TirednessAnswer, NotEnoughReason | None]:
    if len(state.yawned_at_ns) >= rules.tired_yawns:
        return "tired", None
    if state.watched_seconds < rules.min_watched_seconds or state.views < rules.min_views:
        return "not_enough", _why_not_enough(state)
    limit = rules.tired_perclos * (_STILL_TIRED if state.answer == "tired" else 1)
    return ("tired" if state.perclos >= limit else "awake"), None


def _why_not_enough(state: TirednessState) -> NotEnoughReason:
    totals = [sum(counts) for counts in zip(*(second.faults for second in state.seconds), strict=True)]
    if sum(totals) <= state.views:
        return "too_short"
    return _FAULTS[totals.index(max(totals))]
