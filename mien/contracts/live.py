"""What the gateway sends to a browser over the live websocket, ``/api/live``.

The browser sends JSON text: ``{"type": "watch", "cameras": [ids]}`` replaces what it watches,
``{"type": "ping", "sent_at_ms": t}`` measures its clock against ours. The gateway answers with JSON
text messages (:class:`CameraUpdate`, :class:`Pong`, :class:`Notice`) and, per frame, one binary message::

    byte 0       version of this layout, 1
    bytes 1..4   length of the JSON, little endian
    then         JSON of LiveFrame, then the frame's JPEG
"""

import struct

import msgspec

from mien.contracts.camera_status import CameraStatus
from mien.contracts.events import (
    BoxXyxy,
    IdentityAnswer,
    IdentityState,
    NotEnoughReason,
    TirednessAnswer,
)

LAYOUT_VERSION = 1
_HEADER = struct.Struct("<BI")


class LiveEmotion(msgspec.Struct, frozen=True, kw_only=True):
    """How a face looks; *label* may be ``uncertain``."""

    label: str
    probabilities: dict[str, float]


class LiveTiredness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether somebody looks tired, and from what; fields as in ``TirednessEstimated``."""

    answer: TirednessAnswer
    reason: NotEnoughReason | None
    perclos: float | None
    yawns: int
    watched_seconds: float


class LiveFace(msgspec.Struct, frozen=True, kw_only=True):
    """A face in a frame. *answer* is None until the recognizer has said something.

    Attributes:
        box_xyxy: Pixels of the frame.
        similarity: Rounded; None for roles that may not see biometrics.
        emotion: None where the camera's policy does not allow it; *tiredness*, too.
        stranger_id: Set for somebody unknown who is remembered, with what they are called.
        ignored: Whether it is somebody who is left out of history and alerts.
    """

    track_id: str
    box_xyxy: BoxXyxy
    score: float
    answer: IdentityAnswer | None = None
    state: IdentityState | None = None
    person_id: str | None = None
    person_name: str | None = None
    similarity: float | None = None
    emotion: LiveEmotion | None = None
    stranger_id: str | None = None
    stranger_label: str | None = None
    ignored: bool = False
    tiredness: LiveTiredness | None = None


class LiveFrame(msgspec.Struct, frozen=True, kw_only=True, tag="frame"):
    """Metadata of a frame, in front of its JPEG."""

    camera_id: str
    frame_id: str
    captured_at_ns: int
    detected_at_ns: int
    sent_at_ns: int
    size_wh: tuple[int, int]
    faces: list[LiveFace]


class CameraUpdate(msgspec.Struct, frozen=True, kw_only=True, tag="camera"):
    """A camera's status changed."""

    status: CameraStatus


class CamerasChanged(msgspec.Struct, frozen=True, kw_only=True, tag="cameras_changed"):
    """A camera was added, edited or removed: ask ``GET /api/cameras`` again."""

    generation: int


class Pong(msgspec.Struct, frozen=True, kw_only=True, tag="pong"):
    """Answer to a ping, with the gateway's clock."""

    sent_at_ms: float
    server_at_ms: float


class Notice(msgspec.Struct, frozen=True, kw_only=True, tag="notice"):
    """Something the person at the screen should know, in words."""

    message: str


def encode_live_frame(frame: LiveFrame, jpeg: bytes) -> bytes:
    """Return the binary message for one frame."""
    head = msgspec.json.encode(frame)
    return _HEADER.pack(LAYOUT_VERSION, len(head)) + head + jpeg


def decode_live_frame(message: bytes) -> tuple[LiveFrame, bytes]:
    """Split a binary message into its metadata and its JPEG."""
    _, length = _HEADER.unpack_from(message)
    start = _HEADER.size
    return msgspec.json.decode(message[start : start + length], type=LiveFrame), message[start + length :]
