"""Reading real streams of simulated cameras, and every way in which a camera lets one down."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import aiohttp
import av
import numpy as np
import pytest
import simplejpeg

from mien.simulator import clock_strip
from mien.simulator.auth import Credentials
from mien.simulator.camera import BarcodeSource, ClipSource, SimulatedCamera
from mien.simulator.clips import load_clip
from mien.simulator.simulator import run_simulator
from services.ingest.picture import DecodedPicture
from tests.integration.ingest.harness import CREDENTIALS, simulated, until, watching, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a moving picture, 320x180."""
    return write_clip(tmp_path_factory.mktemp("clips") / "small.mp4")


@pytest.fixture(scope="module")
def wide_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, 640x360."""
    return write_clip(tmp_path_factory.mktemp("clips") / "wide.mp4", size_wh=(640, 360))


@pytest.mark.parametrize("scheme", ["digest", "basic"])
async def test_rtsp_streams_with_a_difficult_password(clip: Path, scheme: str) -> None:
    """Basic or digest, with every special character in the password, pictures come as JPEGs (trap 4)."""
    credentials = Credentials(CREDENTIALS.username, CREDENTIALS.password, scheme)  # type: ignore[arg-type]
    async with (
        simulated(clip, credentials=credentials) as (simulator, _),
        watching(simulator.rtsp_url("cam")) as watch,
    ):
        await until(lambda: len(watch.samples) >= 5, watch.reasons)
        assert watch.samples[0].size_wh == (320, 180)
        assert simplejpeg.decode_jpeg(watch.samples[0].jpeg).shape == (180, 320, 3)
        assert watch.states == ["connecting", "streaming"]
        assert watch.reader.report.codec == "h264"


async def test_the_loop_goes_on_without_a_break(clip: Path) -> None:
    """A clip of two seconds is one endless stream: five seconds long no reconnect, nothing corrupt."""
    async with simulated(clip) as (simulator, _), watching(simulator.rtsp_url("cam")) as watch:
        await until(lambda: watch.reader.pictures_seen > 75, watch.reasons)
        assert watch.reader.openings == 1
        assert watch.reader.dropped == {}


async def test_capture_time_is_that_of_the_sender(clip: Path) -> None:
    """The time a frame carries is the time burned into it, less what encoder and network take."""
    camera = SimulatedCamera("cam", BarcodeSource(clip))
    async with (
        run_simulator([camera]) as simulator,
        watching(simulator.rtsp_url("cam"), username=None, password=None) as watch,
    ):
        await until(lambda: len(watch.samples) >= 15)
        differences = []
        for sample in watch.samples[8:]:
            luma = simplejpeg.decode_jpeg(sample.jpeg, colorspace="GRAY")[..., 0]
            burned_ms = clock_strip.read(luma)
            assert burned_ms is not None
            differences.append(clock_strip.age_ms(burned_ms, sample.captured_at_ns // 1_000_000))
        # The promptest picture, for a busy machine delays the others. Without knowing that the parser holds
        # one picture back it would be an interval (67 ms) late, too.
        assert -20 < min(differences) < 66, differences


async def test_the_cameras_own_clock_travels_separately(clip: Path) -> None:
    """Sender reports tell the camera's clock, which never replaces the time of arrival (trap 12)."""
    async with simulated(clip) as (simulator, _), watching(simulator.rtsp_url("cam")) as watch:
        await until(lambda: any(sample.camera_clock_ns is not None for sample in watch.samples))
        sample = next(sample for sample in watch.samples if sample.camera_clock_ns is not None)
        assert sample.camera_clock_ns is not None
        assert abs(sample.camera_clock_ns - sample.captured_at_ns) < 2e9


async def test_mjpeg_passes_on_the_cameras_own_bytes(clip: Path) -> None:
    """No picture of an MJPEG camera is decoded and encoded again: each JPEG is one that was sent."""
    async with simulated(clip) as (simulator, camera), watching(simulator.mjpeg_url("cam")) as watch:
        await until(lambda: len(watch.samples) >= 5, watch.reasons)
        source = camera.source
        sent = {source.next(with_jpeg=True).jpeg for _ in range(30)}
        assert {sample.jpeg for sample in watch.samples} <= sent


async def test_mjpeg_wider_than_asked_is_scaled(wide_clip: Path) -> None:
    """Frames are never wider than the camera's setting."""
    async with (
        simulated(wide_clip) as (simulator, _),
        watching(simulator.mjpeg_url("cam"), frame_width_px=320) as watch,
    ):
        await until(lambda: bool(watch.samples), watch.reasons)
        assert watch.samples[0].size_wh == (320, 180)


async def test_a_file_plays_in_real_time_and_again(clip: Path) -> None:
    """A file is paced by its own times and begins anew at its end, without a loss."""
    async with watching(clip.as_uri(), username=None, password=None) as watch:
        await until(lambda: watch.reader.pictures_seen >= 50, watch.reasons)
        assert watch.states == ["connecting", "streaming"]
        captured = [sample.captured_at_ns / 1e9 for sample in watch.samples[:10]]
        # At 5 a second nine intervals are 1.8 s; unpaced they would be some milliseconds.
        assert captured[-1] - captured[0] > 1.7


