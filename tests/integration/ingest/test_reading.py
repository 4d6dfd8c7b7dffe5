"""Reading real streams of simulated cameras."""

import asyncio
import statistics
import subprocess
import sys
from pathlib import Path

import aiohttp
import av
import numpy as np
import pytest
import simplejpeg

from mien.simulator import clock_strip
from mien.simulator.auth import Credentials
from mien.simulator.camera import BarcodeSource, ClipSource, Shown, SimulatedCamera
from mien.simulator.clips import load_clip
from mien.simulator.faults import Faults
from mien.simulator.simulator import run_simulator
from tests.integration.ingest.harness import (
    CREDENTIALS,
    DEADLINE_SECONDS,
    SETTINGS,
    simulated,
    until,
    watching,
    write_clip,
)


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
        # The usual picture, for a busy machine delays some, and makes the camera late for others. Without
        # knowing that the parser holds one picture back it would be an interval (67 ms) late.
        assert -20 < statistics.median(differences) < 60, differences


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
        async with control.put("/cameras/cam/faults/mute") as answer:
            assert (answer.status, camera.faults.mute) == (204, True)
        async with control.put("/cameras/cam/faults/loss?value=0.5") as answer:
            assert (answer.status, camera.faults.loss) == (204, 0.5)
        async with control.get("/cameras") as answer:
            assert (await answer.json())["cam"]["faults"] == {"mute": True, "loss": 0.5}
        async with control.delete("/cameras/cam/faults/mute") as answer:
            assert (answer.status, camera.faults.active()) == (204, {"loss": 0.5})
        async with control.delete("/cameras/cam/faults") as answer:
            assert (answer.status, camera.faults.active()) == (204, {})
        for wrong in ("explode", "loss?value=2", "loss", "mute?value=1"):
            async with control.put(f"/cameras/cam/faults/{wrong}") as answer:
                assert answer.status == 400
                assert "there is no fault" in (words := await answer.text()) or "takes" in words
        async with control.put("/cameras/nobody/faults/mute") as answer:
            assert answer.status == 404
        async with control.post("/refuse"), watching(simulator.rtsp_url("cam")) as watch:
            await watch.reaches("backoff")
            async with control.post("/accept"):
                await watch.streams_again()


def test_readers_need_no_opencv() -> None:
    """Ingest reads cameras without OpenCV, which would bring a second FFmpeg into the process."""
    code = "import sys, services.ingest.main; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class FewPictures:
    """The first pictures of a clip, after which the camera sends nothing any more."""

    def __init__(self, clip: Path, *, count: int) -> None:
        source = ClipSource(load_clip(clip))
        self.size_wh, self.codec, self.is_live = source.size_wh, source.codec, source.is_live
        self.parameter_sets = source.parameter_sets
        self.faults: Faults | None = None
        self._source = source
        self._left = count

    def next(self, *, with_jpeg: bool) -> Shown:
        """Return the next picture; the last one is followed by silence."""
        self._left -= 1
        if not self._left and self.faults is not None:
            asyncio.get_running_loop().call_soon(setattr, self.faults, "mute", True)
        return self._source.next(with_jpeg=with_jpeg)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("size_wh", [(160, 96), (1280, 720)], ids=["small", "large"])
async def test_four_pictures_are_enough_to_connect(
    tmp_path: Path, codec: str, size_wh: tuple[int, int]
) -> None:
    """However small they are, nothing waits for more: codec, size and rate are those of the stream.

    Whatever waited would do so until long after the test is over.
    """
    patient = SETTINGS.model_copy(update={"open_timeout_seconds": 2 * DEADLINE_SECONDS})
    path = write_clip(tmp_path / "clip.mp4", size_wh=size_wh, seconds=1, codec=codec)
    source = FewPictures(path, count=4)
    camera = SimulatedCamera("cam", source, from_start=True)
    source.faults = camera.faults
    async with (
        run_simulator([camera]) as simulator,
        watching(simulator.rtsp_url("cam"), settings=patient, username=None, password=None) as watch,
    ):
        await watch.reaches("streaming")
        report = watch.reader.report
        assert (report.codec, report.size_wh) == (source.codec, size_wh)
        assert report.stated_fps == pytest.approx(15)
        assert watch.reader.openings == 1
