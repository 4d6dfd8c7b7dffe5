"""What the REST interface takes and gives about strangers and thresholds."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from services.gateway.schemas import Name, Note, PersonInfo, Schema

StrangerId = Annotated[str, StringConstraints(min_length=1, max_length=40)]
StrangerIds = Annotated[list[StrangerId], Field(min_length=1, max_length=100)]


class StrangerInfo(Schema):
    """Somebody unknown who is remembered; *joined_ids* are strangers who count as this one."""

    stranger_id: str
    label: str
    person_id: str | None
    person_name: str | None
    ignored: bool
    joined_ids: list[str]
    first_seen_at: datetime
    last_seen_at: datetime
    visit_count: int
    cameras: list[str]
    visit_times: list[datetime]
    face_url: str
    best_quality: float


class VisitInfo(Schema):
    """One visit of a stranger."""

    visit_id: str
    stranger_id: str
    camera_id: str
    camera_name: str
    seen_at: datetime
    quality: float
    face_url: str


class StrangerDetail(StrangerInfo):
    """A stranger with every visit, the last in front."""

    visits: list[VisitInfo]


class WhoItIs(Schema):
    """A person, or the name of a new one."""

    person_id: Annotated[str, StringConstraints(max_length=40)] | None = None
    name: Name | None = None
    consent_note: Note = ""

    @model_validator(mode="after")
    def _says_who(self) -> Self:
        if (self.person_id is None) == (self.name is None):
            raise ValueError("expected either a person or the name of a new one")
        return self


class StrangersNamed(WhoItIs):
    """Who some strangers are."""

    stranger_ids: StrangerIds


class TrackNameCreate(WhoItIs):
    """Who a followed face is."""


class TrackNamedInfo(Schema):
    """A followed face has a name; so many of its views are on their way to become templates."""

    track_id: str
    person: PersonInfo
    photo_count: int


class StrangersChosen(Schema):
    """Some strangers."""

    stranger_ids: StrangerIds


class StrangersIgnored(StrangersChosen):
    """Whether visits of strangers are left out of history and alerts."""

    ignored: bool


class VisitsChosen(Schema):
    """Some visits of a stranger."""

    visit_ids: Annotated[
        list[Annotated[str, StringConstraints(max_length=130)]], Field(min_length=1, max_length=500)
    ]


class StrangerPolicyInfo(Schema):
    """For how long strangers are remembered after they were last seen; 0 days: not at all."""

    keep_days: Annotated[float, Field(ge=0, le=365)]


class CalibrationWanted(Schema):
    """How often a stranger may be given a name."""

    false_accept_rate: Annotated[float, Field(ge=0.0001, le=0.1)] = 0.01


class PersonThreshold(Schema):
    """Somebody whom others resemble so much that they need a stricter threshold."""

    person_id: str
    person_name: str | None
    accept_similarity: float


class CalibrationInfo(Schema):
    """The thresholds in force, and what they do on the gallery as it is now.

    Attributes:
        calibrated_at: None where the embedder's own threshold is in force.
        requested_false_accept_rate: What was asked for when it was calibrated.
        false_accept_rate: Share of other people's faces that would be given a name; None without any.
        false_accept_rate_upper: Its upper bound (95 %), which few faces leave wide.
        false_reject_rate: Share of people's own faces that would get no name, each compared with the others
            of the same person; None where nobody has two photos.
        impostor_faces, genuine_faces: How many faces the two shares were measured with.
        basis: ``cohort`` where the embedder's figures for strangers set the threshold, ``gallery`` where the
            people here resemble each other more than these said and it was moved up, ``default`` where
            nothing was calibrated.
        stale: Whether people or templates have come or gone since.
    """

    embedder: str
    accept_similarity: float
    reject_similarity: float
    calibrated_at: datetime | None
    requested_false_accept_rate: float | None
    false_accept_rate: float | None
    false_accept_rate_upper: float | None
    false_reject_rate: float | None
    impostor_faces: int
    genuine_faces: int
    people: int
    templates: int
    basis: Literal["gallery", "cohort", "default"]
    stale: bool
    person_thresholds: list[PersonThreshold]
