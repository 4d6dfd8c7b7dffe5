"""Which face of a photo counts, and why a photo is set aside. Pure decisions."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mien.contracts.find_faces import FacesFound
from mien.dataset.manifest import Reason
from mien.vision.boxes import box_areas
from mien.vision.quality import FaceQuality

IfSeveral = Literal["set-aside", "largest", "central"]

# A face of the background is much smaller than the one a photo was taken of.
_CLEARLY_LARGEST = 2.0


@dataclass(frozen=True)
class Limits:
    """What a face must have to be used.

    Attributes:
        min_eye_distance_px: Smaller faces are set aside.
        min_sharpness: Faces with a smaller variance of the Laplacian are set aside.
        if_several: What becomes of a photo with several faces of about one size.
    """

    min_eye_distance_px: float = 16.0
    min_sharpness: float = 10.0
    if_several: IfSeveral = "set-aside"


@dataclass(frozen=True)
class SetAside:
    """A photo is not used."""

    reason: Reason
    explanation: str


def choose_face(found: FacesFound, if_several: IfSeveral) -> tuple[int | None, SetAside | None]:
    """Return the row of the face that a photo is about, and why the photo is set aside.

    Both may be given: of several faces the largest is kept, should somebody want the photo back.
    """
    if found.error is not None or found.size_wh is None:
        return None, SetAside("unreadable", found.error or "the picture could not be read")
    if not found.boxes_xyxy:
        return None, SetAside("no_face", "no face was found")
    boxes = np.array(found.boxes_xyxy, np.float32)
    areas = box_areas(boxes)
    largest = int(areas.argmax())
    if if_several == "central":
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        return int(np.linalg.norm(centres - np.array(found.size_wh) / 2, axis=1).argmin()), None
    rivals = int((areas > areas[largest] / _CLEARLY_LARGEST).sum())
    if rivals > 1 and if_several == "set-aside":
        return largest, SetAside("several", f"{rivals} faces of about one size")
    return largest, None


def judge_quality(quality: FaceQuality, limits: Limits) -> SetAside | None:
    """Return why a face is not good enough, or None."""
    if quality.size_px < limits.min_eye_distance_px:
        return SetAside(
            "too_small",
            f"{quality.size_px:.0f} px between the eyes, at least {limits.min_eye_distance_px:g} are needed",
        )
    if quality.sharpness < limits.min_sharpness:
        return SetAside(
            "blurred", f"sharpness {quality.sharpness:.1f}, at least {limits.min_sharpness:g} is needed"
        )
    return None
