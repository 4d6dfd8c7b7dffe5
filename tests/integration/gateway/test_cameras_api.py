"""Cameras through the interface, on a real Redis and without Kafka."""

from uuid import uuid4

import msgspec
import pytest
from redis.asyncio import Redis

from mien.contracts.camera_status import CameraStatus, MainStreamStatus
from mien.contracts.cameras import Camera
from mien.contracts.shared_state import CAMERAS_KEY, camera_status_key
from mien.runtime.secrets import SecretBox
from tests.integration.gateway.conftest import PARTITIONS, SECRET_KEY, RunningGateway


async def stored(redis: Redis, camera_id: str) -> Camera:
    value = await redis.hget(CAMERAS_KEY, camera_id)
    assert b"s@cret" not in value
    camera = msgspec.msgpack.decode(value, type=Camera)
    password = camera.password and SecretBox([SECRET_KEY]).unseal(camera.password)
    return msgspec.structs.replace(camera, password=password)


async def test_password_goes_in_and_never_comes_out(gateway: RunningGateway, redis: Redis) -> None:
    """Credentials leave the address, are kept beside it, stay when absent from an edit, and go on null."""
    camera_id = await gateway.add_camera(url="rtsp://bob:s%40cret@10.0.0.2/x")
    answer = await gateway.client.get(f"/api/cameras/{camera_id}")
    assert "s@cret" not in answer.text
    assert "s%40cret" not in answer.text
    assert (answer.json()["url"], answer.json()["username"], answer.json()["has_password"]) == (
        "rtsp://10.0.0.2/x", "bob", True,
    )  # fmt: skip
    await gateway.client.patch(f"/api/cameras/{camera_id}", json={"name": "Back door"})
    assert (await stored(redis, camera_id)).password == "s@cret"
    edited = await gateway.client.patch(f"/api/cameras/{camera_id}", json={"password": None})
    assert edited.json()["has_password"] is False
    assert edited.json()["revision"] == 3


async def test_camera_is_listed_with_its_state(gateway: RunningGateway, redis: Redis) -> None:
    """A camera that nobody looks after is unassigned; one that reports shows its report."""
    camera_id = await gateway.add_camera()
    [camera] = [
        one for one in (await gateway.client.get("/api/cameras")).json() if one["camera_id"] == camera_id
    ]
    assert camera["status"]["state"] == "unassigned"
    assert 0 <= camera["partition"] < PARTITIONS
    status = CameraStatus(camera_id=camera_id, state="streaming", published_fps=5.0)
    await redis.set(camera_status_key(camera_id), msgspec.json.encode(status), ex=10)
    assert (await gateway.client.get(f"/api/cameras/{camera_id}")).json()["status"]["published_fps"] == 5.0


async def test_ids_are_made_from_names_and_taken_once(gateway: RunningGateway) -> None:
    """Two cameras of one name get two ids; an id of one's own choice is refused when taken."""
    name = f"Tür {uuid4().hex[:8]}"
    body = {"name": name, "url": "rtsp://a/b"}
    first = (await gateway.client.post("/api/cameras", json=body)).json()["camera_id"]
    second = (await gateway.client.post("/api/cameras", json=body)).json()["camera_id"]
    assert second == f"{first}-2"
    taken = await gateway.client.post("/api/cameras", json={**body, "camera_id": first})
    assert taken.status_code == 409
    assert first in taken.json()["detail"]


@pytest.mark.parametrize(
    "change",
    [
        {"url": "gopher://x"},
        {"emotion_policy": "per_person"},
        {"sampled_fps": 0},
        {"name": ""},
        {"partition": 3},
        {"url": "rtsp://169.254.169.254/a"},
        {"main_stream_url": "rtsp://localhost/a"},
        {"kind": "hls"},
        {
            "schedule": {
                "time_zone": "Mars/Olympus",
                "hours": [{"days": ["mon"], "start": "07:00", "end": "09:00"}],
            }
        },
        {"schedule": {"time_zone": "UTC", "hours": []}},
        {"schedule": {"time_zone": "UTC", "hours": [{"days": ["mon"], "start": "7", "end": "25:00"}]}},
        {"certificate_sha256": "abc"},
        {"jpeg_quality": 5},
        {"camera_id": "other"},
    ],
)
async def test_what_can_not_be_is_refused(change: dict[str, object], gateway: RunningGateway) -> None:
    """A refused edit says why in words and changes nothing."""
    camera_id = await gateway.add_camera()
    answer = await gateway.client.patch(f"/api/cameras/{camera_id}", json=change)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)
    assert (await gateway.client.get(f"/api/cameras/{camera_id}")).json()["revision"] == 1


