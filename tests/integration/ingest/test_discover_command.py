"""`mien cameras discover` finds what `mien camera-simulator` simulates: two programs on one network."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.ingest.harness import REPOSITORY, write_clip

LOOPBACK = "127.0.0.1"
PASSWORD = "p&ss<1>"
MIEN = (sys.executable, "-m", "mien.cli")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The addresses of two cameras, one with a main stream; other tests may have some, too."""
    folder, mark = tmp_path_factory.mktemp("clips"), uuid.uuid4().hex[:8]
    sizes_wh = {"door": (640, 360), "door-main": (1600, 900), "yard": (640, 360)}
    clips = {
        name: write_clip(folder / f"{name.replace('door', f'door{mark}')}.mp4", size_wh=size_wh)
        for name, size_wh in sizes_wh.items()
    }
    command = (*MIEN, "camera-simulator", *map(str, clips.values()), "--port", "0", "--onvif-port", "0")
    with subprocess.Popen(
        (*command, "--username", "admin", "--password-stdin"),
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{PASSWORD}\n".encode())
            process.stdin.flush()
            told = json.loads(process.stdout.readline())["cameras"]
            yield {name: told[clip.stem] for name, clip in clips.items()}
        finally:
            process.terminate()


def discover(*options: str, password: str) -> dict[str, dict[str, Any]]:
    """Search the loopback as somebody at the command line; returns what was found by its ONVIF address."""
    ran = subprocess.run(
        (*MIEN, "cameras", "discover", "--seconds", "2", "--json", *options),
        cwd=REPOSITORY,
        env=os.environ | {"MIEN_INGEST_SEARCH_INTERFACES": LOOPBACK},
        input=password,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return {device["address"]: device for device in json.loads(ran.stdout)["devices"]}


def test_simulated_cameras_are_found_with_their_streams(simulated: dict[str, Any]) -> None:
    """Two cameras of one host are two; a main stream is its camera's, not a camera."""
    assert "onvif" not in simulated["door-main"]
    found = discover("--username", "admin", "--password-stdin", password=PASSWORD)
    door, yard = (found[simulated[name]["onvif"]]["streams"] for name in ("door", "yard"))
    assert (door["url"], door["main_stream_url"]) == (
        simulated["door"]["rtsp"],
        simulated["door-main"]["rtsp"],
    )
    assert (yard["url"], yard["main_stream_url"]) == (simulated["yard"]["rtsp"], "")


def test_wrong_password_is_told_for_each_camera(simulated: dict[str, Any]) -> None:
    """They are found all the same, for searching needs none."""
    found = discover("--username", "admin", "--password-stdin", password="wrong")
    door = found[simulated["door"]["onvif"]]
    assert door["host"] == LOOPBACK
    assert (door["streams"]["ok"], door["streams"]["reason"]) == (False, "auth_failed")
