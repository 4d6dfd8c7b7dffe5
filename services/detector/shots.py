"""Which views of a track are worth sending on: the best for identity, a steady sample for emotion.

A best shot has its eyes open and its mouth shut, which is what emotion must not be judged by; so emotion is
sampled by time, whatever the view looks like. The limits follow what Frigate found in use: its face
recognition stops asking after 6 attempts at a known face (``MAX_FACES_ATTEMPTS_AFTER_REC``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

# A main stream that isn't decoded yet shows its first picture about a second after it is asked to.
_FORESIGHT_SECONDS = 1.0

Purpose = Literal["identity", "emotion"]
SkipReason = Literal["poor_view", "no_better_view", "enough_shots", "sampled_lately"]


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
        verify_seconds: A track is asked about again after this, for as long as it lasts.
        emotion_interval_seconds: Time between emotion shots while a track is young.
        emotion_slow_interval_seconds: And once it has sent *emotion_young_shots*.
    """

    min_identity_quality: float = 0.08
    min_emotion_quality: float = 0.1
    voting_shots: int = 3
    voting_interval_seconds: float = 0.4
    identity_shots: int = 6
    better_by: float = 0.1
    verify_seconds: float = 10.0
    emotion_interval_seconds: float = 0.5
    emotion_slow_interval_seconds: float = 1.0
    emotion_young_shots: int = 6


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
    _best_quality: float = 0.0
    _identity_at_ns: int = 0
    _emotion_due_ns: int = 0

    def choose(self, quality: float, now_ns: int, purposes: Iterable[Purpose]) -> Choice:
        """Decide what a view is taken for, out of what is allowed, and note it as taken."""
        choice = Choice({}, [])
        for purpose in purposes:
            is_identity = purpose == "identity"
            reason = (self._why_no_identity if is_identity else self._why_no_emotion)(quality, now_ns)
            if reason is not None:
                choice.skipped.append(reason)
            elif is_identity:
                choice.numbers[purpose] = self._take_identity(quality, now_ns)
            else:
                choice.numbers[purpose] = self._take_emotion(now_ns)
        return choice

    def is_open(self, now_ns: int, purposes: Iterable[Purpose]) -> bool:
        """Whether a view would be taken for any of these purposes if it were as good as can be."""
        return any(
            (self._why_no_identity if purpose == "identity" else self._why_no_emotion)(1.0, now_ns) is None
            for purpose in purposes
        )

    def wants_identity(self, now_ns: int) -> bool:
        """Whether a better view would be taken for identity now or soon, so that it is worth looking for."""
        settings = self.settings
        seconds_to_verify = settings.verify_seconds - (now_ns - self._identity_at_ns) / 1e9
        if self.identity_shots >= settings.identity_shots:
            return seconds_to_verify < _FORESIGHT_SECONDS
        can_vote = self.identity_shots < settings.voting_shots
        return (
            can_vote or self._best_quality + settings.better_by <= 1 or seconds_to_verify < _FORESIGHT_SECONDS
        )

    def _why_no_identity(self, quality: float, now_ns: int) -> SkipReason | None:
        settings = self.settings
        if quality < settings.min_identity_quality:
            return "poor_view"
        waited_seconds = (now_ns - self._identity_at_ns) / 1e9
        if self.identity_shots == 0 or waited_seconds >= settings.verify_seconds:
            return None
        if self.identity_shots >= settings.identity_shots:
            return "enough_shots"
        if quality >= self._best_quality + settings.better_by:
            return None
        if self.identity_shots >= settings.voting_shots:
            return "no_better_view"
        return None if waited_seconds >= settings.voting_interval_seconds else "sampled_lately"

    def _why_no_emotion(self, quality: float, now_ns: int) -> SkipReason | None:
        if quality < self.settings.min_emotion_quality:
            return "poor_view"
        return None if now_ns >= self._emotion_due_ns else "sampled_lately"

    def _take_identity(self, quality: float, now_ns: int) -> int:
        self.identity_shots += 1
        self._identity_at_ns = now_ns
        self._best_quality = max(self._best_quality, quality)
        return self.identity_shots

    def _take_emotion(self, now_ns: int) -> int:
        self.emotion_shots += 1
        young = self.emotion_shots < self.settings.emotion_young_shots
        seconds = (
            self.settings.emotion_interval_seconds if young else self.settings.emotion_slow_interval_seconds
        )
        # Counted from when the last one was due, the average rate holds whatever the frame rate is.
        step_ns = int(seconds * 1e9)
        due_ns = self._emotion_due_ns + step_ns
        self._emotion_due_ns = due_ns if due_ns > now_ns else now_ns + step_ns
        return self.emotion_shots
