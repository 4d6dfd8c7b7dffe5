"""Asking a process to read cameras and count what it gets: ``python -m services.ingest.read_pictures``."""

import msgspec

from mien.contracts.cameras import Camera


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Cameras to read, and for how long once all of them stream."""

    cameras: list[Camera]
    seconds: float


class PicturesRead(msgspec.Struct, frozen=True, kw_only=True):
    """What reading came to.

    Attributes:
        pictures: JPEGs that came of all cameras in the time.
        jpeg_bytes: Their size.
        cpu_seconds: Processor time of the reader, its children included.
        seconds: How long it was looked at.
    """

    pictures: int
    jpeg_bytes: int
    cpu_seconds: float
    seconds: float
