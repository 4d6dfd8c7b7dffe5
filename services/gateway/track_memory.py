"""Merged results of the tracks that are being watched, in memory."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from mien.contracts.shared_state import TrackResult
from services.gateway.pipeline import merge_results

_NOTHING: Final[Mapping[str, TrackResult]] = MappingProxyType({})
_MAX_TRACKS: Final = 256


class TrackMemory:
    """Results by camera and track; of each camera those heard or seen last."""

    def __init__(self, *, max_tracks: int = _MAX_TRACKS) -> None:
        self._max_tracks = max_tracks
        self._results: dict[str, dict[str, TrackResult]] = {}
        self._asked: dict[str, dict[str, None]] = {}

    def add(self, result: TrackResult) -> None:
        """Join a result to what is known; an older one changes nothing."""
        results = self._results.setdefault(result.camera_id, {})
        results[result.track_id] = merge_results(results.pop(result.track_id, None), result)
        _bound(results, self._max_tracks)

    def results_of(self, camera_id: str) -> Mapping[str, TrackResult]:
        """Return the results of a camera's tracks, by track id."""
        return self._results.get(camera_id, _NOTHING)

    def meet(self, camera_id: str, track_ids: Sequence[str]) -> list[str]:
        """Note which tracks are in the picture; returns those met for the first time, each once."""
        results, asked = self._results.setdefault(camera_id, {}), self._asked.setdefault(camera_id, {})
        new = []
        for track_id in track_ids:
            if track_id in results:
                results[track_id] = results.pop(track_id)  # moved to the end: it is forgotten last
            elif track_id not in asked:
                asked[track_id] = None
                new.append(track_id)
        _bound(asked, 2 * self._max_tracks)
        return new

    def meet_anew(self, track_ids: Iterable[str]) -> None:
        """Let tracks be met for the first time again, for what is known of them could not be had."""
        for track_id in track_ids:
            for asked in self._asked.values():
                asked.pop(track_id, None)

    def keep_only(self, cameras: Iterable[str]) -> None:
        """Forget all other cameras: their results are no longer heard, so they must be loaded again."""
        kept = set(cameras)
        self._results = {id_: results for id_, results in self._results.items() if id_ in kept}
        self._asked = {id_: asked for id_, asked in self._asked.items() if id_ in kept}


def _bound(entries: dict[str, TrackResult] | dict[str, None], limit: int) -> None:
    while len(entries) > limit:
        del entries[next(iter(entries))]
