"""Scores of a tracker's answers against the truth: CLEAR MOT, IDF1, and people who share a track."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import motmetrics
import numpy as np
from numpy.typing import NDArray

from mien.evaluate.scenes import BARELY_SEEN_FROM, SEEN_FROM, Truth
from mien.vision.boxes import overlap_matrix

_MIN_IOU: Final = 0.4
# Name here: name in motmetrics. All of them add up over clips.
_COUNTS: Final = {
    "id_switches": "num_switches",
    "fragments": "num_fragmentations",
    "mostly_tracked": "mostly_tracked",
    "people": "num_unique_objects",
    "faces": "num_objects",
    "missed": "num_misses",
    "false_faces": "num_false_positives",
    "id_true": "idtp",
    "id_false": "idfp",
    "id_lost": "idfn",
}


@dataclass(frozen=True)
class Taking:
    """One track goes over to another person than the one it was on."""

    track: int
    seconds: float


class ClipScore:
    """Compares one tracker with the truth of one clip, frame by frame."""

    def __init__(self) -> None:
        self.accumulator = motmetrics.MOTAccumulator(auto_id=True)
        self._seconds: list[float] = []
        self._shown_at: dict[int, float] = {}

    def add(
        self, truth: Truth, boxes_xyxy: NDArray[np.float32], track_ids: Sequence[int | None], seconds: float
    ) -> None:
        """Take in the boxes of the next frame, shape (N, 4); those that are not followed don't count."""
        visible = np.array(truth.visible)
        seen, barely = visible >= SEEN_FROM, (visible < SEEN_FROM) & (visible >= BARELY_SEEN_FROM)
        likeness = overlap_matrix(truth.boxes_xyxy, boxes_xyxy)
        is_wanted = np.array([track is not None for track in track_ids], bool)
        on_seen, on_barely = (likeness[rows].max(axis=0, initial=0) >= _MIN_IOU for rows in (seen, barely))
        is_wanted &= on_seen | ~on_barely
        tracks = [track for track, wanted in zip(track_ids, is_wanted, strict=True) if wanted]
        people = [person for person, is_seen in zip(truth.people, seen, strict=True) if is_seen]
        for person in people:
            self._shown_at.setdefault(person, seconds)
        distance = 1.0 - likeness[np.ix_(seen, is_wanted)].astype(np.float64)
        distance[distance > 1 - _MIN_IOU] = np.nan
        self.accumulator.update(people, tracks, distance)
        self._seconds.append(seconds)

    @cached_property
    def counts(self) -> dict[str, int]:
        """What is counted in the clip, by the names of :func:`total`."""
        table = motmetrics.metrics.create().compute(self.accumulator, metrics=list(_COUNTS.values()))
        return {name: int(table[source].iloc[0]) for name, source in _COUNTS.items()}

    @cached_property
    def people_of(self) -> dict[int, list[tuple[int, float]]]:
        """Whom each track was on, with the time when it went over to them; one entry is how it should be."""
        events = self.accumulator.mot_events
        matched = events[events["Type"].isin(["MATCH", "SWITCH"])]
        people: dict[int, list[tuple[int, float]]] = defaultdict(list)
        frames = matched.index.get_level_values(0)
        for frame, person, track in zip(frames, matched["OId"], matched["HId"], strict=True):
            whom = people[int(track)]
            if not whom or whom[-1][0] != person:
                whom.append((int(person), self._seconds[frame]))
        return people

    @property
    def seconds_to_first_sight(self) -> list[float]:
        """How long after each person could be seen a track was on them; those never followed are left out."""
        followed_at: dict[int, float] = {}
        for whom in self.people_of.values():
            for person, seconds in whom:
                followed_at[person] = min(seconds, followed_at.get(person, seconds))
        return [seconds - self._shown_at[person] for person, seconds in followed_at.items()]

    @property
    def merged_tracks(self) -> int:
        """How many tracks cover two people or more."""
        return sum(len(people) > 1 for people in self.people_of.values())

    @property
    def takings(self) -> list[Taking]:
        """Every time that a track went over to another person."""
        return [
            Taking(track, seconds) for track, people in self.people_of.items() for _, seconds in people[1:]
        ]


def total(scores: Sequence[ClipScore]) -> dict[str, Any]:
    """Return the scores over several clips, in plain units; *mostly_tracked* of *people*.

    MOTA after Bernardin and Stiefelhagen (2008), IDF1 after Ristani et al. (2016).
    """
    sums = {name: sum(score.counts[name] for score in scores) for name in _COUNTS}
    wrong = sums["missed"] + sums["false_faces"] + sums["id_switches"]
    true, confused = sums.pop("id_true"), sums.pop("id_false") + sums.pop("id_lost")
    waited = [seconds for score in scores for seconds in score.seconds_to_first_sight]
    return {
        "mota": round(1 - wrong / max(sums["faces"], 1), 4),
        "idf1": round(2 * true / max(2 * true + confused, 1), 4),
        **sums,
        "merged_tracks": sum(score.merged_tracks for score in scores),
        "seconds_to_first_sight_p95": round(float(np.quantile(waited, 0.95)), 3) if waited else None,
    }
