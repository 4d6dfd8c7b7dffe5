"""Telling everyone that a camera was added, edited or removed."""

import time

import structlog

from mien.contracts.cameras import Camera
from mien.contracts.events import CameraChanged, derive_event_id
from mien.contracts.topics import CAMERAS
from mien.errors import TransientError
from mien.runtime.cameras import CameraDirectory
from services.gateway.publisher import Publisher

log = structlog.get_logger()


async def announce_camera(
    directory: CameraDirectory, publisher: Publisher, camera: Camera, *, removed: bool = False
) -> None:
    """Tell everyone; without the broker ingest notices by itself within a second, so nobody has to wait."""
    await directory.refresh()
    revision = camera.revision + removed
    event = CameraChanged(
        camera_id=camera.camera_id,
        event_id=derive_event_id("camera", camera.camera_id, revision, removed),
        captured_at_ns=time.time_ns(),
        revision=revision,
    )
    try:
        await publisher.publish(CAMERAS, event, partition=camera.partition)
    except TransientError as error:
        log.warning("camera.announce_failed", camera_id=camera.camera_id, error=str(error))
