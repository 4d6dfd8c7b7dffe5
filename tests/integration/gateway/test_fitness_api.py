"""A camera's fitness and work through the interface, on a real Redis."""

import time

import msgspec
import pytest
from redis.asyncio import Redis

from mien.contracts.camera_status import FITNESS_MIN_TRACKS, CameraFitness, PassedFace
from mien.contracts.shared_state import fitness_key, passed_faces_key
from mien.runtime.work import WorkLedger
from mien.vision.quality import NEEDED
from tests.integration.gateway.conftest import RunningGateway


async def judged_camera(gateway: RunningGateway, redis: Redis) -> str:
    """Register a camera that twelve people passed."""
    camera_id = await gateway.add_camera()
    face = PassedFace(
        started_at_ns=1,
        ended_at_ns=2,
        score=0.1,
        detection_score=0.99,
        face_px=34.0,
        sharpness=40.0,
        evenness=0.8,
        yaw=0.1,
        pitch=0.0,
        brightness=120.0,
    )
    fitness = CameraFitness(
        camera_id=camera_id,
        fitness="poor",
        tracks=12,
        since_ns=1,
        until_ns=2,
        median_face_px=34.0,
        obstacles={"small": 1.0},
        advice="Zoom in.",
    )
    await redis.rpush(passed_faces_key(camera_id), *[msgspec.msgpack.encode(face)] * 12)
    await redis.set(fitness_key(camera_id), msgspec.json.encode(fitness))
    return camera_id


async def test_fitness_stands_in_the_list_and_in_full_at_its_camera(
    gateway: RunningGateway, redis: Redis
) -> None:
    """The list has the verdict, the camera's own page also the views behind it and what views need."""
    camera_id = await judged_camera(gateway, redis)
    [camera] = [
        one for one in (await gateway.client.get("/api/cameras")).json() if one["camera_id"] == camera_id
    ]
    assert (camera["fitness"]["fitness"], camera["fitness"]["advice"]) == ("poor", "Zoom in.")
    report = (await gateway.client.get(f"/api/cameras/{camera_id}/fitness")).json()
    assert report["fitness"] == camera["fitness"]
    assert [face["face_px"] for face in report["faces"]] == [34.0] * 12
    assert report["tracks_needed"] == FITNESS_MIN_TRACKS
    assert report["needed"]["face_px"] == {"at_least": NEEDED["face_px"].at_least, "at_most": None}


async def test_a_camera_that_nobody_passed_is_unknown(gateway: RunningGateway) -> None:
    """Nothing is missing in the answers, only unknown or nought."""
    camera_id = await gateway.add_camera()
    report = (await gateway.client.get(f"/api/cameras/{camera_id}/fitness")).json()
    assert (report["fitness"]["fitness"], report["fitness"]["tracks"], report["faces"]) == ("unknown", 0, [])
    work = (await gateway.client.get(f"/api/cameras/{camera_id}/work")).json()
    assert (work["captured"], work["skipped"]) == (0, {})
    assert work["since_ns"] == pytest.approx(time.time_ns(), abs=5e9)


@pytest.mark.parametrize(
    ("change", "is_kept"),
    [
        ({"name": "Back door"}, True),
        ({"sampled_fps": 2}, True),
        ({"min_face_px": 40}, True),
        ({"min_face_px": 60}, False),
        ({"frame_width_px": 1920}, False),
        ({"url": "rtsp://10.0.0.3/x"}, False),
        ({"ignored_zones": [{"points_xy": [[0, 0], [1, 0], [1, 1]], "ignores": "everything"}]}, False),
    ],
)
async def test_a_camera_that_sees_otherwise_is_judged_anew(
    change: dict[str, object], is_kept: bool, gateway: RunningGateway, redis: Redis
) -> None:
    """Only a setting that changes what is seen forgets who passed before."""
    camera_id = await judged_camera(gateway, redis)
    answer = await gateway.client.patch(f"/api/cameras/{camera_id}", json=change)
    assert answer.json()["fitness"]["tracks"] == (12 if is_kept else 0)
    assert await redis.exists(passed_faces_key(camera_id)) == is_kept


async def test_fitness_is_forgotten_on_request_and_with_its_camera(
    gateway: RunningGateway, redis: Redis
) -> None:
    """For a camera that was moved, and for the next one of the same name."""
    for path in ("/fitness", ""):
        camera_id = await judged_camera(gateway, redis)
        assert (await gateway.client.delete(f"/api/cameras/{camera_id}{path}")).status_code == 204
        assert await redis.exists(fitness_key(camera_id), passed_faces_key(camera_id)) == 0


async def test_work_of_the_last_hour_is_told_by_step(gateway: RunningGateway, redis: Redis) -> None:
    """Each sampled picture was unchanged, given up or looked at; each face was sent on or why not."""
    camera_id = await gateway.add_camera()
    ledger = WorkLedger(redis)
    ledger.count(camera_id, {"captured": 900, "sampled": 300, "unchanged": 200, "published": 95})
    ledger.count(camera_id, {"remembered": 15, "looked_at": 80, "faces": 60, "tracks": 7})
    ledger.count(camera_id, {"identity_shots": 9, "emotion_shots": 4, "skipped.enough_shots": 51})
    await ledger.write()
    work = (await gateway.client.get(f"/api/cameras/{camera_id}/work")).json()
    assert (work["unchanged"], work["given_up"], work["looked_at"]) == (215, 5, 80)
    assert work["unchanged"] + work["given_up"] + work["looked_at"] == work["sampled"]
    assert (work["identity_shots"], work["skipped"]) == (9, {"enough_shots": 51})


@pytest.mark.parametrize(("method", "path"), [("GET", "fitness"), ("DELETE", "fitness"), ("GET", "work")])
async def test_unknown_cameras_and_unknown_people_get_nothing(
    method: str, path: str, gateway: RunningGateway
) -> None:
    """A camera that isn't there is a 404, and nobody is told anything without a login."""
    assert (await gateway.client.request(method, f"/api/cameras/nowhere/{path}")).status_code == 404
    del gateway.client.headers["Authorization"]
    assert (await gateway.client.request(method, f"/api/cameras/nowhere/{path}")).status_code == 401
