"""``mien bench spending``: what is saved by asking who a track is a few times, not a face in every frame.

The same cameras are played twice from their first picture, through the same stack with the same people
enrolled. Once as it is, once told to embed and read every face of every sampled frame; four settings of the
detector and two of ingest do that, no code of its own. Faces sent to be embedded are counted on Kafka, and
each face of each frame is compared: is it called the same in the end? Both ways, a face counts from the
frame on that makes it a track.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from mien.bench.overheard import Overheard, overhear
from mien.bench.processes import cpu_seconds, register_camera, remove_camera, running_stack, simulated_cameras
from mien.bench.scrape import scrape
from mien.bench.spending_figures import Played, spent, summarise
from mien.local.ports import read_ports
from mien.runtime.settings import KafkaSettings

EVERY_FRAME: Final = {
    # A track is asked about again after no time at all, whatever the view, for identity and emotion.
    "MIEN_DETECTOR_VERIFY_SECONDS": "0.001",
    "MIEN_DETECTOR_VERIFY_MOST_SECONDS": "0.001",
    "MIEN_DETECTOR_MIN_IDENTITY_QUALITY": "0",
    "MIEN_DETECTOR_EMOTION_INTERVAL_SECONDS": "0.001",
    "MIEN_DETECTOR_MIN_EMOTION_QUALITY": "0",
    # All of each picture is searched.
    "MIEN_DETECTOR_SEARCH_SECONDS": "0",
    # One pixel that changes by two steps of 255 is movement: the gate lets every picture through.
    "MIEN_INGEST_MOTION_LUMA_STEP": "1",
    "MIEN_INGEST_MOTION_AREA_RATIO": "0",
}
_START_SECONDS: Final = 30.0
_ANSWER_SECONDS: Final = 30.0

Advance = Callable[[str, float], None]
"""Told what is being done, and how many seconds of it are over."""


@dataclass(frozen=True, kw_only=True)
class SpendingBench:
    """What to measure.

    Attributes:
        folder: For the data of the two stacks.
        videos: One camera each; looped as long as they are looked at, and a loop's seam is a cut.
        people: Photographs to enrol, by name.
        seconds: How long each camera is looked at.
        cameras_at_once: As many as the machine can look at without dropping frames.
    """

    folder: Path
    videos: Sequence[Path]
    people: Mapping[str, Sequence[Path]]
    seconds: float = 30.0
    cameras_at_once: int = 6
    sampled_fps: float = 5.0

    @property
    def seconds_in_all(self) -> float:
        """How long cameras play, both ways, without starting and stopping."""
        return 2 * self.seconds * len(self.groups)

    @property
    def groups(self) -> list[Sequence[Path]]:
        """Videos that are played at the same time, large and small ones mixed."""
        count = -(-len(self.videos) // self.cameras_at_once)
        by_size = sorted(self.videos, key=lambda path: (path.stat().st_size, path.name))
        return [by_size[number::count] for number in range(count)]


async def measure_spending(
    bench: SpendingBench, advance: Advance
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Play all videos both ways; returns what each way spent, and the comparison."""
    thrifty = await _play(bench, "as it is", {}, advance)
    thorough = await _play(bench, "every frame", EVERY_FRAME, advance)
    seconds = bench.seconds * len(bench.groups)
    runs = [
        {"way": "as it is", **spent(thrifty, seconds_played=seconds)},
        {"way": "every face of every frame", **spent(thorough, seconds_played=seconds)},
    ]
    return runs, summarise(thrifty, thorough, runs)


async def _play(bench: SpendingBench, way: str, settings: Mapping[str, str], advance: Advance) -> Played:
    cpu: Counter[str] = Counter()
    advance(f"starting the stack ({way})", 0)
    with running_stack(bench.folder / way.replace(" ", "-"), settings) as home, home.open_api() as client:
        kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{read_ports(home.ports)['kafka']}")
        names = {
            await asyncio.to_thread(_introduce, client, name, photos): name
            for name, photos in bench.people.items()
        }
        async with overhear(kafka) as heard:
            for number, videos in enumerate(bench.groups, 1):
                doing = f"{way}: cameras, group {number} of {len(bench.groups)}"
                before = cpu_seconds(home)
                with simulated_cameras(videos, "--from-start") as addresses:
                    cameras = {camera_id_of(name): sides["rtsp"] for name, sides in addresses.items()}
                    await _look(bench, client, cameras, heard, partial(advance, doing))
                for name, seconds in cpu_seconds(home).items():
                    cpu[name] += seconds - before[name]  # type: ignore[assignment]  # typed for integers
        samples = scrape(home)
    photographs = sum(len(photos) for photos in bench.people.values())
    return Played(bench.seconds, names, heard, samples, cpu, photographs)


async def _look(
    bench: SpendingBench,
    client: httpx.Client,
    cameras: Mapping[str, str],
    heard: Overheard,
    advance: Callable[[float], None],
) -> None:
    for camera_id, address in cameras.items():
        register_camera(client, camera_id, address, sampled_fps=bench.sampled_fps)
    if not await _until(lambda: cameras.keys() <= heard.started_at_ns.keys(), _START_SECONDS):
        missing = sorted(cameras.keys() - heard.started_at_ns.keys())
        raise RuntimeError(f"expected a first frame of every camera, got none of {missing}")
    for _ in range(round(bench.seconds)):
        await asyncio.sleep(1)
        advance(1)
    await asyncio.sleep(1)
    for camera_id in cameras:
        remove_camera(client, camera_id)
    await asyncio.sleep(1)
    await _until(lambda: not heard.undecided, _ANSWER_SECONDS)


def _introduce(client: httpx.Client, name: str, photos: Sequence[Path]) -> str:
    """Enrol a person; returns their id."""
    body = {"name": name, "consent_note": "Published photographs, for this measurement"}
    person_id = str(client.post("/api/people", json=body).raise_for_status().json()["person_id"])
    url = f"/api/people/{person_id}/photos"
    kinds = {".png": "image/png", ".jpg": "image/jpeg"}
    files = [("photos", (path.name, path.read_bytes(), kinds[path.suffix])) for path in photos]
    client.post(url, files=files).raise_for_status()
    deadline = time.monotonic() + _ANSWER_SECONDS
    while True:
        states = {photo["status"] for photo in client.get(url).raise_for_status().json()}
        if "pending" not in states:
            break
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {_ANSWER_SECONDS:.0f} s in vain for {name} to be enrolled")
        time.sleep(0.2)
    if "rejected" in states:
        raise RuntimeError(f"a photograph of {name} was refused")
    return person_id


async def _until(condition: Callable[[], bool], seconds: float) -> bool:
    for _ in range(round(10 * seconds)):
        if condition():
            return True
        await asyncio.sleep(0.1)
    return condition()


def camera_id_of(name: str) -> str:
    """Return a camera id for a clip's name."""
    return name.lower().replace("_", "-")
