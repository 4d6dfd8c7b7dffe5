"""How far the faces that one detector finds are those of another, or those that are there."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mien.contracts.find_faces import FacesFound
from mien.vision.boxes import Boxes, overlap_matrix

# What the peer is sure of; below it, both guess.
SURE_SCORE = 0.9


@dataclass
class Agreement:
    """What we find of a peer's faces, over several pictures.

    Attributes:
        theirs: Faces that the peer is sure of.
        found: Those of them that we find at an overlap (IoU) of 0.5 or more.
        found_closely: At 0.9 or more.
        ours: Faces that we are sure of.
        extra: Those of them that the peer does not find at all.
        landmark_distances_px: Of each face found by both, the mean distance of the five points.
    """

    theirs: int = 0
    found: int = 0
    found_closely: int = 0
    ours: int = 0
    extra: int = 0
    landmark_distances_px: list[float] = field(default_factory=list)

    def add(self, ours: FacesFound, theirs: FacesFound) -> None:
        """Compare the faces of one more picture; both may have found none."""
        overlaps = overlap_matrix(boxes_of(theirs), boxes_of(ours))
        sure = np.array(theirs.scores) >= SURE_SCORE
        best = overlaps.max(axis=1, initial=0)[sure]
        self.theirs += len(best)
        self.found += int((best >= 0.5).sum())
        self.found_closely += int((best >= 0.9).sum())
        ours_sure = np.array(ours.scores) >= SURE_SCORE
        self.ours += int(ours_sure.sum())
        self.extra += int((overlaps.max(axis=0, initial=0)[ours_sure] < 0.5).sum())
        for row in np.flatnonzero(sure):
            if overlaps[row].max(initial=0) >= 0.5 and theirs.landmarks_xy:
                points = np.array(theirs.landmarks_xy[row])
                apart = points - np.array(ours.landmarks_xy[int(overlaps[row].argmax())])
                self.landmark_distances_px.append(float(np.linalg.norm(apart, axis=1).mean()))


@dataclass
class Score:
    """How many of the faces that are there are found, and how many of those found are there."""

    known: int = 0
    recalled: int = 0
    found: int = 0
    right: int = 0

    @property
    def recall(self) -> float:
        return self.recalled / self.known if self.known else float("nan")

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else float("nan")

    def add(self, found: FacesFound, known_xyxy: Boxes, *, min_overlap: float, min_face_px: int) -> None:
        """Take in one more picture; known faces that are too small to be looked for are left out."""
        boxes = boxes_of(found)
        large = known_xyxy[(known_xyxy[:, 2:] - known_xyxy[:, :2]).max(axis=1) >= min_face_px]
        self.known += len(large)
        self.recalled += int((overlap_matrix(large, boxes).max(axis=1, initial=0) >= min_overlap).sum())
        self.found += len(boxes)
        self.right += int((overlap_matrix(boxes, known_xyxy).max(axis=1, initial=0) >= min_overlap).sum())


def boxes_of(found: FacesFound) -> Boxes:
    """Return the faces' boxes as an array, shape (N, 4)."""
    return np.array(found.boxes_xyxy, np.float32).reshape(-1, 4)


def has_face_in_the_middle(found: FacesFound) -> bool:
    """Whether a face covers the middle of the picture."""
    if found.size_wh is None:
        return False
    middle = np.array(found.size_wh, np.float32) / 2
    boxes = boxes_of(found)
    return bool(((boxes[:, :2] <= middle) & (middle <= boxes[:, 2:])).all(axis=1).any())


def share(part: int, whole: int) -> float | None:
    """Return a share rounded to what it can mean; None of nothing."""
    return round(part / whole, 4) if whole else None


def median_or_none(values: Sequence[float]) -> float | None:
    """Return the median, rounded; None of nothing."""
    return round(float(np.median(values)), 2) if values else None
