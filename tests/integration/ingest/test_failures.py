"""Every way in which a camera lets one down: told in words, and mended by itself."""

import asyncio
import socket
import threading
import time
from pathlib import Path

import pytest

from mien.simulator.camera import ClipSource
from mien.simulator.clips import load_clip
from services.ingest.picture import DecodedPicture
from tests.integration.ingest.harness import CREDENTIALS, simulated, until, watching


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


@pytest.mark.parametrize("side", ["rtsp", "mjpeg"])
async def test_a_camera_that_never_answers_is_told(clip: Path, side: str) -> None:
    """It accepts the connection and says nothing, ever; FFmpeg's "invalid data" is not what people read."""
    async with simulated(clip) as (simulator, camera):
        camera.faults.half_open = True
        async with watching(simulator.addresses("cam")[side]) as watch:
            await watch.reaches("backoff")
            assert watch.reasons[0] == "the camera does not answer"


async def test_a_snapshot_that_is_promised_and_never_sent_is_silence() -> None:
    """The head of an answer is one: the camera is there."""

    async def promise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 9\r\n\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(promise, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with watching(f"http://127.0.0.1:{port}/now.jpg") as watch:
            await watch.reaches("backoff")
            assert watch.reasons[0] == "the camera accepts the connection but sends no pictures"


@pytest.mark.parametrize("side", ["rtsp", "mjpeg"])
async def test_a_camera_that_opens_but_sends_nothing_never_streams(clip: Path, side: str) -> None:
    """A mute camera "opens" with a width of 0; it is connecting until a picture comes (trap 5).

    One of JPEGs can't be opened without a picture, and answers all the same.
    """
    async with simulated(clip) as (simulator, camera):
        camera.faults.mute = True
        async with watching(simulator.addresses("cam")[side]) as watch:
            await watch.reaches("backoff")
            assert "streaming" not in watch.states
            assert watch.reasons[0] == "the camera accepts the connection but sends no pictures"
            camera.faults.mute = False
            await watch.streams_again()


@pytest.mark.parametrize("side", ["rtsp", "mjpeg"])
async def test_a_camera_that_freezes_is_lost_and_found(clip: Path, side: str) -> None:
    """The connection stays open and nothing comes: a stall, and streaming again after the thaw."""
    async with simulated(clip) as (simulator, camera):
        url = simulator.rtsp_url("cam") if side == "rtsp" else simulator.mjpeg_url("cam")
        async with watching(url) as watch:
            await watch.reaches("streaming")
            camera.faults.mute = True
            await watch.reaches("backoff")
            assert watch.reasons[0] == "the camera stopped sending pictures"
            camera.faults.mute = False
            await watch.streams_again()


async def test_a_short_freeze_costs_no_connection(clip: Path) -> None:
    """Half a second of silence is part of life."""
    async with simulated(clip) as (simulator, camera), watching(simulator.rtsp_url("cam")) as watch:
        await watch.reaches("streaming")
        camera.faults.mute = True
        await asyncio.sleep(0.5)
        camera.faults.mute = False
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
        await until(lambda: any(sample.size_wh == (640, 360) for sample in watch.samples))
        assert watch.reader.openings == 1


async def test_lost_packets_give_corrupt_pictures_that_go_nowhere(wide_clip: Path) -> None:
    """Pictures with holes are dropped and counted; whole ones go on."""
    async with simulated(wide_clip) as (simulator, camera), watching(simulator.rtsp_url("cam")) as watch:
        await watch.reaches("streaming")
        camera.faults.loss = 0.05
        await until(lambda: watch.reader.dropped["corrupt"] > 3)
        camera.faults.loss = 0.0
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
            camera.faults.mute = True
            await asyncio.sleep(0.2)
        # Leaving the context has stopped the reader and seen its thread end.
        assert watch.reader.report.state == "streaming"
