"""From Redis to a browser: the live websocket of a whole gateway."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from mien.contracts.camera_status import CameraStatus
from mien.contracts.events import IdentityDecided
from mien.contracts.live import LiveFrame, decode_live_frame
from mien.contracts.shared_state import (
    CAMERA_STATUS_CHANNEL,
    WATCH_TTL_SECONDS,
    Preview,
    preview_channel,
    watch_key,
)
from services.gateway.merge import TrackStore
from tests.integration.gateway.conftest import RunningGateway, eventually

JPEG = b"\xff\xd8" + b"x" * 30_000 + b"\xff\xd9"


def preview(camera_id: str, seq: int, track_id: str) -> bytes:
    return msgspec.msgpack.encode(
        Preview(
            camera_id=camera_id, frame_id=f"{camera_id}:1:{seq}", captured_at_ns=seq, detected_at_ns=2,
            size_wh=(640, 360), boxes_xyxy=[(1.0, 2.0, 3.0, 4.0)], track_ids=[track_id], scores=[0.99],
            jpeg=JPEG,
        )
    )  # fmt: skip


def identity(camera_id: str, track_id: str, person_id: str, shot_number: int = 1) -> IdentityDecided:
    return IdentityDecided(
        camera_id=camera_id, event_id="i", captured_at_ns=1, track_id=track_id, shot_number=shot_number,
        state="confirmed", answer="known", model="face_embedder", model_version=1, gallery_generation=1,
        person_id=person_id, similarity=0.97,
    )  # fmt: skip


async def next_frame(socket: ClientConnection) -> LiveFrame:
    """Return the next frame, past all texts."""
    async with asyncio.timeout(10):
        while True:
            message = await socket.recv()
            if isinstance(message, bytes):
                frame, jpeg = decode_live_frame(message)
                assert jpeg == JPEG
                return frame


async def next_text(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next text message of a kind."""
    async with asyncio.timeout(10):
        while True:
            message = await socket.recv()
            if isinstance(message, str) and (decoded := json.loads(message))["type"] == kind:
                return dict(decoded)


async def watch(socket: ClientConnection, redis: Redis, camera_id: str) -> None:
    """Watch a camera, and wait until the gateway is subscribed to it."""
    await socket.send(json.dumps({"type": "watch", "cameras": [camera_id]}))

    async def is_subscribed() -> bool:
        [(_, count)] = await redis.pubsub_numsub(preview_channel(camera_id))
        return bool(count)

    await eventually(is_subscribed)


async def test_faces_are_named_on_their_own_frames(gateway: RunningGateway, redis: Redis) -> None:
    """A frame arrives with its boxes; names come, change and go as people do, without a reload."""
    camera_id = await gateway.add_camera()
    person = (await gateway.client.post("/api/people", json={"name": "Ada"})).json()
    track_id, tracks = f"{camera_id}:1:1", TrackStore(redis)
    # Merged before anybody watches: the gateway has to load it when it meets the track.
    await tracks.merge([identity(camera_id, track_id, person["person_id"])])
    async with connect(gateway.live_url, additional_headers={"Cookie": await gateway.cookie()}) as socket:
        await watch(socket, redis, camera_id)
        assert await redis.exists(watch_key(camera_id))

        async def name_shown(seq: int) -> str | None:
            await redis.publish(preview_channel(camera_id), preview(camera_id, seq, track_id))
            frame = await next_frame(socket)
            assert frame.captured_at_ns == seq
            assert frame.faces[0].box_xyxy == (1.0, 2.0, 3.0, 4.0)
            assert frame.sent_at_ns > 0
            return frame.faces[0].person_name or frame.faces[0].answer

        async def shows(expected: str) -> bool:
            return await name_shown(7) == expected

        await eventually(lambda: shows("Ada"))
        await gateway.client.patch(f"/api/people/{person['person_id']}", json={"name": "Ada Lovelace"})
        assert await name_shown(8) == "Ada Lovelace"
        await gateway.client.delete(f"/api/people/{person['person_id']}")
        assert await name_shown(9) == "unknown"
        await gateway.client.patch(f"/api/cameras/{camera_id}", json={"identity_policy": "off"})
        await eventually(lambda: shows(None))  # type: ignore[arg-type]  # no answer at all