async def test_emotion_needs_a_purpose_and_keeps_it(gateway: RunningGateway) -> None:
    """Turning emotion on works with a purpose; taking the purpose away alone doesn't."""
    camera_id = await gateway.add_camera(
        emotion_policy="per_person", emotion_purpose="usability study", context="research"
    )
    answer = await gateway.client.patch(f"/api/cameras/{camera_id}", json={"emotion_purpose": " "})
    assert answer.status_code == 422


async def test_how_a_camera_is_read_comes_back_as_it_was_said(gateway: RunningGateway) -> None:
    """Schedule, kind, certificate and quality; null takes them back."""
    schedule = {
        "time_zone": "Europe/Berlin",
        "hours": [{"days": ["mon", "sun"], "start": "22:00", "end": "06:00"}],
    }
    said = {"kind": "snapshot", "certificate_sha256": "ab" * 32, "jpeg_quality": 60, "schedule": schedule}
    camera_id = await gateway.add_camera(
        url="https://10.0.0.2/x", decode="keyframes", loop_filter="off", **said
    )
    camera = (await gateway.client.get(f"/api/cameras/{camera_id}")).json()
    assert {name: camera[name] for name in said} == said
    assert camera["loop_filter"] == "off"
    assert (camera["source"], camera["decode"], camera["transport"]) == ("snapshot", "keyframes", "tcp")
    camera = (await gateway.client.patch(f"/api/cameras/{camera_id}", json=dict.fromkeys(said))).json()
    assert {name: camera[name] for name in said} == dict.fromkeys(said)
    assert camera["source"] == "mjpeg"


async def test_removed_camera_is_gone(gateway: RunningGateway) -> None:
    """Removing twice is a 404, as is everything else about it."""
    camera_id = await gateway.add_camera()
    assert (await gateway.client.delete(f"/api/cameras/{camera_id}")).status_code == 204
    for method, path in (("DELETE", ""), ("GET", ""), ("GET", "/snapshot.jpg")):
        answer = await gateway.client.request(method, f"/api/cameras/{camera_id}{path}")
        assert answer.status_code == 404


async def test_system_tells_what_is_missing(gateway: RunningGateway) -> None:
    """Kafka's absence is a problem in words; services that don't run are named."""
    system = (await gateway.client.get("/api/system")).json()
    assert system["partitions"] == PARTITIONS
    assert "detector" in system["missing"]
    [own] = [one for one in system["services"] if one["instance"] == gateway.service.instance]
    assert (own["state"], own["problems"]) == ("degraded", ["Kafka does not answer"])


async def test_a_main_stream_has_the_credentials_of_its_camera(gateway: RunningGateway, redis: Redis) -> None:
    """Those in its address are taken out and are the camera's; others are refused, and none is shown."""
    camera_id = await gateway.add_camera(
        url="rtsp://10.0.0.2/sub", main_stream_url="rtsp://bob:s%40cret@10.0.0.2/main"
    )
    answer = await gateway.client.get(f"/api/cameras/{camera_id}")
    assert "s@cret" not in answer.text
    assert "s%40cret" not in answer.text
    assert answer.json()["main_stream_url"] == "rtsp://10.0.0.2/main"
    kept = await stored(redis, camera_id)
    assert (kept.username, kept.password) == ("bob", "s@cret")
    for url in ("rtsp://eve:other@10.0.0.2/main", "file:///srv/main.mp4", "gopher://x"):
        refused = await gateway.client.patch(f"/api/cameras/{camera_id}", json={"main_stream_url": url})
        assert refused.status_code == 422
        assert "other" not in refused.json()["detail"].replace("no others", "")
    removed = await gateway.client.patch(f"/api/cameras/{camera_id}", json={"main_stream_url": None})
    assert removed.json()["main_stream_url"] is None
    assert (await stored(redis, camera_id)).password == "s@cret"


async def test_a_main_streams_state_and_the_zones_are_shown(gateway: RunningGateway, redis: Redis) -> None:
    """What ingest says of the main stream, in words; zones come back as they were drawn."""
    zone = {"points_xy": [[0, 0], [0.5, 0], [0.5, 1]], "ignores": "everything"}
    camera_id = await gateway.add_camera(main_stream_url="rtsp://10.0.0.2/main", ignored_zones=[zone])
    main = MainStreamStatus(state="not_found", reason="no stream at this path", size_wh=(1920, 1080))
    status = CameraStatus(camera_id=camera_id, state="streaming", main_stream=main)
    await redis.set(camera_status_key(camera_id), msgspec.json.encode(status), ex=10)
    camera = (await gateway.client.get(f"/api/cameras/{camera_id}")).json()
    assert camera["status"]["main_stream"] == msgspec.to_builtins(main) | {"size_wh": [1920, 1080]}
    assert camera["ignored_zones"] == [zone]
