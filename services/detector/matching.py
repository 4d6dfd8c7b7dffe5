"""Which face continues which track, and how sure that is. Pure arithmetic on costs.

A pair's cost is twice its negative log-likelihood, but for a constant: the squared distance from the
predicted place in standard deviations, the logarithm of that deviation (a track that could be anywhere
explains nothing well), the change of size, and how unlike the looks are. Pairs above a limit begin a new
track instead. Motion and look in one cost after DeepSORT (Wojke et al., 2017) and BoT-SORT (Aharon et al.,
2022), with a thumbnail in place of their networks; assignment after SORT (Bewley et al., 2016).

The constants were chosen with `mien evaluate tracking`; results change little when any of them is changed
by half. A second round for faces of low score (ByteTrack) would gain nothing: MTCNN misses 0.3 % of what is
shown.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from services.detector.looks import Looks

Costs = NDArray[np.float64]
"""Shape (tracks, faces)."""

# In sides of the face: boxes jitter, and people are no Kalman filters.
_LEAST_STD = 0.1
_FARTHEST_JUMP = 3.0
# Of the logarithm of the side: who walks up to the camera grows by a third in half a second.
_SIZE_STD = 0.2
# One less the likeness of a face with itself is 0.05 on average in the staged videos, 0.1 in the worst of
# them. Beyond ten a face may as well have turned away or been touched.
_UNLIKE_SCALE, _UNLIKE_MOST = 0.1, 10.0
_UNLIKE_UNKNOWN = 3.0
"""What a look costs when there is none."""


@dataclass(frozen=True)
class Match:
    """A track goes on in a face; *is_doubtful* when another reading of the frame is nearly as likely."""

    track: int
    face: int
    is_doubtful: bool


def pair_costs(
    predicted_xyxy: NDArray[np.float32],
    predicted_std: NDArray[np.float64],
    boxes_xyxy: NDArray[np.float32],
    likeness: NDArray[np.float32] | None,
) -> Costs:
    """Return the cost of each track going on in each face; infinite beyond three sides of the face.

    Args:
        predicted_xyxy: Where the tracks should be, shape (T, 4).
        predicted_std: How sure that is, standard deviation in sides of the face, shape (T,).
        boxes_xyxy: The faces, shape (N, 4).
        likeness: Of their looks, shape (T, N); None when they were not looked at.
    """
    sides, face_sides = _longer_sides(predicted_xyxy), _longer_sides(boxes_xyxy)
    apart = np.linalg.norm(_centres(predicted_xyxy)[:, None] - _centres(boxes_xyxy)[None], axis=-1)
    apart /= sides[:, None]
    std = np.hypot(predicted_std, _LEAST_STD)[:, None]
    place = (apart / std) ** 2 + 4 * np.log(std)
    size = (np.log(face_sides[None] / sides[:, None]) / _SIZE_STD) ** 2
    unlike = np.full_like(place, _UNLIKE_UNKNOWN)
    if likeness is not None:
        unlike = np.minimum(2 * (1 - likeness.astype(np.float64)) / _UNLIKE_SCALE, _UNLIKE_MOST)
    return np.where(apart <= _FARTHEST_JUMP, place + size + unlike, np.inf)


def match(costs: Costs, *, limit: float, doubt_within: float) -> list[Match]:
    """Choose the pairs of least total cost; to leave a face and a track apart costs *limit*.

    A pair is doubtful when the frame can be read another way for at most *doubt_within* more: the pair left
    apart, one of the two with somebody who is free, or both partners exchanged with another pair.
    """
    gains = np.minimum(costs - limit, 0.0)
    tracks, faces = linear_sum_assignment(gains)
    taken = gains[tracks, faces] < 0
    tracks, faces = tracks[taken], faces[taken]
    owner = np.full(costs.shape[1], -1)
    owner[faces] = tracks
    # A row of nothing gained stands for "nobody" (-1).
    padded = np.vstack([gains, np.zeros(costs.shape[1])])
    gained = padded[owner, np.arange(costs.shape[1])]
    is_free = np.ones(costs.shape[0], bool)
    is_free[tracks] = False
    matches = []
    for track, face in zip(tracks, faces, strict=True):
        gain = gains[track, face]
        exchanged = gains[track] + padded[owner, face] - gain - gained
        exchanged[face] = np.inf
        others = gains[is_free, face] - gain
        least_loss = min(-gain, exchanged.min(), others.min(initial=np.inf))
        matches.append(Match(int(track), int(face), bool(least_loss < doubt_within)))
    return matches


def likeness_of(track_looks: list[Looks | None], looks: Looks | None) -> NDArray[np.float32] | None:
    """Return the likeness of each track's look with each face's, shape (T, N); None where any is unknown."""
    known = [look for look in track_looks if look is not None]
    if looks is None or len(known) < len(track_looks):
        return None
    return np.asarray(np.stack(known) @ looks.T)


def _centres(boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray((boxes_xyxy[:, :2].astype(np.float64) + boxes_xyxy[:, 2:]) / 2)


def _longer_sides(boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float64]:
    sides = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).max(axis=1).astype(np.float64)
    return np.asarray(np.maximum(sides, 1.0))
