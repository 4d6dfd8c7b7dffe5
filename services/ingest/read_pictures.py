"""Reads cameras without the rest of the service: ``python -m services.ingest.read_pictures``, to measure it.

Takes one :class:`mien.contracts.read_pictures.Reading` as a line of JSON, answers with a ``PicturesRead``.
Every sampled picture is made a JPEG, as for a camera that somebody watches.
"""

import sys
import time
from typing import Final

import msgspec

from mien.contracts.read_pictures import PicturesRead, Reading
from mien.runtime.log import configure_logging
from mien.runtime.settings import settings_from_command_line
from services.ingest.config import IngestSettings
from services.ingest.reader import CameraReader, Sample

_START_SECONDS: Final = 30.0
# What piled up while a camera was opened comes in a burst, whoever reads it.
_SETTLE_SECONDS: Final = 3.0
_JOIN_SECONDS: Final = 15.0


class CameraError(Exception):
    """A camera did not stream."""


def read_pictures(reading: Reading, settings: IngestSettings) -> PicturesRead:
    """Read cameras, a thread each as in the service, and count what they deliver.

    Raises:
        CameraError: One does not stream within 30 seconds.
    """
    samples: list[Sample] = []
    readers = [
        CameraReader(camera, settings, deliver=samples.append, on_change=lambda: None)
        for camera in reading.cameras
    ]
    for reader in readers:
        reader.watched = True
        reader.start()
    try:
        deadline = time.monotonic() + _START_SECONDS
        while any(not reader.pictures_sampled for reader in readers):
            if time.monotonic() > deadline:
                silent = [reader.camera.camera_id for reader in readers if not reader.pictures_sampled]
                raise CameraError(f"no picture within {_START_SECONDS:.0f} s from {', '.join(silent)}")
            time.sleep(0.1)
        time.sleep(_SETTLE_SECONDS)
        samples.clear()
        cpu_before, began = time.process_time(), time.monotonic()
        time.sleep(reading.seconds)
        taken = list(samples)
        return PicturesRead(
            pictures=len(taken),
            jpeg_bytes=sum(len(sample.jpeg) for sample in taken),
            cpu_seconds=time.process_time() - cpu_before,
            seconds=time.monotonic() - began,
        )
    finally:
        for reader in readers:
            reader.stop()
        for reader in readers:
            reader.join(_JOIN_SECONDS)


def main() -> None:
    """Answer each line until the input ends."""
    settings = settings_from_command_line(IngestSettings, "Read cameras: JSON in, JSON out.")
    configure_logging(settings.log, service="read-pictures", instance="")
    for line in sys.stdin.buffer:
        reading = msgspec.json.decode(line, type=Reading)
        sys.stdout.buffer.write(msgspec.json.encode(read_pictures(reading, settings)) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
