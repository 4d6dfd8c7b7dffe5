"""The photos that people were enrolled with, as a folder that a data set can be made from."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx

from mien.dataset.manifest import write_json
from mien.dataset.photos import PEOPLE_FILE, Person
from mien.errors import PermanentError

_PATIENCE_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 0.5


def fetch_gallery(
    api: httpx.Client, folder: Path, *, on_photo: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Copy the photos that all active people are compared with into a folder for each; returns how many.

    The folders are named after the people's ids, so that two of one name stay apart; ``people.json`` says
    what they are called. A gateway that has answered once is waited for while it starts again.

    Raises:
        PermanentError: The folder holds something already, or nobody is enrolled.
        httpx.HTTPError: The gateway refused or does not answer.
    """
    if folder.exists() and any(folder.iterdir()):
        raise PermanentError(f"{folder}: expected an empty folder; choose another")
    people = [person for person in _get(api, "/api/people") if person.get("active", True)]
    wanted = [
        (person["person_id"], photo["photo_id"])
        for person in people
        for photo in _get_patiently(api, f"/api/people/{person['person_id']}/photos").json()
        if photo["status"] == "enrolled" and not photo.get("set_aside", False)
    ]
    if not wanted:
        raise PermanentError("nobody is enrolled yet: mien people add NAME PHOTO…")
    for done, (person_id, photo_id) in enumerate(wanted, start=1):
        path = folder / person_id / f"{photo_id}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = _get_patiently(api, f"/api/people/{person_id}/photos/{photo_id}/image.jpg")
        path.write_bytes(image.content)
        on_photo(done, len(wanted))
    names = {
        person["person_id"]: Person(name=person["name"], person_id=person["person_id"]) for person in people
    }
    write_json(folder / PEOPLE_FILE, names)
    return len(wanted)


def person_ids(api: httpx.Client) -> list[str]:
    """Return the ids of all people.

    Raises:
        httpx.HTTPError: The gateway refused or does not answer.
    """
    return [person["person_id"] for person in _get(api, "/api/people")]


def person_ids_by_name(api: httpx.Client) -> dict[str, str]:
    """Return the ids of all people whose name nobody else has.

    Raises:
        httpx.HTTPError: The gateway refused or does not answer.
    """
    people = _get(api, "/api/people")
    names = [person["name"] for person in people]
    return {person["name"]: person["person_id"] for person in people if names.count(person["name"]) == 1}


def _get_patiently(api: httpx.Client, path: str) -> httpx.Response:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return api.get(path).raise_for_status()
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)


def _get(api: httpx.Client, path: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = api.get(path).raise_for_status().json()
    return listed
