"""Cameras of every kind: encrypted ones, pictures by request, playlists; and where none may lead."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from mien.simulator.camera import ClipSource
from mien.simulator.certificate import make_certificate
from mien.simulator.clips import load_clip
from services.ingest.condition import judge
from services.ingest.config import IngestSettings
from services.ingest.status import limits_of, look_at
from tests.integration.ingest.doors import encrypted, site, write_playlist
from tests.integration.ingest.harness import SETTINGS, Watch, simulated, until, watching, write_clip

METADATA = "http://169.254.169.254/latest/meta-data"


def jpeg(value: int) -> bytes:
    return bytes(simplejpeg.encode_jpeg(np.full((90, 160, 3), value, np.uint8), quality=80))


def with_settings(**changes: object) -> IngestSettings:
    return SETTINGS.model_copy(update=changes)


@pytest.mark.parametrize("scheme", ["rtsps", "https"])
async def test_a_certificate_is_checked_or_accepted_for_what_it_is(
    clip: Path, tmp_path: Path, scheme: str
) -> None:
    """Nobody vouches for it: the camera is not read, and what it shows is told. Accepted, it is read."""
    certificate = make_certificate(tmp_path)
    async with simulated(clip) as (simulator, _):
        inner = simulator.rtsp.port if scheme == "rtsps" else simulator.mjpeg_port
        assert inner is not None
        async with encrypted(inner, certificate) as port:
            url = f"{scheme}://127.0.0.1:{port}/cam" + ("" if scheme == "rtsps" else ".mjpg")
            async with watching(url) as watch:
                await watch.reaches("untrusted")
                failure = watch.reader.report.failure
                assert failure is not None
                assert failure.certificate is not None
                assert failure.certificate.sha256 == certificate.sha256
                assert "vouches" in failure.words
                assert not watch.samples
            async with watching(url, certificate_sha256=certificate.sha256) as watch:
                await watch.delivers(2)
            async with watching(url, certificate_sha256="ab" * 32) as watch:
                await watch.reaches("untrusted")
                assert "another certificate" in watch.reasons[0]
            async with watching(url, settings=with_settings(ca_file=certificate.path)) as watch:
                await watch.delivers(1)


async def test_snapshots_are_passed_on_when_they_are_new(clip: Path) -> None:
    """The camera's own bytes, asked for as often as pictures are sampled; the same again goes nowhere."""
    async with site() as pages:
        pages.pages["/snap.jpg"] = ("image/jpeg", jpeg(50))
        async with watching(pages.url("/snap.jpg"), sampled_fps=10.0, username=None, password=None) as watch:
            await watch.delivers(1)
            await until(lambda: len(pages.asked) > 5)
            assert len(watch.samples) == 1
            assert "If-None-Match" in pages.asked[-1].headers
            assert watch.reader.clock_skew_seconds is not None
            assert abs(watch.reader.clock_skew_seconds) < 5
            pages.pages["/snap.jpg"] = ("image/jpeg", jpeg(200))
            await watch.delivers(2)
            assert watch.samples[1].jpeg == jpeg(200)
            frozen = with_settings(frozen_seconds=0.3)
            watch.reader.settings = frozen
            await until(lambda: condition(watch) == "frozen")
            assert watch.reader.openings == 1


@pytest.mark.parametrize("scheme", ["digest", "basic"])
async def test_snapshots_ask_for_the_password_they_are_asked_for(clip: Path, scheme: str) -> None:
    """Basic or digest; a wrong one is told."""
    async with simulated(clip) as (simulator, _):
        url = simulator.mjpeg_url("cam").replace(".mjpg", ".jpg")
        async with watching(url, sampled_fps=10.0) as watch:
            await watch.delivers(3)
        async with watching(url, password="wr0ng") as watch:
            await watch.reaches("auth_failed")
            assert watch.reasons == ["wrong user name or password"]


async def test_a_page_that_is_no_picture_is_told(clip: Path) -> None:
    """What is there is named, and the account is not locked by trying on."""
    async with site() as pages:
        pages.pages["/snap.jpg"] = ("text/html", b"<h1>Log in</h1>")
        async with watching(pages.url("/snap.jpg")) as watch:
            await watch.reaches("unsupported")
            assert watch.reasons[0] == "expected a JPEG picture at this address, got text/html"
        async with watching(pages.url("/nothing.jpg")) as watch:
            await watch.reaches("not_found")
        async with watching(pages.url("/snap.jpg"), kind="mjpeg") as watch:
            await watch.reaches("unsupported")
            assert watch.reasons[0].endswith("(multipart) at this address, got text/html")


