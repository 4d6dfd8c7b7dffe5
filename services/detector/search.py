"""When it is enough to look where faces are expected, and when the whole picture must be searched.

Searching all of a picture is most of the detector's work. Where every face of the last frame is followed
and nothing moves but these people, new faces are unlikely; so most looks go to the expected places only.
The whole picture is searched when something else moves, when a face is not where it was expected, and at
the latest after a while. Nobody in the picture, a track that is gone or not yet sure: always everything.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_STRIDE = 8
"""Movement is seen on every eighth pixel of every eighth row, as in ingest."""
# What belongs to a person, in sides of the face box: to the sides, above, and down to the picture's edge.
_BESIDE, _ABOVE = 0.75, 0.6


@dataclass(frozen=True)
class SearchSettings:
    """How often the whole picture is searched.

    Attributes:
        search_seconds: At the latest after this; 0 searches every frame.
        luma_step: A pixel has changed when its green differs by more.
        area_ratio: Share of the picture that must change, faces and what is below them left out.
    """

    search_seconds: float = 1.0
    luma_step: int = 18
    area_ratio: float = 0.002


class SearchPlan:
    """Remembers, for one camera, the last picture and when all of it was searched."""

    def __init__(self, settings: SearchSettings) -> None:
        self._settings = settings
        self._last: NDArray[np.int16] | None = None
        self.searched_at_ns = 0

    def is_near_enough(
        self, image_rgb: NDArray[np.uint8], captured_at_ns: int, expected_xyxy: NDArray[np.float32] | None
    ) -> bool:
        """Whether to look around the expected faces, shape (N, 4), only; the picture is (H, W, 3)."""
        before, self._last = self._last, image_rgb[::_STRIDE, ::_STRIDE, 1].astype(np.int16)
        since_seconds = (captured_at_ns - self.searched_at_ns) / 1e9
        if expected_xyxy is None or not 0 <= since_seconds < self._settings.search_seconds:
            return False
        if before is None or before.shape != self._last.shape:
            return False
        changed = np.abs(self._last - before) > self._settings.luma_step
        for left, top, right, bottom in expected_xyxy / _STRIDE:
            beside, above = _BESIDE * (right - left), _ABOVE * (bottom - top)
            rows = slice(max(int(top - above), 0), None)
            changed[rows, max(int(left - beside), 0) : max(int(right + beside) + 1, 0)] = False
        return float(changed.mean()) <= self._settings.area_ratio
