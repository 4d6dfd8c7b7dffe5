"""Which views of a track are worth sending on: the best for identity, a steady sample for emotion.

Who it is is asked again now and then, less and less often of a face that stays where it is, and at once when
the tracker is in doubt whether it still follows the same person.

A best shot has its eyes open and its mouth shut, which is what emotion must not be judged by; so emotion is
sampled by time, whatever the view looks like; where tiredness is read, more often, for an eye is closed for
moments only. The limits follow what Frigate found in use: its face
recognition stops asking after 6 attempts at a known face (``MAX_FACES_ATTEMPTS_AFTER_REC``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

# A main stream that isn't decoded yet shows its first picture about a second after it is asked to.
_FORESIGHT_SECONDS = 1.0

Purpose = Literal["identity", "emotion"]
SkipReason = Literal["poor_view", "no_better_view", "enough_shots", "sampled_lately", "unmoved"]
"""Not good enough; not clearly better than what was sent; the limit is reached; too soon after the last; it
would have been asked about again, had it moved."""


@dataclass(frozen=True)
class ShotSettings:
    """How many shots a track sends, and how good they must be.

    Attributes:
        min_identity_quality: Views worse than this are not sent for identity.
        min_emotion_quality: The same for emotion.
        voting_shots: Taken as soon as the view is usable, so that a vote has something to count.
        voting_interval_seconds: Least time between those: neighbouring frames say the same.
        identity_shots: Most shots for identity, but for verifying again.
        better_by: How much better than the best so far a view must be, once the vote is cast.
        doubt_interval_seconds: Least time between shots that are taken because of a doubt.
        verify_seconds: A track is asked about again after this, for as long as it lasts.
        verify_most_seconds: While it stays where it is this time doubles up to here.
        emotion_interval_seconds: Time between emotion shots while a track is young.
        emotion_slow_interval_seconds: And once it has sent *emotion_young_shots*.
        tiredness_interval_seconds: The same at any age where tiredness is read, and of every view: one
            without use tells why there is not enough.
    """

    min_identity_quality: float = 0.08
    min_emotion_quality: float = 0.1
    voting_shots: int = 3
    voting_interval_seconds: float = 0.4
    identity_shots: int = 6
    better_by: float = 0.1
    doubt_interval_seconds: float = 0.4
    verify_seconds: float = 10.0
    verify_most_seconds: float = 80.0
    emotion_interval_seconds: float = 0.5
    emotion_slow_interval_seconds: float = 1.0
    emotion_young_shots: int = 6
    tiredness_interval_seconds: float = 0.25


@dataclass(frozen=True)
class View:
    """A track's face in one frame.

    Attributes:
        quality: 0 to 1.
        box_xyxy: Shape (4,).
        is_doubtful: The tracker doubts that it is still the same person.
    """

    quality: float
    box_xyxy: NDArray[np.float32]
    is_doubtful: bool = False


@dataclass(frozen=True)
class Choice:
    """What a view is taken for, with the shot's number (from 1 per purpose), and why not for the rest."""

    numbers: dict[Purpose, int]
    skipped: list[SkipReason]


