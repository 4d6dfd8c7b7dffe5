"""A login's webcam is one camera: taken over by a newer tab, kept for a while, removed by any gateway."""

import pytest

from mien.contracts.camera_status import CameraStatus
from mien.contracts.shared_state import camera_status_key, webcam_key
from mien.runtime.settings import CameraNetworkSettings
from services.gateway.addresses import split_camera_url
from services.gateway.pipeline import InvalidInputError
from services.gateway.webcams import Webcams, session_name
from tests.unit.gateway.conftest import Gateway


@pytest.fixture
def webcams(gateway_with_redis: Gateway) -> Webcams:
    """The webcams of a gateway with a Redis in memory."""
    return gateway_with_redis.context.webcams


def streaming(camera_id: str) -> CameraStatus:
    return CameraStatus(camera_id=camera_id, state="streaming", size_wh=(640, 480))


async def cameras(gateway: Gateway) -> list[dict[str, object]]:
    answer = await gateway.client.get("/api/cameras")
    return list(answer.json())


async def test_webcam_is_a_camera_with_a_clear_name(gateway_with_redis: Gateway, webcams: Webcams) -> None:
    """Expressions are read only with the purpose that was ticked."""
    await webcams.open("s1", name="Ada's webcam", emotion_purpose="")
    await webcams.open("s2", name="Bob's webcam", emotion_purpose="To show Bob")
    ada, bob = await cameras(gateway_with_redis)
    assert (ada["name"], ada["url"], ada["emotion_policy"]) == ("Ada's webcam", "browser://s1", "off")
    assert (bob["emotion_policy"], bob["emotion_purpose"]) == ("per_person", "To show Bob")


async def test_newer_tab_takes_the_webcam_over(gateway_with_redis: Gateway, webcams: Webcams) -> None:
    """There is one camera per login, and the older connection learns why it is over."""
    old = await webcams.open("s", name="Ada's webcam", emotion_purpose="")
    new = await webcams.open("s", name="Ada's webcam", emotion_purpose="")
    assert new.is_resumed
    assert new.camera.camera_id == old.camera.camera_id
    assert len(await cameras(gateway_with_redis)) == 1
    assert (
        await webcams.renew(old, streaming(old.camera.camera_id)) == "your webcam was opened in another tab"
    )
    assert await webcams.renew(new, streaming(new.camera.camera_id)) == ""


async def test_webcam_that_is_gone_is_removed_with_its_live_state(
    gateway_with_redis: Gateway, webcams: Webcams
) -> None:
    """Once its record has expired, a sweep takes it; while it is renewed, none does."""
    webcam = await webcams.open("s", name="Ada's webcam", emotion_purpose="")
    camera_id, redis = webcam.camera.camera_id, gateway_with_redis.context.redis
    await webcams.renew(webcam, streaming(camera_id))
    await webcams.begin_epoch(camera_id)
    await webcams.sweep()
    assert len(await cameras(gateway_with_redis)) == 1
    assert 50 < await redis.ttl(webcam_key("s")) <= 60
    await redis.delete(webcam_key("s"))
    await webcams.sweep()
    assert await cameras(gateway_with_redis) == []
    assert not await redis.exists(camera_status_key(camera_id))
    assert [key async for key in redis.scan_iter(match=f"*{camera_id}*")] == []


async def test_stopping_leaves_time_for_the_tracks_to_end(
    gateway_with_redis: Gateway, webcams: Webcams
) -> None:
    """What was seen is written down under the camera's name before it goes."""
    webcam = await webcams.open("s", name="Ada's webcam", emotion_purpose="")
    stopped = CameraStatus(camera_id=webcam.camera.camera_id, state="stopped", reason="stopped")
    await webcams.leave(webcam, stopped, for_good=True)
    assert 10 < await gateway_with_redis.context.redis.ttl(webcam_key("s")) <= 15
    [camera] = await cameras(gateway_with_redis)
    assert camera["status"]["state"] == "stopped"  # type: ignore[index]  # JSON


async def test_leaving_tab_does_not_close_what_another_has_taken_over(
    gateway_with_redis: Gateway, webcams: Webcams
) -> None:
    """The older tab's goodbye changes nothing."""
    old = await webcams.open("s", name="Ada's webcam", emotion_purpose="")
    new = await webcams.open("s", name="Ada's webcam", emotion_purpose="")
    await webcams.leave(old, streaming(old.camera.camera_id), for_good=True)
    assert await gateway_with_redis.context.redis.ttl(webcam_key("s")) > 15
    assert await webcams.renew(new, streaming(new.camera.camera_id)) == ""


@pytest.mark.parametrize("what", ["removed", "off"])
async def test_somebody_may_end_a_webcam(what: str, gateway_with_redis: Gateway, webcams: Webcams) -> None:
    """Removing it or turning it off on the cameras page ends the connection, with the reason."""
    webcam = await webcams.open("s", name="Ada's webcam", emotion_purpose="")
    url = f"/api/cameras/{webcam.camera.camera_id}"
    if what == "removed":
        await gateway_with_redis.client.delete(url)
    else:
        await gateway_with_redis.client.patch(url, json={"enabled": False})
    assert what in await webcams.renew(webcam, streaming(webcam.camera.camera_id))


async def test_only_so_many_webcams_are_open(gateway_with_redis: Gateway, webcams: Webcams) -> None:
    """The refusal says so; those that are open stay, and may be opened again."""
    most = gateway_with_redis.context.settings.max_webcams
    for number in range(most):
        await webcams.open(f"s{number}", name="A webcam", emotion_purpose="")
    with pytest.raises(InvalidInputError, match="16 webcams are open already"):
        await webcams.open("one-more", name="A webcam", emotion_purpose="")
    assert (await webcams.open("s3", name="A webcam", emotion_purpose="")).is_resumed


def test_nobody_can_type_in_a_browsers_address() -> None:
    """Such a camera comes from the webcam's websocket alone."""
    with pytest.raises(InvalidInputError, match="starts with one of"):
        split_camera_url("browser://s", networks=CameraNetworkSettings().rules())


def test_name_of_a_session_tells_nothing_of_its_cookie() -> None:
    """It is shown with the camera's address."""
    assert session_name("secret") == session_name("secret") != session_name("secret2")
    assert "secret" not in session_name("secret")
