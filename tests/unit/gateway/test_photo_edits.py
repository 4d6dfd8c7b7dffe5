"""Photos under the wrong name are moved, poor ones set aside, and recognizers hear of both."""

import pytest

from mien.contracts.models import FACE_EMBEDDER
from mien.contracts.shared_state import Template
from mien.runtime.gallery import TemplateStore
from services.gateway.tables import Photo
from tests.unit.gateway.conftest import Gateway


@pytest.fixture
async def two_people(gateway_with_redis: Gateway) -> tuple[str, str]:
    """Ada, with one enrolled photo, and Bob, with none."""
    client = gateway_with_redis.client
    ada, bob = [
        (await client.post("/api/people", json={"name": name})).json()["person_id"] for name in ("Ada", "Bob")
    ]
    photo = Photo(photo_id="ph", person_id=ada, filename="a.jpg", status="enrolled", template_id="t")
    await gateway_with_redis.context.database.run(lambda session: session.add(photo))
    template = Template(
        template_id="t", person_id=ada, photo_id="ph", model=FACE_EMBEDDER.name, model_version=1,
        vector=b"\0" * 512,
    )  # fmt: skip
    await gateway_with_redis.context.templates.add(template)
    return ada, bob


async def stored(gateway: Gateway) -> list[tuple[str, bool]]:
    templates = await TemplateStore(gateway.context.redis).load(FACE_EMBEDDER.name)
    return [(template.person_id, template.set_aside) for template in templates]


async def test_photo_is_set_aside_and_used_again(
    gateway_with_redis: Gateway, two_people: tuple[str, str]
) -> None:
    """It stays where it is, counts for nothing meanwhile, and needs no new upload."""
    gateway, (ada, _) = gateway_with_redis, two_people
    url = f"/api/people/{ada}/photos/ph"
    assert (await gateway.client.patch(url, json={"set_aside": True})).json()["set_aside"]
    assert await stored(gateway) == [(ada, True)]
    assert (await gateway.client.get(f"/api/people/{ada}")).json()["template_count"] == 0
    assert not (await gateway.client.patch(url, json={"set_aside": False})).json()["set_aside"]
    assert await stored(gateway) == [(ada, False)]


async def test_photo_is_moved_to_another_person(
    gateway_with_redis: Gateway, two_people: tuple[str, str]
) -> None:
    """Photo and template change hands together, and can go back."""
    gateway, (ada, bob) = gateway_with_redis, two_people
    moved = await gateway.client.patch(f"/api/people/{ada}/photos/ph", json={"person_id": bob})
    assert moved.json()["person_id"] == bob
    assert await stored(gateway) == [(bob, False)]
    assert (await gateway.client.get(f"/api/people/{ada}/photos")).json() == []


async def test_photo_is_not_moved_to_nobody(gateway_with_redis: Gateway, two_people: tuple[str, str]) -> None:
    """Where there is no such person nothing has happened."""
    gateway, (ada, _) = gateway_with_redis, two_people
    answer = await gateway.client.patch(f"/api/people/{ada}/photos/ph", json={"person_id": "nobody"})
    assert answer.status_code == 404
    assert await stored(gateway) == [(ada, False)]
