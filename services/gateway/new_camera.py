"""From what somebody wants to add to a camera as the registry keeps it."""

from typing import Any

import msgspec

from mien.contracts.cameras import Camera
from services.gateway.addresses import CameraAddress, check_kind, split_camera_url, split_main_stream_url
from services.gateway.camera_schemas import CameraCreate
from services.gateway.config import GatewaySettings
from services.gateway.pipeline import slug_of
from services.gateway.readings import check_readings


def new_camera(wanted: CameraCreate, taken: frozenset[str], settings: GatewaySettings) -> Camera:
    """Return a camera with the credentials taken out of its address; the registry chooses its partition.

    Args:
        taken: Ids that an id made from the name must not be.

    Raises:
        InvalidInputError: An address is none that a camera may have, or a reading lacks what it must have.
    """
    address = split_url(settings, wanted.url)
    check_kind(wanted.kind, address.url)
    fields = wanted.model_dump(exclude={"camera_id", "url", "username", "password"})
    named = {
        "camera_id": wanted.camera_id or slug_of(wanted.name, taken=taken),
        "url": address.url,
        "partition": 0,
        "username": wanted.username or address.username,
        "password": wanted.password or address.password,
    }
    named |= main_stream_fields(settings, fields["main_stream_url"], named)
    camera = msgspec.convert(fields | named, Camera)
    check_readings(camera)
    return camera


def split_url(settings: GatewaySettings, url: str) -> CameraAddress:
    """Check a camera's address by the gateway's settings and take its credentials out.

    Raises:
        InvalidInputError: It is none that a camera may have.
    """
    return split_camera_url(url, networks=settings.cameras.rules(), video_folders=settings.video_folders)


def main_stream_fields(settings: GatewaySettings, url: str | None, camera: dict[str, Any]) -> dict[str, Any]:
    """Return what the address of a main stream sets beside the other fields of its camera.

    Raises:
        InvalidInputError: It is none, or names other credentials than its camera.
    """
    address = split_main_stream_url(
        url,
        username=camera["username"],
        password=camera["password"],
        networks=settings.cameras.rules(),
    )
    if address is None:
        return {"main_stream_url": None}
    credentials = {"username": address.username, "password": address.password}
    return {"main_stream_url": address.url} | {name: value for name, value in credentials.items() if value}
