"""The demo's cameras and people, on a stack that is otherwise like any other."""

import asyncio
import sys
from dataclasses import dataclass
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


@dataclass(frozen=True)
class DemoPerson:
    """Somebody the demo introduces; the third face, the astronaut Eileen Collins, stays a stranger.

    Attributes:
        photos: Folder of the photographs to enrol, below ``people``.
        note: What a visitor should know, shown on the person's page.
    """

    name: str
    photos: str
    note: str


PEOPLE: Final = (
    DemoPerson(
        "Barack Obama",
        "barack-obama",
        "Part of the demo. Enrolled from two photographs that none of the cameras shows.",
    ),
    DemoPerson(
        "Joe Biden",
        "joe-biden",
        "Part of the demo. Enrolled from the only photograph there is: the cameras show the same one, "
        "so recognising him here proves little.",
    ),
)


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
    """Register the demo's cameras, emotion switched on, and introduce its people; again changes nothing.

    Raises:
        httpx.HTTPError: The gateway refused or did not answer.
    """
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=gateway_url, headers=headers, timeout=30.0) as api:
        for path in list_videos(videos):
            await _register_camera(api, path.stem, f"rtsp://127.0.0.1:{rtsp_port}/{path.stem}")
        response = await api.get("/api/people")
        known = {person["name"] for person in response.raise_for_status().json()}
        for person in PEOPLE:
            if person.name not in known:
                await _introduce(api, person, videos / "people" / person.photos)


async def remove_cameras(gateway_url: str, token: str) -> None:
    """Take the demo's cameras off the registry: nothing simulates them now; the next demo adds them again.

    Raises:
        httpx.HTTPError: The gateway refused or did not answer.
    """
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=gateway_url, headers=headers, timeout=30.0) as api:
        response = await api.get("/api/cameras")
        for camera in response.raise_for_status().json():
            if camera["demo"]:
                await api.delete(f"/api/cameras/{camera['camera_id']}")


async def _register_camera(api: httpx.AsyncClient, name: str, address: str) -> None:
    camera = {
        "name": name.replace("-", " ").capitalize(),
        "url": address,
        "emotion_policy": "per_person",
        "emotion_purpose": _PURPOSE,
        "context": "research",
    }
    response = await api.patch(f"/api/cameras/{name}", json=camera)
    if response.status_code == httpx.codes.NOT_FOUND:
        response = await api.post("/api/cameras", json={"camera_id": name, "demo": True, **camera})
    response.raise_for_status()


async def _introduce(api: httpx.AsyncClient, person: DemoPerson, photos: Path) -> None:
    body = {"name": person.name, "demo_note": person.note, "consent_note": "Official portraits, published"}
    response = await api.post("/api/people", json=body)
    person_id = response.raise_for_status().json()["person_id"]
    files = await asyncio.to_thread(_read_photos, photos)
    response = await api.post(f"/api/people/{person_id}/photos", files=files)
    response.raise_for_status()


def _read_photos(folder: Path) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("photos", (path.name, path.read_bytes(), "image/jpeg")) for path in sorted(folder.glob("*.jpg"))]
