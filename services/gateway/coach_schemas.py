"""What the REST interface takes and gives about guided enrolment."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import StringConstraints

from mien.contracts.models import EMOTIONS
from services.gateway.poses import Pose
from services.gateway.recognition_schemas import WhoItIs
from services.gateway.schemas import Schema

EmotionLabel = Literal["angry", "happy", "neutral", "sad", "tired"]
assert set(EMOTIONS) == set(EmotionLabel.__args__)  # type: ignore[attr-defined]  # what Literal holds
ConsentText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=20, max_length=4000)]


class EnrolmentSessionCreate(WhoItIs):
    """Somebody agrees to be enrolled at the webcam: who, and to what, word for word."""

    consent_text: ConsentText
    consented_by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    has_agreed: Literal[True]


class EnrolmentSessionInfo(Schema):
    """A guided enrolment, with the poses and expressions that the person's photos show by now."""

    session_id: str
    person_id: str
    person_name: str
    consent_text: str
    consented_by: str
    consented_at: datetime
    recorded_by: str
    is_new_person: bool
    photo_count: int
    poses: list[Pose]
    emotions: list[EmotionLabel]


class FaceCheckInfo(Schema):
    """What a picture is worth, and what to do next; nothing of it is stored.

    *box_xyxy* is in pixels of the picture; *yaw* and *pitch* of the front are given back as the straight look
    from then on. *progress* is how near the pose is, *quality* how good the view, both 0 to 1.
    """

    is_good: bool
    words: str
    progress: float
    quality: float
    box_xyxy: tuple[float, float, float, float] | None
    size_wh: tuple[int, int] | None
    yaw: float
    pitch: float