async def test_a_playlist_is_shown_at_its_own_pace(clip: Path, tmp_path: Path) -> None:
    """Its pieces come in bursts, its pictures don't: the two seconds of the clip take two seconds."""
    async with site() as pages:
        write_playlist(pages, clip, tmp_path)
        async with watching(pages.url("/index.m3u8"), sampled_fps=15.0) as watch:
            await until(lambda: "backoff" in watch.states or len(watch.samples) > 25, watch.reasons)
            first = [sample for sample in watch.samples if sample.opening == 1]
            arrived = [sample.captured_at_ns / 1e9 for sample in first]
            assert len(first) > 20
            assert arrived[-1] - arrived[0] == pytest.approx(len(first) / 15, rel=0.35)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("file:///etc/passwd", "not of the web"),
        (f"{METADATA}/piece.ts", "no camera may be at 169.254.169.254"),
        ("concat:http://127.0.0.1/a|file:///etc/passwd", "not of the web"),
    ],
)
async def test_a_playlist_leads_to_no_file_and_no_inner_host(named: str, words: str) -> None:
    """Whatever it names is judged like a camera's address."""
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{named}\n#EXT-X-ENDLIST\n"
    async with site() as pages:
        pages.pages["/index.m3u8"] = ("application/vnd.apple.mpegurl", playlist.encode())
        async with watching(pages.url("/index.m3u8")) as watch:
            await watch.reaches("unsupported")
            assert words in watch.reasons[0]


async def test_a_redirection_is_judged_too(clip: Path) -> None:
    """Of pictures it is followed to where cameras may be, without the password; of streams it is not."""
    async with site() as pages, site() as other:
        other.pages["/real.jpg"] = ("image/jpeg", jpeg(90))
        pages.moved = {"/a.jpg": other.url("/real.jpg"), "/b.jpg": METADATA, "/c.jpg": "file:///etc/passwd"}
        pages.moved |= {"/video": other.url("/real.jpg"), "/d.jpg": "/d.jpg"}
        async with watching(pages.url("/a.jpg")) as watch:
            await watch.delivers(1)
        for path, words in (("/b.jpg", "169.254"), ("/c.jpg", "not of the web"), ("/d.jpg", "sends on more")):
            async with watching(pages.url(path)) as watch:
                await watch.reaches("unsupported")
                assert words in watch.reasons[0]
        count = len(other.asked)
        async with watching(pages.url("/video")) as watch:
            await watch.reaches("unsupported")
            assert watch.reasons[0] == "the camera sends on to another address: register that one"
            assert len(other.asked) == count
    assert not any("Authorization" in request.headers for request in other.asked)


@pytest.mark.parametrize(
    "path", ["rtsp://127.0.0.1:{}/cam", "http://localhost:{}/a.jpg", "http://127.1:{}/v"]
)
async def test_this_machine_is_not_knocked_at(path: str) -> None:
    """By default cameras are elsewhere; nothing is even connected to."""
    knocks: list[object] = []
    server = await asyncio.start_server(lambda *streams: knocks.append(streams), "127.0.0.1", 0)
    async with server:
        url = path.format(server.sockets[0].getsockname()[1])
        async with watching(url, settings=IngestSettings()) as watch:
            await watch.reaches("unsupported")
            assert "MIEN_CAMERAS_NETWORKS" in watch.reasons[0]
    assert not knocks


async def test_keyframes_are_enough_where_few_pictures_are_wanted(clip: Path) -> None:
    """Two keyframes a second: for one picture a second nothing else is decoded, for five everything is."""
    async with (
        simulated(clip) as (simulator, _),
        watching(simulator.rtsp_url("cam"), sampled_fps=1.0) as watch,
    ):
        await until(lambda: watch.reader.keyframes_only)
        seen, arrived = watch.reader.pictures_seen, watch.reader.arrivals
        await watch.delivers(len(watch.samples) + 3)
        decoded = watch.reader.pictures_seen - seen
        assert decoded * 5 < watch.reader.arrivals - arrived
        watch.change(sampled_fps=7.0)
        await until(lambda: not watch.reader.keyframes_only)
        await watch.delivers(len(watch.samples) + 10)
        watch.change(decode="keyframes")
        await until(lambda: watch.reader.keyframes_only)
        assert (watch.reader.openings, watch.reader.dropped) == (1, {})


async def test_a_picture_that_stands_still_is_called_frozen_until_it_moves(
    clip: Path, tmp_path: Path
) -> None:
    """The connection stays, the frames go on."""
    still = write_clip(tmp_path / "still.mp4", moving=False)
    async with simulated(still) as (simulator, camera):
        settings = with_settings(frozen_seconds=1.0)
        async with watching(simulator.rtsp_url("cam"), settings=settings) as watch:
            await until(lambda: condition(watch) == "frozen")
            await watch.streams_again()
            camera.source = ClipSource(load_clip(clip))
            await until(lambda: condition(watch) == "streaming")
            assert watch.reader.openings == 1


async def test_a_device_that_is_not_there_is_told() -> None:
    """There is none on this machine; what to do is said."""
    async with watching("usb:/dev/video63") as watch:
        await watch.reaches("not_found")
        assert watch.reasons[0] == "there is no such device: is the camera plugged in?"


def condition(watch: Watch) -> str:
    return judge(look_at(watch.reader), limits_of(watch.reader)).state