async def test_slow_viewer_stalls_no_other(gateway: RunningGateway, redis: Redis) -> None:
    """While one browser reads nothing, another gets every frame; the slow one goes on with the newest."""
    camera_id = await gateway.add_camera()
    headers = {"Cookie": await gateway.cookie()}
    async with (
        connect(gateway.live_url, additional_headers=headers, max_queue=1) as slow,
        connect(gateway.live_url, additional_headers=headers) as fast,
    ):
        for socket in (slow, fast):
            await socket.send(json.dumps({"type": "watch", "cameras": [camera_id]}))
            await socket.send(json.dumps({"type": "ping", "sent_at_ms": 5}))
            assert (await next_text(socket, "pong"))["sent_at_ms"] == 5
        await watch(fast, redis, camera_id)
        total = 600
        for seq in range(total):
            await redis.publish(preview_channel(camera_id), preview(camera_id, seq, "t"))
            assert (await next_frame(fast)).captured_at_ns == seq
        received = [await next_frame(slow)]
        while received[-1].captured_at_ns < total - 1:
            received.append(await next_frame(slow))
        assert len(received) < total


@pytest.mark.parametrize(
    ("headers", "code"),
    [({}, 4401), ({"Cookie": "mien_session=forged"}, 4401), ({"Origin": "https://evil.example"}, 4403)],
)
async def test_strangers_see_nothing(headers: dict[str, str], code: int, gateway: RunningGateway) -> None:
    """Without a session, or from another site's page, the connection closes with its reason."""
    if code == 4403:
        headers = {**headers, "Cookie": await gateway.cookie()}
    async with connect(gateway.live_url, additional_headers=headers) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code


async def test_states_and_changes_of_cameras_are_told(gateway: RunningGateway, redis: Redis) -> None:
    """Everybody hears of a camera's state and of an edited registry."""
    camera_id = await gateway.add_camera()
    async with connect(gateway.live_url, additional_headers={"Cookie": await gateway.cookie()}) as socket:
        await socket.send(json.dumps({"type": "ping", "sent_at_ms": 1}))
        await next_text(socket, "pong")
        status = CameraStatus(camera_id=camera_id, state="auth_failed", reason="wrong password")
        await redis.publish(CAMERA_STATUS_CHANNEL, msgspec.json.encode(status))
        told = await next_text(socket, "camera")
        assert (told["status"]["state"], told["status"]["reason"]) == ("auth_failed", "wrong password")
        await gateway.client.delete(f"/api/cameras/{camera_id}")
        assert (await next_text(socket, "cameras_changed"))["generation"] > 0


async def test_malformed_messages_stop_nothing(gateway: RunningGateway, redis: Redis) -> None:
    """What is no preview is passed over; what is no request closes that one connection, with a reason."""
    camera_id = await gateway.add_camera()
    async with connect(gateway.live_url, additional_headers={"Cookie": await gateway.cookie()}) as socket:
        await watch(socket, redis, camera_id)
        await redis.publish(preview_channel(camera_id), b"\xc1 no preview")
        await redis.publish(preview_channel(camera_id), preview(camera_id, 3, "t"))
        assert (await next_frame(socket)).captured_at_ns == 3
        await socket.send("watch everything!")
        with pytest.raises(ConnectionClosed, match="4400"):
            await socket.recv()


async def test_watching_ends_with_the_last_viewer(gateway: RunningGateway, redis: Redis) -> None:
    """Once nobody watches, the subscription ends and the watch key is left to expire."""
    camera_id = await gateway.add_camera()
    async with connect(gateway.live_url, additional_headers={"Cookie": await gateway.cookie()}) as socket:
        await watch(socket, redis, camera_id)

    async def is_unsubscribed() -> bool:
        [(_, count)] = await redis.pubsub_numsub(preview_channel(camera_id))
        return not count

    await eventually(is_unsubscribed)
    assert await redis.ttl(watch_key(camera_id)) <= WATCH_TTL_SECONDS


async def test_snapshot_is_the_next_picture(gateway: RunningGateway, redis: Redis) -> None:
    """Asking for a picture watches the camera until one comes."""
    camera_id = await gateway.add_camera()
    asking = asyncio.create_task(gateway.client.get(f"/api/cameras/{camera_id}/snapshot.jpg"))

    async def delivered() -> bool:
        return bool(await redis.publish(preview_channel(camera_id), preview(camera_id, 1, "t")))

    await eventually(delivered)
    answer = await asking
    assert (answer.status_code, answer.content) == (200, JPEG)
