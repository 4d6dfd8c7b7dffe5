"""Every side of a simulated camera, read as ingest reads cameras."""

import asyncio
from pathlib import Path

import pytest

from mien.simulator.camera import ClipSource, SimulatedCamera
from mien.simulator.certificate import make_certificate
from mien.simulator.clips import load_clip
from mien.simulator.simulator import run_simulator
from tests.integration.ingest.harness import CREDENTIALS, until, watching

SIDES = ("rtsp", "rtsps", "mjpeg", "mjpegs", "snapshot", "snapshots", "hls", "hlss")


@pytest.mark.parametrize("side", SIDES)
async def test_the_same_clip_comes_by_every_side(clip: Path, tmp_path: Path, side: str) -> None:
    """Plain and encrypted, with a password; another password is refused everywhere."""
    certificate = make_certificate(tmp_path)
    camera = SimulatedCamera("cam", ClipSource(load_clip(clip), with_jpegs=True))
    async with run_simulator(
        [camera], mjpeg_port=0, credentials=CREDENTIALS, certificate=certificate
    ) as simulator:
        url = simulator.addresses("cam")[side]
        known = {"certificate_sha256": certificate.sha256} if side.endswith("s") and side != "hls" else {}
        async with watching(url, **known) as watch:
            await watch.delivers(5)
            assert watch.samples[-1].size_wh == (320, 180)
            assert watch.reader.openings == 1
        async with watching(url, password="wr0ng", **known) as watch:
            await watch.reaches("auth_failed")


async def test_rtp_comes_over_udp_and_may_get_lost(clip: Path) -> None:
    """Packets that are lost on the way cost pictures, not the connection."""
    camera = SimulatedCamera("cam", ClipSource(load_clip(clip)))
    async with (
        run_simulator([camera], credentials=CREDENTIALS) as simulator,
        watching(simulator.rtsp_url("cam"), transport="udp", decode="all") as watch,
    ):
        await watch.delivers(5)
        camera.faults.loss = 0.2
        await until(lambda: watch.reader.dropped["corrupt"] > 0)
        camera.faults.heal()
        await watch.streams_again()
        assert watch.reader.openings == 1


async def test_a_playlist_is_kept_only_while_somebody_asks(clip: Path) -> None:
    """It is a viewer of the camera like any other, and counted as one."""
    camera = SimulatedCamera("cam", ClipSource(load_clip(clip), with_jpegs=True))
    async with run_simulator([camera], mjpeg_port=0) as simulator:
        async with watching(simulator.addresses("cam")["hls"], username=None, password=None) as watch:
            await watch.delivers(2)
            assert len(camera.viewers) == 1
        camera.drop()
        assert not camera.viewers


async def test_a_simulator_without_power_serves_nothing_and_comes_back(clip: Path) -> None:
    """Both sides refuse; on again, the same addresses serve."""
    camera = SimulatedCamera("cam", ClipSource(load_clip(clip), with_jpegs=True))
    async with run_simulator([camera], mjpeg_port=0, credentials=CREDENTIALS) as simulator:
        addresses = simulator.addresses("cam")
        async with watching(addresses["rtsp"]) as rtsp, watching(addresses["mjpeg"]) as mjpeg:
            await asyncio.gather(rtsp.reaches("streaming"), mjpeg.reaches("streaming"))
            await simulator.refuse()
            await until(lambda: any("refuses" in reason for reason in rtsp.reasons), rtsp.reasons)
            await until(lambda: any("refuses" in reason for reason in mjpeg.reasons), mjpeg.reasons)
            await simulator.accept()
            await asyncio.gather(rtsp.streams_again(), mjpeg.streams_again())
    assert simulator.addresses("cam") == addresses
