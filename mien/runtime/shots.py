"""From face shots to the tensor that a model takes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.contracts.events import FaceShot
from mien.vision.alignment import align_face
from mien.vision.jpeg import decode_jpeg_rgb


def align_shots(shots: Sequence[FaceShot], *, alignment: str, size: int) -> NDArray[np.uint8]:
    """Decode each shot's crop and warp it onto a model's template.

    Returns:
        RGB, shape (N, size, size, 3), in the order of *shots*. N may be 0.

    Raises:
        ImageError: A crop does not decode.
    """
    aligned = np.empty((len(shots), size, size, 3), dtype=np.uint8)
    for row, shot in enumerate(shots):
        aligned[row] = align_face(
            alignment,
            decode_jpeg_rgb(shot.crop_jpeg),
            np.array(shot.box_xyxy, dtype=np.float32),
            np.array(shot.landmarks_xy, dtype=np.float32),
            size,
        )
    return aligned
