"""What ``mien bench spending`` plays, and whom it introduces: the demo, and staged videos where they are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from mien.local import demo
from mien.local.kafka import REPOSITORY

VIDEOS: Final = REPOSITORY.parent / "shared" / "data" / "video"
"""Not part of the repository; see its own README for terms."""
_FOLDERS: Final = ("face_recognition", "facenet_pytorch", "intel", "liveportrait", "yawdd")
PEOPLE: Final = {
    "Lin-Manuel Miranda": "face_recognition/known_lin-manuel-miranda.png",
    "Alex Lacamoire": "face_recognition/known_alex-lacamoire.png",
}
"""Of the staged videos' people those of whom there is a photograph; all others are strangers."""


def choose_videos(*, demo_only: bool) -> tuple[Sequence[Path], Mapping[str, Sequence[Path]]]:
    """Return the videos, and the photographs to enrol by name."""
    videos = demo.list_videos(demo.VIDEOS)
    people = {
        person.name: sorted((demo.VIDEOS / "people" / person.photos).glob("*.jpg")) for person in demo.PEOPLE
    }
    if demo_only or not VIDEOS.is_dir():
        return videos, people
    staged = [path for folder in _FOLDERS for path in sorted((VIDEOS / folder).glob("*.mp4"))]
    return [*videos, *staged], people | {name: [VIDEOS / photo] for name, photo in PEOPLE.items()}
