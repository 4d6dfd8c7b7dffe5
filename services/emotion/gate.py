"""Which views of a face say something about how somebody looks."""

from dataclasses import dataclass
from typing import Literal

from mien.contracts.events import Quality

ViewFault = Literal["eyes_too_small", "turned_away", "unclear"]


@dataclass(frozen=True)
class ViewGate:
    """What a view must have.

    Attributes:
        min_eye_distance_px: Pixels of the picture that the face was cut from.
        max_yaw: As in Quality, without its sign.
        min_score: Blurred, dark and doubtful views score low.
    """

    min_eye_distance_px: float
    max_yaw: float
    min_score: float

    def fault_of(self, quality: Quality) -> ViewFault | None:
        """Return why a view can't be used, the plainest reason first; None when it can."""
        if quality.size_px < self.min_eye_distance_px:
            return "eyes_too_small"
        if abs(quality.yaw) > self.max_yaw:
            return "turned_away"
        return "unclear" if quality.score < self.min_score else None