@dataclass
class ShotPlan:
    """What one track has sent so far, and what it wants to send next."""

    settings: ShotSettings
    identity_shots: int = 0
    emotion_shots: int = 0
    _round_shots: int = 0
    """Shots for identity since the track began, or was last in doubt: the vote may have begun again."""
    _best_quality: float = 0.0
    _identity_at_ns: int = 0
    _identity_box: NDArray[np.float32] | None = None
    _verify_seconds: float = 0.0
    _is_in_doubt: bool = False
    _emotion_due_ns: int = 0
    _reads_tiredness: bool = False

    def choose(
        self, view: View, now_ns: int, purposes: Iterable[Purpose], *, reads_tiredness: bool = False
    ) -> Choice:
        """Decide what a view is taken for, out of what is allowed, and note it as taken."""
        choice = Choice({}, [])
        self._reads_tiredness = reads_tiredness
        self._notice(view)
        for purpose in purposes:
            is_identity = purpose == "identity"
            reason = (self._why_no_identity if is_identity else self._why_no_emotion)(view.quality, now_ns)
            if reason is not None:
                choice.skipped.append(reason)
            elif is_identity:
                choice.numbers[purpose] = self._take_identity(view, now_ns)
            else:
                choice.numbers[purpose] = self._take_emotion(now_ns)
        return choice

    def is_open(self, now_ns: int, purposes: Iterable[Purpose], *, is_doubtful: bool = False) -> bool:
        """Whether a view would be taken for any of these purposes if it were as good as can be."""
        return is_doubtful or any(
            (self._why_no_identity if purpose == "identity" else self._why_no_emotion)(1.0, now_ns) is None
            for purpose in purposes
        )

    def wants_identity(self, now_ns: int) -> bool:
        """Whether a better view would be taken for identity now or soon, so that it is worth looking for."""
        settings = self.settings
        waited_seconds = (now_ns - self._identity_at_ns) / 1e9
        if self._is_in_doubt or self._verify_seconds - waited_seconds < _FORESIGHT_SECONDS:
            return True
        can_better = self._best_quality + settings.better_by <= 1
        most_shots = settings.identity_shots if can_better else settings.voting_shots
        return self._round_shots < min(most_shots, settings.identity_shots)

    def _notice(self, view: View) -> None:
        """Note what a view says about the next question, whether or not it is sent."""
        self._is_in_doubt |= view.is_doubtful
        if self._identity_box is not None and _has_moved(self._identity_box, view.box_xyxy):
            self._verify_seconds = self.settings.verify_seconds

    def _why_no_identity(self, quality: float, now_ns: int) -> SkipReason | None:
        settings = self.settings
        if quality < settings.min_identity_quality:
            return "poor_view"
        waited_seconds = (now_ns - self._identity_at_ns) / 1e9
        if waited_seconds >= self._verify_seconds:
            return None
        if self._is_in_doubt:
            return None if waited_seconds >= settings.doubt_interval_seconds else "sampled_lately"
        return self._why_no_more(quality, waited_seconds)

    def _why_no_more(self, quality: float, waited_seconds: float) -> SkipReason | None:
        """The same for a view that nobody must be asked about."""
        settings = self.settings
        is_better = quality >= self._best_quality + settings.better_by
        if is_better and self._round_shots < settings.identity_shots:
            return None
        if self._round_shots < min(settings.voting_shots, settings.identity_shots):
            return None if waited_seconds >= settings.voting_interval_seconds else "sampled_lately"
        if waited_seconds >= settings.verify_seconds:
            return "unmoved"
        return "enough_shots" if is_better else "no_better_view"

    def _why_no_emotion(self, quality: float, now_ns: int) -> SkipReason | None:
        if quality < self.settings.min_emotion_quality and not self._reads_tiredness:
            return "poor_view"
        return None if now_ns >= self._emotion_due_ns else "sampled_lately"

    def _take_identity(self, view: View, now_ns: int) -> int:
        settings = self.settings
        was_due = 0 < self._verify_seconds <= (now_ns - self._identity_at_ns) / 1e9
        longer = min(2 * self._verify_seconds, settings.verify_most_seconds)
        self._verify_seconds = longer if was_due and not self._is_in_doubt else settings.verify_seconds
        if self._is_in_doubt:
            self._round_shots, self._best_quality, self._is_in_doubt = 0, 0.0, False
        self.identity_shots += 1
        self._round_shots += 1
        self._identity_at_ns, self._identity_box = now_ns, view.box_xyxy
        self._best_quality = max(self._best_quality, view.quality)
        return self.identity_shots

    def _take_emotion(self, now_ns: int) -> int:
        self.emotion_shots += 1
        settings = self.settings
        young = self.emotion_shots < settings.emotion_young_shots
        seconds = settings.emotion_interval_seconds if young else settings.emotion_slow_interval_seconds
        if self._reads_tiredness:
            seconds = min(seconds, settings.tiredness_interval_seconds)
        # Counted from when the last one was due, the average rate holds whatever the frame rate is.
        step_ns = int(seconds * 1e9)
        due_ns = self._emotion_due_ns + step_ns
        self._emotion_due_ns = due_ns if due_ns > now_ns else now_ns + step_ns
        return self.emotion_shots


def _has_moved(before_xyxy: NDArray[np.float32], now_xyxy: NDArray[np.float32]) -> bool:
    """Whether a face is half its side elsewhere, or half as large again, or that much smaller."""
    sides, now_sides = before_xyxy[2:] - before_xyxy[:2], now_xyxy[2:] - now_xyxy[:2]
    side, now_side = float(sides.max()), float(now_sides.max())
    apart = (before_xyxy[:2] + before_xyxy[2:] - now_xyxy[:2] - now_xyxy[2:]) / 2
    return float(np.linalg.norm(apart)) > side / 2 or not side / 1.5 < now_side < side * 1.5