async def test_a_file_that_is_missing_or_no_video_is_told(tmp_path: Path) -> None:
    """Both are states that people understand, and neither is tried every second."""
    text = tmp_path / "notes.mp4"
    text.write_text("no video")
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXTINF:2,\n/etc/passwd\n")
    for path, state in (
        (tmp_path / "none.mp4", "not_found"),
        (text, "unsupported"),
        (playlist, "unsupported"),
    ):
        async with watching(path.as_uri(), username=None, password=None) as watch:
            await watch.reaches(state)


@pytest.mark.parametrize("side", ["rtsp", "mjpeg"])
async def test_wrong_password_and_wrong_path_are_told_without_the_password(clip: Path, side: str) -> None:
    """The state says which of the two it is; no text holds what was tried (trap 3)."""
    async with simulated(clip) as (simulator, _):
        url = simulator.rtsp_url("cam") if side == "rtsp" else simulator.mjpeg_url("cam")
        async with watching(url, password="wr0ng") as watch:
            await watch.reaches("auth_failed")
            assert watch.reasons == ["wrong user name or password"]
            assert watch.reader.openings == 1
        async with watching(url.replace("/cam", "/nobody")) as watch:
            await watch.reaches("not_found")
            assert CREDENTIALS.password not in str(watch.reasons)


async def test_a_closed_port_and_an_unknown_host_are_told_apart() -> None:
    """Each says in words what it is, and is tried again."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with watching(f"rtsp://127.0.0.1:{port}/cam") as watch:
            await until(lambda: watch.reader.openings >= 3)
            assert "refuses the connection" in watch.reasons[0]
    async with watching("rtsp://nobody.invalid/cam") as watch:
        await watch.reaches("backoff")
        assert watch.reasons[0] == "the camera's host name is not known"


async def test_a_host_that_swallows_everything_is_told_in_time() -> None:
    """A connection that is neither accepted nor refused ends at the time limit, not after minutes."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        # A full backlog: further connection attempts are dropped without an answer.
        knocking = [socket.socket() for _ in range(4)]
        try:
            for one in knocking:
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            async with watching(f"rtsp://127.0.0.1:{full.getsockname()[1]}/cam") as watch:
                await watch.reaches("backoff")
                assert watch.reasons[0] == "the camera does not answer"
        finally:
            for one in knocking:
                one.close()


async def test_a_camera_that_never_answers_is_told(clip: Path) -> None:
    """It accepts the connection and says nothing, ever; FFmpeg's "invalid data" is not what people read."""
    async with simulated(clip) as (simulator, camera):
        camera.deaf = True
        async with watching(simulator.rtsp_url("cam")) as watch:
            await watch.reaches("backoff")
            assert watch.reasons[0] == "the camera does not answer"


async def test_a_camera_that_opens_but_sends_nothing_never_streams(clip: Path) -> None:
    """A mute camera "opens" with a width of 0; it is connecting until a picture comes (trap 5)."""
    async with simulated(clip) as (simulator, camera):
        camera.muted = True
        async with watching(simulator.rtsp_url("cam")) as watch:
            await watch.reaches("backoff")
            assert "streaming" not in watch.states
            assert watch.reasons[0] == "the camera accepts the connection but sends no pictures"
            camera.muted = False
            await watch.streams_again()


@pytest.mark.parametrize("side", ["rtsp", "mjpeg"])
async def test_a_camera_that_freezes_is_lost_and_found(clip: Path, side: str) -> None:
    """The connection stays open and nothing comes: a stall, and streaming again after the thaw."""
    async with simulated(clip) as (simulator, camera):
        url = simulator.rtsp_url("cam") if side == "rtsp" else simulator.mjpeg_url("cam")
        async with watching(url) as watch:
            await watch.reaches("streaming")
            camera.frozen = True
            await watch.reaches("backoff")
            assert watch.reasons[0] == "the camera stopped sending pictures"
            camera.frozen = False
            await watch.streams_again()


async def test_a_short_freeze_costs_no_connection(clip: Path) -> None:
    """Half a second of silence is part of life."""
    async with simulated(clip) as (simulator, camera), watching(simulator.rtsp_url("cam")) as watch:
        await watch.reaches("streaming")
        camera.frozen = True
        await asyncio.sleep(0.5)
        camera.frozen = False
        await watch.streams_again()
        assert watch.reader.openings == 1


