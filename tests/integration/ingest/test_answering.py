"""What is asked about cameras that nobody has registered: answered by simulated ones."""

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
from services.ingest.answering import Answerer
from services.ingest.config import IngestSettings
from tests.integration.ingest.harness import CREDENTIALS, SETTINGS, simulated
from tests.onvif_camera import LOOPBACK, OnvifCamera, run_onvif_camera

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


async def test_cameras_are_found_once_each_and_lead_to_where_they_answered_from() -> None:
    """Two answers to each of several probes are one camera; its other addresses are not believed."""
    async with run_onvif_camera(OnvifCamera()) as camera:
        *found, ended = await answers(CameraSearch(seconds=1.5))
        (device,) = [one.device for one in found if isinstance(one, CameraFound)]
        assert device.address == camera.address
    assert (device.host, device.name, device.model) == (LOOPBACK, "Acme Dome 3", "D3")
    assert isinstance(ended, SearchEnded)
    assert (ended.found, ended.searched) == (1, [LOOPBACK])


async def test_network_without_cameras_is_searched_in_vain() -> None:
    """Nothing found is an answer, with where it was looked for."""
    (ended,) = await answers(CameraSearch(seconds=0.5))
    assert isinstance(ended, SearchEnded)
    assert (ended.found, ended.searched, ended.explanation) == (0, [LOOPBACK], "")


async def test_streams_are_listed_and_chosen_in_spite_of_a_wrong_clock() -> None:
    """The token is dated by the camera's clock; streams are at the host that was asked, wherever it says."""
    async with run_onvif_camera(OnvifCamera()) as camera:
        query = ProfileQuery(address=camera.address, username=camera.username, password=camera.password)
        (listed,) = await answers(query)
    assert isinstance(listed, ProfilesListed)
    assert listed.ok, listed.explanation
    assert (listed.url, listed.main_stream_url) == (
        f"rtsp://{LOOPBACK}:554/sub",
        f"rtsp://{LOOPBACK}:554/main?x=1&y=2",
    )
    assert listed.device is not None
    assert (listed.device.name, listed.device.host) == ("Acme Dome 3", LOOPBACK)
    assert [profile.size_wh for profile in listed.profiles] == [(1920, 1080), (640, 360)]


async def test_wrong_onvif_password_is_told() -> None:
    """A SOAP fault, of whatever form, becomes the words that everybody knows."""
    async with run_onvif_camera(OnvifCamera()) as camera:
        (listed,) = await answers(ProfileQuery(address=camera.address, username="admin", password="no"))
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
