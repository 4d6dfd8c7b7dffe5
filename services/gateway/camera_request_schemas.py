"""What the interface takes and gives about cameras that are not registered yet."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, StringConstraints

from mien.contracts.camera_requests import (
    CameraFound,
    CameraReply,
    CameraTestAdvanced,
    CameraTested,
    SearchEnded,
    TestStep,
)
from mien.contracts.cameras import SourceKind, Transport
from services.gateway.camera_files.entry import FileFormat
from services.gateway.camera_files.planning import Verdict
from services.gateway.camera_schemas import ShownCertificateInfo
from services.gateway.schemas import Credential, Schema, Url


class StreamTestWanted(Schema):
    """An address to test; without a password that of *camera_id* is used, at its own host only."""

    url: Url
    username: Credential | None = None
    password: Credential | None = None
    camera_id: Annotated[str, StringConstraints(max_length=48)] | None = None
    measure_seconds: Annotated[float, Field(ge=0, le=20)] = 4.0
    kind: SourceKind | None = None
    transport: Transport = "tcp"
    certificate_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class ProfilesWanted(Schema):
    """A camera to ask for its streams: a host, or the address of its ONVIF device service."""

    address: Url
    username: Credential | None = None
    password: Credential | None = None


class SearchWanted(Schema):
    """How long to look for cameras."""

    seconds: Annotated[float, Field(ge=0.5, le=20)] = 4.0


class QuestionAsked(Schema):
    """What to ask for the answers with."""

    request_id: str


class StreamReportInfo(Schema):
    """What was measured on a stream while it was watched; nothing where the time was too short."""

    codec: str
    size_wh: tuple[int, int]
    measured_fps: float | None
    keyframe_interval_seconds: float | None
    bitrate_kbps: float | None
    clock_skew_seconds: float | None
    warnings: list[str]


class CameraDeviceInfo(Schema):
    """A camera that was found, as it describes itself."""

    address: str
    host: str
    name: str
    maker: str
    model: str
    firmware: str


class StreamProfileInfo(Schema):
    """One of the streams that a camera offers."""

    name: str
    url: str
    codec: str
    size_wh: tuple[int, int] | None
    fps: float | None
    bitrate_kbps: float | None


class StepReply(Schema):
    """A test has come so far."""

    kind: Literal["step"] = "step"
    step: TestStep


class TestReply(Schema):
    """How a test went; *advice* is what to do when it failed."""

    kind: Literal["tested"] = "tested"
    ok: bool
    explanation: str
    reason: str
    advice: str
    has_snapshot: bool
    report: StreamReportInfo | None
    certificate: ShownCertificateInfo | None


class FoundReply(Schema):
    """A camera answered to a search."""

    kind: Literal["found"] = "found"
    device: CameraDeviceInfo


class SearchReply(Schema):
    """A search is over; *searched* are our own addresses that it went out from."""

    kind: Literal["searched"] = "searched"
    found: int
    searched: list[str]
    explanation: str


class ProfilesReply(Schema):
    """What a camera offers, and which of it Mien should use."""

    kind: Literal["profiles"] = "profiles"
    ok: bool
    explanation: str
    reason: str
    advice: str
    device: CameraDeviceInfo | None
    profiles: list[StreamProfileInfo]
    url: str
    main_stream_url: str


ReplyInfo = Annotated[
    StepReply | TestReply | FoundReply | SearchReply | ProfilesReply, Field(discriminator="kind")
]


class AnswersInfo(Schema):
    """Answers that are new, whether others follow, and why not when none came."""

    replies: list[ReplyInfo]
    ended: bool
    failure: str


def reply_info(reply: CameraReply) -> Any:
    """Return an answer as people may see it."""
    fields = msgspec.to_builtins(reply)
    for name in ("type", "camera_id", "event_id", "captured_at_ns", "trace", "request_id"):
        fields.pop(name, None)
    if isinstance(reply, CameraTested):
        fields.pop("size_wh")
        return TestReply(**fields | {"has_snapshot": fields.pop("snapshot_jpeg") is not None})
    if isinstance(reply, CameraTestAdvanced):
        return StepReply(**fields)
    if isinstance(reply, CameraFound):
        return FoundReply(**fields)
    return SearchReply(**fields) if isinstance(reply, SearchEnded) else ProfilesReply(**fields)


class PlannedCameraInfo(Schema):
    """An entry of a file, and what becomes of it."""

    place: str
    name: str
    verdict: Verdict
    why: str
    camera_id: str | None
    url: str | None
    main_stream_url: str | None
    username: str | None
    has_password: bool


class ImportPreview(Schema):
    """What importing a file would do; *needs* are variables whose values it names but does not hold."""

    format: FileFormat
    cameras: list[PlannedCameraInfo]
    new: int
    duplicates: int
    invalid: int
    needs: list[str]


class AddedCameraInfo(Schema):
    """A camera that was added."""

    camera_id: str
    name: str


class ImportProgress(Schema):
    """What was added by one step of an import, and where the next begins; null when all is done."""

    import_id: str
    added: list[AddedCameraInfo]
    next: int | None


class CameraImportInfo(Schema):
    """An import, newest first."""

    import_id: str
    filename: str
    actor: str
    created_at: datetime
    undone_at: datetime | None
    camera_ids: list[str]


class ImportUndone(Schema):
    """What taking an import back has removed; cameras that were edited since are kept."""

    removed: list[str]
    kept: list[str]


class CameraExport(Schema):
    """All cameras as a file, without their passwords."""

    filename: str
    text: str
