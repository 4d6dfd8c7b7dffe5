"""The simplest tracker there is, to compare with: each box goes on as the last box it overlaps most."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.vision.boxes import overlap_matrix


class GreedyIou:
    """Greedy matching of a frame's boxes with where the tracks were last seen (IoU tracker).

    Source: Bochinski et al., "High-Speed Tracking-by-Detection Without Using Image Information", AVSS 2017.
    """

    def __init__(self, *, min_iou: float = 0.3, gap_seconds: float = 1.5) -> None:
        self._min_iou = min_iou
        self._gap_seconds = gap_seconds
        self._boxes: dict[int, NDArray[np.float32]] = {}
        self._seen_at: dict[int, float] = {}
        self._count = 0

    def update(self, boxes_xyxy: NDArray[np.float32], seconds: float) -> Sequence[int]:
        """Return the track of each box, shape (N, 4)."""
        for track, seen_at in list(self._seen_at.items()):
            if seconds - seen_at > self._gap_seconds:
                del self._boxes[track], self._seen_at[track]
        ids = [0] * len(boxes_xyxy)
        tracks = list(self._boxes)
        if tracks and len(boxes_xyxy):
            likeness = overlap_matrix(np.stack([self._boxes[track] for track in tracks]), boxes_xyxy)
            while likeness.max() >= self._min_iou:
                row, column = divmod(int(likeness.argmax()), len(boxes_xyxy))
                ids[column] = tracks[row]
                likeness[row], likeness[:, column] = -1, -1
        for face, box in enumerate(boxes_xyxy):
            if not ids[face]:
                self._count += 1
                ids[face] = self._count
            self._boxes[ids[face]], self._seen_at[ids[face]] = box, seconds
        return ids
