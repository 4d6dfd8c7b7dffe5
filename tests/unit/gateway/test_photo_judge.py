"""Photos are compared with each other; one under the wrong name is set aside with its reason, reversibly."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from mien.contracts.models import FACE_EMBEDDER
from mien.contracts.shared_state import Template
from mien.vision.similarity import Vector, encode_vector, unit
from services.gateway.tables import AuditEntry, Photo
from tests.unit.gateway.conftest import Gateway

ADA, BOB, NOBODY = 0, 1, 2


def looks(person: int, number: int) -> Vector:
    """Return a vector as the embedder makes them: photos of one person are at 0.96, of two at 0.85."""
    vector = np.zeros(FACE_EMBEDDER.dimensions, dtype=np.float32)
    vector[0], vector[1 + person], vector[10 + number] = 1.0, 0.36, 0.21
    return unit(vector)


@dataclass
class Album:
    """A gateway with Ada and Bob, and photos of them."""

    gateway: Gateway
    ada: str
    bob: str
    photos: int = 0

    async def add(self, person_id: str, vector: Vector, **fields: Any) -> str:
        """Enrol a photo, as the recognizer and the gateway leave it."""
        self.photos += 1
        photo_id = f"photo-{self.photos:02}"
        await self.gateway.context.templates.add(
            Template(
                template_id=f"template-{self.photos}", person_id=person_id, photo_id=photo_id,
                model=FACE_EMBEDDER.name, model_version=1, vector=encode_vector(vector),
            )
        )  # fmt: skip
        at = datetime(2026, 11, 25, tzinfo=UTC) + timedelta(seconds=self.photos)
        row = Photo(
            photo_id=photo_id, person_id=person_id, filename=f"{photo_id}.jpg", status="enrolled",
            created_at=at, has_face=True, **fields,
        )  # fmt: skip
        await self.gateway.context.database.run(lambda session: session.add(row))
        return photo_id

    async def judge(self) -> int:
        """Let the gateway compare what waits for it; returns how many were set aside."""
        return await self.gateway.context.photo_judge.judge()

    async def photo(self, person_id: str, photo_id: str) -> dict[str, Any]:
        """Return what the interface says of a photo."""
        listed = (await self.gateway.client.get(f"/api/people/{person_id}/photos")).json()
        return next(one for one in listed if one["photo_id"] == photo_id)

    async def badges(self, person_id: str) -> list[tuple[str, list[str]]]:
        """Return the level and the kinds of findings of each photo."""
        listed = (await self.gateway.client.get(f"/api/people/{person_id}/photos")).json()
        return [
            (one["badge"]["level"], [finding["kind"] for finding in one["badge"]["findings"]])
            for one in listed
        ]

    async def in_use(self) -> list[str]:
        """Return the photos that recognizers compare with."""
        templates = await self.gateway.context.templates.load(FACE_EMBEDDER.name)
        return sorted(one.photo_id for one in templates if not one.set_aside)

    async def edit(self, owner: str, photo_id: str, **changes: Any) -> dict[str, Any]:
        """Change a photo as a person does."""
        answer = await self.gateway.client.patch(f"/api/people/{owner}/photos/{photo_id}", json=changes)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def audit(self) -> Sequence[tuple[str, str]]:
        """Return who did what with photos."""
        entries = select(AuditEntry.actor, AuditEntry.action).where(AuditEntry.action.startswith("photo."))
        return await self.gateway.context.database.run(
            lambda session: [(actor, action) for actor, action in session.execute(entries)]
        )


@pytest.fixture
async def album(gateway_with_redis: Gateway) -> Album:
    """Three good photos of Ada and of Bob."""
    client = gateway_with_redis.client
    ada, bob = [
        (await client.post("/api/people", json={"name": name})).json()["person_id"] for name in ("Ada", "Bob")
    ]
    album = Album(gateway_with_redis, ada, bob)
    for number in range(3):
        await album.add(ada, looks(ADA, number))
        await album.add(bob, looks(BOB, number + 3))
    return album


async def test_good_photos_have_a_green_badge(album: Album) -> None:
    assert await album.judge() == 0
    assert await album.badges(album.ada) == [("good", [])] * 3
    assert await album.judge() == 0, "nothing is judged twice"


async def test_photo_of_bob_among_adas_is_set_aside_with_its_reason(album: Album) -> None:
    stray = await album.add(album.ada, looks(BOB, 9))
    assert await album.judge() == 1
    photo = await album.photo(album.ada, stray)
    assert photo["set_aside"]
    assert photo["set_aside_reason"] == "stray"
    assert photo["other_person_name"] == "Bob"
    assert photo["badge"] == {
        "level": "bad",
        "findings": [
            {
                "kind": "stray",
                "level": "bad",
                "words": "More like Bob (0.96) than like the other photos of Ada (0.85).",
            }
        ],
    }
    assert stray not in await album.in_use()
    assert await album.audit() == [("mien", "photo.set_aside")]
    people = (await album.gateway.client.get("/api/people")).json()
    assert {one["name"]: one["problem_count"] for one in people} == {"Ada": 1, "Bob": 0}


async def test_photo_that_is_used_anyway_is_not_set_aside_again(album: Album) -> None:
    stray = await album.add(album.ada, looks(BOB, 9))
    await album.judge()
    photo = await album.edit(album.ada, stray, set_aside=False)
    assert photo["use_anyway"]
    assert await album.judge() == 0
    assert stray in await album.in_use()
    photo = await album.photo(album.ada, stray)
    assert not photo["set_aside"]
    assert photo["badge"]["level"] == "fair", "it is still said what it looks like"
    assert await album.audit() == [("mien", "photo.set_aside"), ("cli", "photo.used_anyway")]
    await album.add(album.ada, looks(ADA, 7))
    assert await album.judge() == 0
    assert (await album.gateway.client.get(f"/api/people/{album.ada}")).json()["problem_count"] == 0


async def test_stray_is_used_again_once_it_is_moved_to_whom_it_shows(album: Album) -> None:
    stray = await album.add(album.ada, looks(BOB, 9))
    await album.judge()
    moved = await album.edit(album.ada, stray, person_id=album.bob)
    assert not moved["set_aside"]
    assert await album.judge() == 0
    assert stray in await album.in_use()
    assert await album.badges(album.bob) == [("good", [])] * 4


async def test_photo_that_somebody_set_aside_stays_aside_when_it_is_moved(album: Album) -> None:
    await album.edit(album.ada, "photo-01", set_aside=True)
    moved = await album.edit(album.ada, "photo-01", person_id=album.bob)
    assert moved["set_aside_reason"] == "by_hand"


async def test_another_photo_decides_which_of_two_was_the_stray(gateway_with_redis: Gateway) -> None:
    client = gateway_with_redis.client
    ada = (await client.post("/api/people", json={"name": "Ada"})).json()["person_id"]
    album = Album(gateway_with_redis, ada, "")
    older = await album.add(ada, looks(NOBODY, 1))
    newer = await album.add(ada, looks(ADA, 2))
    assert await album.judge() == 0
    assert await album.badges(ada) == [("fair", ["differs"])] * 2
    await album.add(ada, looks(ADA, 3))
    assert await album.judge() == 1
    assert (await album.photo(ada, older))["set_aside_reason"] == "odd"
    assert (await album.photo(ada, newer))["badge"]["level"] == "good"


async def test_deleting_the_other_person_clears_the_suspicion(album: Album) -> None:
    """A resemblance to somebody who is gone means nothing."""
    twin = (await album.gateway.client.post("/api/people", json={"name": "Ada's twin"})).json()["person_id"]
    for number in (20, 21):
        await album.add(twin, looks(ADA, number))
    await album.judge()
    assert (await album.photo(album.ada, "photo-01"))["badge"]["findings"][0]["kind"] == "lookalike"
    await album.gateway.client.delete(f"/api/people/{twin}")
    await album.judge()
    assert await album.badges(album.ada) == [("good", [])] * 3


async def test_copy_is_named_and_stays_in_use(album: Album) -> None:
    copy = await album.add(album.ada, looks(ADA, 0))
    assert await album.judge() == 0
    words = (await album.photo(album.ada, copy))["badge"]["findings"][0]["words"]
    assert words == "The same picture as photo-01.jpg: it adds nothing."


async def test_poor_photos_say_what_is_wrong_with_figures(album: Album) -> None:
    measures = {
        "score": 0.3, "size_px": 20.0, "sharpness": 12.0, "yaw": -0.6, "brightness": 40.0,
        "detection_score": 0.99, "pitch": 0.1, "evenness": 0.8,
    }  # fmt: skip
    poor = await album.add(album.ada, looks(ADA, 8), measures=measures)
    await album.judge()
    badge = (await album.photo(album.ada, poor))["badge"]
    assert badge["level"] == "fair"
    assert [finding["words"] for finding in badge["findings"]] == [
        "Small face: about 59 pixels, 80 are better.",
        "Blurred: sharpness 12, 20 is better.",
        "Turned to the side (0.60 of 1).",
        "Dark: brightness 40 of 255.",
    ]


async def test_calibration_has_everybody_judged_again(album: Album) -> None:
    await album.judge()
    await album.gateway.client.post("/api/recognition/calibration", json={"false_accept_rate": 0.01})
    waiting = select(Photo.photo_id).where(Photo.likeness.is_(None))
    found = await album.gateway.context.database.run(lambda session: session.scalars(waiting).all())
    assert len(found) == 6