@pytest.mark.parametrize("side", ["rtsp", "mjpeg"])
async def test_a_closed_connection_is_opened_again(clip: Path, side: str) -> None:
    """The end of a live stream comes without an exception, and is a loss all the same (trap 6)."""
    async with simulated(clip) as (simulator, camera):
        url = simulator.rtsp_url("cam") if side == "rtsp" else simulator.mjpeg_url("cam")
        async with watching(url) as watch:
            await watch.reaches("streaming")
            camera.drop()
            await watch.reaches("backoff")
            assert watch.reasons[0] == "the camera closed the connection"
            await watch.streams_again()
            assert watch.samples[-1].opening > watch.samples[0].opening


async def test_a_camera_without_power_comes_back(clip: Path) -> None:
    """Off, it refuses; on again, it streams without anybody's doing."""
    async with simulated(clip) as (simulator, _), watching(simulator.rtsp_url("cam")) as watch:
        await watch.reaches("streaming")
        await simulator.rtsp.refuse()
        await until(lambda: any("refuses" in reason for reason in watch.reasons), watch.reasons)
        await simulator.rtsp.accept()
        await watch.streams_again()


async def test_another_resolution_needs_no_new_connection(clip: Path, wide_clip: Path) -> None:
    """The next frames have the new size, and are not squeezed into the old one."""
    async with simulated(clip) as (simulator, camera), watching(simulator.rtsp_url("cam")) as watch:
        await watch.reaches("streaming")
        camera.source = ClipSource(load_clip(wide_clip))
        await until(lambda: watch.samples[-1].size_wh == (640, 360))
        assert watch.reader.openings == 1


async def test_lost_packets_give_corrupt_pictures_that_go_nowhere(wide_clip: Path) -> None:
    """Pictures with holes are dropped and counted; whole ones go on."""
    async with simulated(wide_clip) as (simulator, camera), watching(simulator.rtsp_url("cam")) as watch:
        await watch.reaches("streaming")
        camera.loss = 0.05
        await until(lambda: watch.reader.dropped["corrupt"] > 3)
        camera.loss = 0.0
        await watch.streams_again()


async def test_a_reader_that_falls_behind_skips_to_the_present(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Starved for a while, a reader drops what queued in the network and is live again."""
    starved = threading.Event()
    encode = DecodedPicture.to_jpeg

    def slow_encode(self: DecodedPicture, **options: int) -> tuple[bytes, tuple[int, int]]:
        if starved.is_set():
            time.sleep(0.6)
        return encode(self, **options)

    monkeypatch.setattr(DecodedPicture, "to_jpeg", slow_encode)
    async with simulated(clip) as (simulator, _), watching(simulator.rtsp_url("cam")) as watch:
        await until(lambda: len(watch.samples) > 5)
        starved.set()
        await until(lambda: watch.reader.dropped["lag"] > 0)
        starved.clear()
        await watch.streams_again()
        await until(lambda: time.time_ns() - watch.samples[-1].captured_at_ns < 1e9)


async def test_a_reader_blocked_in_a_read_ends_by_its_time_limit(clip: Path) -> None:
    """Stopping never closes a container under its reader; the read's own limit ends it (trap 1)."""
    async with simulated(clip) as (simulator, camera):
        async with watching(simulator.rtsp_url("cam")) as watch:
            await watch.reaches("streaming")
            camera.frozen = True
            await asyncio.sleep(0.2)
        # Leaving the context has stopped the reader and seen its thread end.
        assert watch.reader.report.state == "streaming"


async def test_files_that_cameras_do_not_send_are_encoded_for_them(tmp_path: Path) -> None:
    """A file with B frames, and a still picture, are served as plain H.264 like any other."""
    with_b_frames = write_clip(tmp_path / "b.mp4", preset="medium", bf="2", g="30")
    still = tmp_path / "still.jpg"
    still.write_bytes(simplejpeg.encode_jpeg(np.full((180, 320, 3), 90, np.uint8)))
    with av.open(str(with_b_frames)) as container:
        assert container.streams.video[0].codec_context.has_b_frames
    for path in (with_b_frames, still):
        async with simulated(path) as (simulator, _), watching(simulator.rtsp_url("cam")) as watch:
            await watch.delivers(3)
            assert watch.reader.dropped == {}


async def test_faults_are_switched_over_http(clip: Path) -> None:
    """The control port does what the attributes do, and says so when it is asked for something unknown."""
    async with (
        simulated(clip) as (simulator, camera),
        aiohttp.ClientSession(f"http://127.0.0.1:{simulator.control_port}") as control,
    ):
        async with control.post("/cameras/cam/freeze") as answer:
            assert (answer.status, camera.frozen) == (204, True)
        async with control.post("/cameras/cam/thaw") as answer:
            assert (answer.status, camera.frozen) == (204, False)
        async with control.post("/cameras/cam/explode") as answer:
            assert answer.status == 404
        async with control.post("/refuse"), watching(simulator.rtsp_url("cam")) as watch:
            await watch.reaches("backoff")
            async with control.post("/accept"):
                await watch.streams_again()


def test_readers_need_no_opencv() -> None:
    """Ingest reads cameras without OpenCV, which would bring a second FFmpeg into the process."""
    code = "import sys, services.ingest.main; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
