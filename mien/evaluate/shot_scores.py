"""How well shots are chosen: what was sent of each track against the best that could have been."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from mien.contracts.follow_clip import FrameFollowed
from mien.evaluate.track_scores import Taking

_VERIFIED_WITHIN_SECONDS = 1.0


def track_number(track_id: str) -> int:
    """Return the last part of a track's id, which tells it from the others of its clip."""
    return int(track_id.rsplit(":", 1)[1])


class ShotScore:
    """Collects what was seen and sent of the tracks of one clip."""

    def __init__(self) -> None:
        self._views: dict[int, list[tuple[float, float]]] = defaultdict(list)
        self._identity: dict[int, list[tuple[float, float]]] = defaultdict(list)
        self._emotions = 0
        self.skipped: Counter[str] = Counter()
        self.cpu_seconds: list[float] = []

    def add(self, followed: FrameFollowed, seconds: float) -> None:
        """Take in what one frame came to."""
        self.cpu_seconds.append(followed.cpu_seconds)
        self.skipped.update(followed.skipped)
        for track_id, quality in zip(followed.track_ids, followed.qualities, strict=True):
            if track_id is not None:
                self._views[track_number(track_id)].append((seconds, quality))
        for shot in followed.shots:
            if shot.purpose == "identity":
                self._identity[track_number(shot.track_id)].append((seconds, shot.quality))
            else:
                self._emotions += 1

    def unverified(self, takings: Sequence[Taking]) -> int:
        """Return after how many changes of person no identity shot was sent within a second."""
        return sum(
            not any(
                0 <= sent_at - taking.seconds <= _VERIFIED_WITHIN_SECONDS
                for sent_at, _ in self._identity[taking.track]
            )
            for taking in takings
        )

    def tracks(self) -> list[dict[str, float]]:
        """Return, of each track that sent anything, its best view and what was made of it."""
        return [
            {
                "best_sent": max(quality for _, quality in sent),
                "best_possible": max(quality for _, quality in self._views[track_id]),
                "first_sent": sent[0][1],
                "seconds_to_first": sent[0][0] - self._views[track_id][0][0],
                "identity_shots": len(sent),
                "views": len(self._views[track_id]),
            }
            for track_id, sent in self._identity.items()
            if sent
        ]

    @property
    def emotion_shots(self) -> int:
        """How many shots were sent for emotion."""
        return self._emotions

    @property
    def seen_seconds(self) -> float:
        """How long tracks were seen, all together."""
        return sum(views[-1][0] - views[0][0] for views in self._views.values())

    @property
    def tracks_without_shot(self) -> int:
        """How many tracks sent nothing for identity."""
        return sum(not self._identity[track] for track in self._views)


def total_shots(scores: Sequence[ShotScore]) -> dict[str, Any]:
    """Return how well shots were chosen over several clips."""
    tracks = [track for score in scores for track in score.tracks()]
    share = [track["best_sent"] / max(track["best_possible"], 1e-3) for track in tracks]
    first = [track["seconds_to_first"] for track in tracks]
    seen = sum(score.seen_seconds for score in scores)
    figures = {
        "best_sent_of_best_possible_p50": _quantile(share, 0.5),
        "best_sent_of_best_possible_p10": _quantile(share, 0.1),
        "seconds_to_first_shot_p50": _quantile(first, 0.5),
        "seconds_to_first_shot_p95": _quantile(first, 0.95),
        "identity_shots_per_track": _mean([track["identity_shots"] for track in tracks]),
        "views_per_track": _mean([track["views"] for track in tracks]),
        "tracks_without_shot": sum(score.tracks_without_shot for score in scores),
    }
    if seen > 0:
        figures["emotion_shots_per_second"] = round(sum(score.emotion_shots for score in scores) / seen, 2)
    return figures


def _quantile(values: Sequence[float], share: float) -> float | None:
    return round(float(np.quantile(values, share)), 3) if values else None


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 2) if values else None
