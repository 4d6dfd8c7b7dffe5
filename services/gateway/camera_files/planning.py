"""What importing a file would do: which cameras are new, which are known, and which can't be added."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

import msgspec
from pydantic import ValidationError

from mien.contracts.cameras import Camera
from mien.errors import PermanentError
from services.gateway.camera_files.entry import FileEntry
from services.gateway.camera_schemas import CameraCreate

Verdict = Literal["new", "duplicate", "invalid"]
Build = Callable[[CameraCreate, frozenset[str]], Camera]
_DEFAULT_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


@dataclass(frozen=True)
class PlannedCamera:
    """An entry of a file and what becomes of it.

    Attributes:
        camera: What would be added; None unless it is new.
        why: Why it is not added; empty when it is.
    """

    place: str
    name: str
    verdict: Verdict
    why: str = ""
    camera: Camera | None = None


def plan_import(
    entries: Sequence[FileEntry], registered: Iterable[Camera], build: Build
) -> list[PlannedCamera]:
    """Say what becomes of each entry, in the order of the file.

    Args:
        build: Makes a camera of what is wanted, with an id other than those taken; raises PermanentError.
    """
    known: dict[str, str] = {}
    taken: set[str] = set()
    for camera in registered:
        taken.add(camera.camera_id)
        for url in (camera.url, camera.main_stream_url):
            if url:
                known[address_key(url)] = f"{camera.name} has this address already"
    planned = []
    for entry in entries:
        plan = _plan(entry, known, frozenset(taken), build)
        planned.append(plan)
        if plan.camera is not None:
            taken.add(plan.camera.camera_id)
            known[address_key(plan.camera.url)] = f"{plan.place} has the same address"
    return planned


def address_key(url: str) -> str:
    """Return what two addresses of the same stream have in common."""
    parts = urlsplit(url)
    port = parts.port
    host = (parts.hostname or "").lower()
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme):
        host = f"{host}:{port}"
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), parts.query, ""))


def _plan(entry: FileEntry, known: dict[str, str], taken: frozenset[str], build: Build) -> PlannedCamera:
    def invalid(why: str) -> PlannedCamera:
        return PlannedCamera(entry.place, entry.name, "invalid", why)

    if entry.problem is not None:
        return invalid(entry.problem)
    try:
        wanted = CameraCreate.model_validate(entry.fields)
        camera = build(wanted, taken)
    except ValidationError as error:
        return invalid(_explain(error))
    except (PermanentError, msgspec.ValidationError) as error:
        return invalid(str(error))
    if (why := known.get(address_key(camera.url))) is not None:
        return PlannedCamera(entry.place, camera.name, "duplicate", why)
    if camera.camera_id in taken:
        return invalid(f"another camera has the id {camera.camera_id}")
    return PlannedCamera(entry.place, camera.name, "new", camera=camera)


def _explain(error: ValidationError) -> str:
    """Name each field and what is wrong with it, never its value: that may be a password."""
    issues = error.errors(include_input=False, include_url=False)
    return "; ".join(
        "unknown field " + str(issue["loc"][0])
        if issue["type"] == "extra_forbidden"
        else f"{'.'.join(map(str, issue['loc']))}: {issue['msg'][:1].lower()}{issue['msg'][1:]}"
        for issue in issues
    )
