"""What the detector answers about a picture file: one JSON line per file."""

import msgspec

from mien.contracts.events import BoxXyxy, PointXy


class FacesFound(msgspec.Struct, frozen=True, kw_only=True):
    """The faces of one picture, the best first; lists run in parallel and are empty without a face.

    Attributes:
        path: As it was asked for.
        size_wh: Of the picture as it was read; None when it could not be.
        boxes_xyxy: Pixels of the picture.
        landmarks_xy: Left eye, right eye, nose, left and right mouth corner of each face.
        cpu_ms: What finding them cost, without reading the file; None when it could not be read.
        error: Why the file could not be read, in words.
    """

    path: str
    size_wh: tuple[int, int] | None = None
    boxes_xyxy: list[BoxXyxy] = []
    scores: list[float] = []
    landmarks_xy: list[list[PointXy]] = []
    cpu_ms: float | None = None
    error: str | None = None
