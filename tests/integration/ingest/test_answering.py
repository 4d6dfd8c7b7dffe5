"""What is asked about cameras that nobody has registered: answered by simulated ones."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mien.contracts.camera_requests import (
    LAST_REPLIES,
    CameraFound,
    CameraReply,
    CameraRequest,
    CameraSearch,
    CameraTestAdvanced,
    CameraTested,
    ProfileQuery,
    ProfilesListed,
    SearchEnded,
    StreamTest,
)
from mien.contracts.cameras import Camera
from mien.simulator import discovery as simulated_discovery
from mien.simulator.camera import ClipSource, SimulatedCamera
from mien.simulator.clips import load_clip
from mien.simulator.simulator import CameraSimulator, run_simulator
from services.ingest import discovery
from services.ingest.answering import Answerer
from services.ingest.config import IngestSettings
from tests.integration.ingest.harness import CREDENTIALS, SETTINGS, simulated

LOOPBACK = "127.0.0.1"
SEARCHING = SETTINGS.model_copy(update={"search_interfaces": LOOPBACK})


async def answers(request: CameraRequest, settings: IngestSettings = SEARCHING) -> list[CameraReply]:
    """Return all answers to a request; the last one, and only it, is a last one."""
    told: list[CameraReply] = []
    await Answerer(settings).answer("r-1", request, told.append)
    assert [isinstance(reply, LAST_REPLIES) for reply in told] == [False] * (len(told) - 1) + [True]
    assert len({reply.event_id for reply in told}) == len(told)
    return told


def candidate(url: str, **fields: Any) -> Camera:
    """Return a camera that nobody has registered."""
    known = {"username": CREDENTIALS.username, "password": CREDENTIALS.password}
    return Camera(camera_id="candidate", name="Candidate", url=url, partition=0, **{**known, **fields})


async def test_address_that_works_is_measured_and_shown(clip: Path) -> None:
    """Steps are told as they are reached, then what the stream is like, with its first picture."""
    async with simulated(clip) as (simulator, _):
        camera = candidate(simulator.rtsp_url("cam"))
        *steps, tested = await answers(StreamTest(camera=camera, measure_seconds=2))
    assert [one.step for one in steps if isinstance(one, CameraTestAdvanced)] == [
        "connecting",
        "connected",
        "measuring",
    ]
    assert isinstance(tested, CameraTested)
    assert tested.ok, tested.explanation
    assert tested.snapshot_jpeg is not None
    assert tested.snapshot_jpeg.startswith(b"\xff\xd8")
    report = tested.report
    assert report is not None
    assert (report.codec, report.size_wh) == ("h264", (320, 180))
    assert report.measured_fps == pytest.approx(15, abs=1)
    assert report.keyframe_interval_seconds == pytest.approx(0.47, abs=0.1)
    assert report.bitrate_kbps is not None
    assert report.bitrate_kbps > 10
    assert any("near the camera only" in warning for warning in report.warnings)


async def test_stream_of_jpegs_has_no_keyframes_to_tell_of(clip: Path) -> None:
    """MJPEG is measured by the same test."""
    async with simulated(clip) as (simulator, _):
        camera = candidate(simulator.mjpeg_url("cam"))
        *_, tested = await answers(StreamTest(camera=camera, measure_seconds=1))
    assert isinstance(tested, CameraTested)
    assert tested.report is not None
    assert (tested.report.codec, tested.report.keyframe_interval_seconds) == ("mjpeg", None)


@pytest.mark.parametrize(
    ("name", "fields", "reason", "words"),
    [
        ("cam", {"password": "wrong-secret"}, "auth_failed", "wrong user name or password"),
        ("cam", {"username": None, "password": None}, "auth_failed", "wants a user name"),
        ("nothing-here", {}, "not_found", "no stream at this path"),
    ],
)
async def test_refusal_is_told_with_what_to_do(
    clip: Path, name: str, fields: dict[str, Any], reason: str, words: str
) -> None:
    """Each failure has its words and its advice, and never the password."""
    async with simulated(clip) as (simulator, _):
        camera = candidate(simulator.rtsp_url("cam").replace("/cam", f"/{name}"), **fields)
        *_, tested = await answers(StreamTest(camera=camera))
    assert isinstance(tested, CameraTested)
    assert (tested.ok, tested.reason) == (False, reason)
    assert words in tested.explanation
    assert tested.advice
    assert "wrong-secret" not in repr(tested)


async def test_camera_that_sends_nothing_is_not_waited_for_for_ever(clip: Path) -> None:
    """It accepts the connection and stays silent."""
    async with simulated(clip) as (simulator, camera):
        camera.faults.mute = True
        *_, tested = await answers(StreamTest(camera=candidate(simulator.rtsp_url("cam"))))
    assert isinstance(tested, CameraTested)
    assert tested.reason in ("silent", "no_answer")


@pytest.fixture
def own_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search on a port of our own, for other tests of this machine have cameras on the loopback, too."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOOPBACK, 0))
        group = (discovery.GROUP[0], sock.getsockname()[1])
    monkeypatch.setattr(discovery, "GROUP", group)
    monkeypatch.setattr(simulated_discovery, "GROUP", group)


@asynccontextmanager
async def onvif_cameras(clip: Path, wide_clip: Path) -> AsyncIterator[CameraSimulator]:
    """Two cameras, one with a main stream, that answer over ONVIF."""
    clips = {"door": clip, "door-main": wide_clip, "yard": clip}
    cameras = [SimulatedCamera(name, ClipSource(load_clip(path))) for name, path in clips.items()]
    async with run_simulator(cameras, onvif_port=0, credentials=CREDENTIALS) as simulator:
        yield simulator


def asking(simulator: CameraSimulator, **fields: Any) -> ProfileQuery:
    """Return a question to the camera at the door."""
    known = {"username": CREDENTIALS.username, "password": CREDENTIALS.password}
    return ProfileQuery(address=simulator.addresses("door")["onvif"], **{**known, **fields})


@pytest.mark.usefixtures("own_group")
async def test_cameras_are_found_once_each_and_lead_to_where_they_answered_from(
    clip: Path, wide_clip: Path
) -> None:
    """Answers to several probes are one camera; a host that it names besides is not believed."""
    async with onvif_cameras(clip, wide_clip) as simulator:
        simulator.cameras["door"].faults.wrong_host = True
        *found, ended = await answers(CameraSearch(seconds=1.5))
        devices = {one.device.name: one.device for one in found if isinstance(one, CameraFound)}
        expected = {name: simulator.addresses(name)["onvif"] for name in ("door", "yard")}
    assert {name: device.address for name, device in devices.items()} == expected
    assert (devices["door"].host, devices["door"].model) == (LOOPBACK, "simulated camera")
    assert isinstance(ended, SearchEnded)
    assert (ended.found, ended.searched) == (2, [LOOPBACK])


@pytest.mark.usefixtures("own_group")
async def test_cameras_without_power_or_cable_are_not_found(clip: Path, wide_clip: Path) -> None:
    """Nothing found is an answer, with where it was looked for."""
    async with onvif_cameras(clip, wide_clip) as simulator:
        simulator.cameras["door"].faults.half_open = True
        found, _ = await answers(CameraSearch(seconds=0.5))
        assert isinstance(found, CameraFound)
        assert found.device.name == "yard"
        await simulator.refuse()
        (ended,) = await answers(CameraSearch(seconds=0.5))
        assert isinstance(ended, SearchEnded)
        assert (ended.found, ended.searched, ended.explanation) == (0, [LOOPBACK], "")
        await simulator.accept()
        assert len(await answers(CameraSearch(seconds=0.5))) == 2


async def test_streams_are_listed_and_chosen_in_spite_of_a_wrong_clock(clip: Path, wide_clip: Path) -> None:
    """The token is dated by the camera's clock; streams are at the host that was asked, wherever it says."""
    async with onvif_cameras(clip, wide_clip) as simulator:
        door = simulator.cameras["door"]
        door.faults.wrong_host, door.faults.clock = True, 3 * 3600
        (listed,) = await answers(asking(simulator))
        urls = simulator.rtsp_url("door-main"), ""
        assert isinstance(listed, ProfilesListed)
        assert listed.ok, listed.explanation
        assert (listed.url, listed.main_stream_url) == urls
        *_, tested = await answers(StreamTest(camera=candidate(listed.url), measure_seconds=0.5))
        assert isinstance(tested, CameraTested)
        assert tested.ok, tested.explanation
    assert listed.device is not None
    assert (listed.device.name, listed.device.host) == ("Mien simulated camera", LOOPBACK)
    assert [profile.size_wh for profile in listed.profiles] == [(640, 360), (320, 180)]


async def test_wrong_onvif_password_is_told(clip: Path, wide_clip: Path) -> None:
    """A SOAP fault, of whatever form, becomes the words that everybody knows."""
    async with onvif_cameras(clip, wide_clip) as simulator:
        (listed,) = await answers(asking(simulator, password="no"))
    assert isinstance(listed, ProfilesListed)
    assert (listed.ok, listed.reason) == (False, "auth_failed")
    assert listed.advice


async def test_web_server_that_is_no_camera_is_told_from_one(clip: Path) -> None:
    """Whatever answers with anything else does not speak ONVIF."""
    async with simulated(clip, credentials=None) as (simulator, _):
        host = simulator.mjpeg_url("cam").split("/")[2]
        (listed,) = await answers(ProfileQuery(address=host))
    assert isinstance(listed, ProfilesListed)
    assert (listed.ok, listed.reason) == (False, "no_onvif")
