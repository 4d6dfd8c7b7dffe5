"""The demo's cameras and people, on a stack that is otherwise like any other."""

import sys
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from mien.local.kafka import REPOSITORY
from mien.local.process import ProcessSpec
from mien.local.readiness import accepts_connections
from mien.local.supervisor import StartError

VIDEOS: Final = REPOSITORY / "var" / "demo"
_PURPOSE: Final = "Demonstration with published portraits"


def camera_process(*, port: int, videos: Path = VIDEOS) -> ProcessSpec:
    """Return how to run the simulated RTSP cameras, one for each video.

    Raises:
        StartError: There are no videos.
    """
    files = [str(path) for path in list_videos(videos)]
    if not files:
        raise StartError(f"the demo's videos are missing in {videos}: run bin/mien demo, which makes them")
    return ProcessSpec(
        name="demo-cameras",
        command=(sys.executable, "-m", "mien.cli", "camera-simulator", "--port", str(port), *files),
        folder=REPOSITORY,
        check_ready=partial(accepts_connections, port),
        port=port,
    )


def list_videos(videos: Path) -> list[Path]:
    """Return the demo's videos; each is a camera named after its file."""
    return sorted(videos.glob("*.mp4"))


async def register_demo(gateway_url: str, token: str, *, rtsp_port: int, videos: Path = VIDEOS) -> None:
    """Register the demo cameras that the registry doesn't know yet, emotion switched on.

    Raises:
        httpx.HTTPError: The gateway refused or did not answer.
    """
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=gateway_url, headers=headers, timeout=30.0) as api:
        for path in list_videos(videos):
            camera_id = f"demo-{path.stem}"
            camera = {
                "name": f"Demo: {path.stem.replace('-', ' ')}",
                "url": f"rtsp://127.0.0.1:{rtsp_port}/{path.stem}",
                "emotion_policy": "per_person",
                "emotion_purpose": _PURPOSE,
            }
            response = await api.patch(f"/api/cameras/{camera_id}", json=camera)
            if response.status_code == httpx.codes.NOT_FOUND:
                response = await api.post(
                    "/api/cameras", json={"camera_id": camera_id, "demo": True, **camera}
                )
            response.raise_for_status()
