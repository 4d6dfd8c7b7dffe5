"""The photos that people were enrolled with, as a folder that a data set can be made from."""

import csv
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx

from mien.dataset.manifest import write_json
from mien.dataset.photos import PEOPLE_FILE, Person
from mien.errors import PermanentError

LABELS_FILE: Final = "labels.csv"
"""Beside pictures: path, label and, as they come, person and split."""
_PATIENCE_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 0.5


def fetch_gallery(
    api: httpx.Client, folder: Path, *, on_photo: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Copy the photos that all active people are compared with into a folder for each; returns how many.

    The folders are named after the people's ids, so that two of one name stay apart; ``people.json`` says
    what they are called. Photos that are deleted meanwhile are left out. A gateway that has answered once is
    waited for while it starts again.

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
    copied = 0
    for done, (person_id, photo_id) in enumerate(wanted, start=1):
        address = f"/api/people/{person_id}/photos/{photo_id}/image.jpg"
        copied += _copy_photo(api, address, folder / person_id / f"{photo_id}.jpg")
        on_photo(done, len(wanted))
    names = {
        person["person_id"]: Person(name=person["name"], person_id=person["person_id"]) for person in people
    }
    write_json(folder / PEOPLE_FILE, names)
    return copied


def fetch_expressions(
    api: httpx.Client, folder: Path, *, on_photo: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, int]:
    """Copy the photos whose expression is known into a folder for each, with a table of them beside these.

    Most were taken by the enrolment coach. ``labels.csv`` says path, label and person, who is only a number.
    Photos that are deleted meanwhile are left out; the gateway writes down who asked.

    Returns:
        How many photos there are of each label; empty where there are none, and then no folder.

    Raises:
        PermanentError: The folder holds something already.
        httpx.HTTPError: The gateway refused or does not answer.
    """
    if folder.exists() and any(folder.iterdir()):
        raise PermanentError(f"{folder}: expected an empty folder; choose another")
    photos = api.post("/api/people/emotion-exports").raise_for_status().json()
    rows = []
    for done, photo in enumerate(photos, start=1):
        path = Path(photo["label"]) / f"{photo['photo_id']}.jpg"
        if _copy_photo(api, photo["image_url"], folder / path):
            rows.append((str(path), photo["label"], photo["person_id"]))
        on_photo(done, len(photos))
    if rows:
        with (folder / LABELS_FILE).open("w", newline="") as file:
            csv.writer(file).writerows([("path", "label", "person"), *rows])
    return Counter(label for _, label, _ in rows)


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


def _copy_photo(api: httpx.Client, address: str, path: Path) -> bool:
    """Copy a photo, unless it was deleted since it was listed; returns whether it was there."""
    try:
        image = _get_patiently(api, address)
    except httpx.HTTPStatusError as error:
        if error.response.status_code == httpx.codes.NOT_FOUND:
            return False
        raise
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(image.content)
    return True


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
