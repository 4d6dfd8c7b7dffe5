"""What the gateway asks about cameras that may not be registered yet, and what ingest answers.

The events that travel hold an identifier only. What is asked, an address perhaps with a password, lies in
Redis under it for a minute, encrypted (:func:`~mien.contracts.shared_state.camera_request_key`), and never
in Kafka.
"""

from typing import Annotated, Literal

import msgspec

from mien.contracts.camera_status import ShownCertificate
from mien.contracts.cameras import Camera
from mien.contracts.events import Event

REQUEST_TTL_SECONDS = 60
"""How long anybody waits for an answer; older requests are dropped."""
ANSWERS_TTL_SECONDS = 300
TestStep = Literal["connecting", "connected", "measuring"]


class StreamTest(msgspec.Struct, frozen=True, kw_only=True, tag="test"):
    """Open a camera's address and say how it is.

    Attributes:
        camera: What to open; it need not be registered.
        measure_seconds: How long to watch it; 0 is content with one picture.
    """

    camera: Camera
    measure_seconds: Annotated[float, msgspec.Meta(ge=0, le=20)] = 4.0


class ProfileQuery(msgspec.Struct, frozen=True, kw_only=True, tag="profiles"):
    """Ask a camera over ONVIF which streams it has.

    Attributes:
        address: A host, ``host:port`` or the ``http(s)://`` address of its device service.
    """

    address: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    username: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        """Name the camera without what must not reach a log."""
        return f"ProfileQuery({self.address!r})"


class CameraSearch(msgspec.Struct, frozen=True, kw_only=True, tag="search"):
    """Look for ONVIF cameras in the networks that ingest is in.

    Attributes:
        seconds: How long to wait for answers.
    """

    seconds: Annotated[float, msgspec.Meta(ge=0.5, le=20)] = 4.0


CameraRequest = StreamTest | ProfileQuery | CameraSearch


class StreamReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured on a stream while it was watched.

    Attributes:
        measured_fps: Pictures per second that came; None when the time was too short to tell.
        keyframe_interval_seconds: Between two keyframes; None when fewer than two came.
        bitrate_kbps: Thousands of bits per second.
        clock_skew_seconds: How far the camera's clock is ahead of ours; None where it doesn't tell.
        warnings: What works but could be better, with what to do, a sentence each.
    """

    codec: str
    size_wh: tuple[int, int]
    measured_fps: float | None = None
    keyframe_interval_seconds: float | None = None
    bitrate_kbps: float | None = None
    clock_skew_seconds: float | None = None
    warnings: list[str] = []


class CameraDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A camera that was found, as it describes itself; what it says is not to be believed.

    Attributes:
        address: Address of its ONVIF device service.
        host: Where it answered from.
    """

    address: str
    host: str
    name: str = ""
    maker: str = ""
    model: str = ""
    firmware: str = ""


class StreamProfile(msgspec.Struct, frozen=True, kw_only=True):
    """One of the streams a camera offers.

    Attributes:
        url: Without credentials; empty where the camera names none.
        fps: At most so many pictures per second, as it is set up.
    """

    name: str
    url: str
    codec: str = ""
    size_wh: tuple[int, int] | None = None
    fps: float | None = None
    bitrate_kbps: float | None = None


class CameraTestRequested(Event, frozen=True, kw_only=True):
    """Somebody wants something known about an address; what, lies in Redis under *request_id*."""

    request_id: str


class CameraTestAdvanced(Event, frozen=True, kw_only=True, tag="test_advanced"):
    """A test has come so far."""

    request_id: str
    step: TestStep


class CameraTested(Event, frozen=True, kw_only=True, tag="tested"):
    """The last answer to a :class:`StreamTest`.

    Attributes:
        explanation: How it went, in words. Never holds credentials.
        reason: A word of a small closed set, as in the metrics; empty when all is well.
        advice: What to do about a failure; may be empty.
        certificate: What the camera shows and nobody vouches for; None where that isn't the matter.
    """

    request_id: str
    ok: bool
    explanation: str
    size_wh: tuple[int, int] | None = None
    snapshot_jpeg: bytes | None = None
    reason: str = ""
    advice: str = ""
    report: StreamReport | None = None
    certificate: ShownCertificate | None = None


class CameraFound(Event, frozen=True, kw_only=True, tag="found"):
    """A camera answered to a :class:`CameraSearch`; more may follow."""

    request_id: str
    device: CameraDevice


class SearchEnded(Event, frozen=True, kw_only=True, tag="search_ended"):
    """The last answer to a :class:`CameraSearch`.

    Attributes:
        searched: Addresses of the network interfaces it was looked for on.
        explanation: Why nothing could be looked for; empty when it could.
    """

    request_id: str
    found: int
    searched: list[str]
    explanation: str = ""


class ProfilesListed(Event, frozen=True, kw_only=True, tag="profiles"):
    """The answer to a :class:`ProfileQuery`.

    Attributes:
        explanation: How it went, in words; *reason* and *advice* as in :class:`CameraTested`.
        url: The stream that Mien should look for faces in; empty where there is none.
        main_stream_url: The one that it should cut them out of; empty where there is no larger one.
    """

    request_id: str
    ok: bool
    explanation: str
    reason: str = ""
    advice: str = ""
    device: CameraDevice | None = None
    profiles: tuple[StreamProfile, ...] = ()
    url: str = ""
    main_stream_url: str = ""


CameraReply = CameraTestAdvanced | CameraTested | CameraFound | SearchEnded | ProfilesListed
LAST_REPLIES = (CameraTested, SearchEnded, ProfilesListed)
"""After one of these no other follows."""
