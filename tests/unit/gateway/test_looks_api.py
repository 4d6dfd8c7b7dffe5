"""How people looked: who may turn it on, what is told of whom, and that it is forgotten."""

import asyncio
import time
from datetime import timedelta

import pytest

from mien.contracts.models import UNCERTAIN
from mien.contracts.readings import emotion_baseline_key, emotion_counts_key
from mien.contracts.shared_state import emotion_state_key, tiredness_state_key, track_key
from mien.errors import TransientError
from mien.runtime.service import Service
from services.gateway.looks import LooksKeeper
from services.gateway.tables import Person, Sighting, utc_now
from tests.unit.gateway.conftest import Gateway

EMOTION = {"emotion_policy": "per_person", "emotion_purpose": "study", "context": "public"}
TIREDNESS = {"tiredness_policy": "per_person", "tiredness_purpose": "rest at machines"}


async def add_camera(gateway: Gateway, **fields: object) -> str:
    """Register a camera; its id."""
    body = {"name": "Door", "url": "rtsp://10.0.0.2/x", **fields}
    answer = await gateway.client.post("/api/cameras", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["camera_id"])


async def edit(gateway: Gateway, camera_id: str, **fields: object) -> tuple[int, dict[str, object]]:
    """Change a camera; returns the status and the answer."""
    answer = await gateway.client.patch(f"/api/cameras/{camera_id}", json=fields)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"emotion_policy": "aggregate", "context": "public"}, "purpose"),
        ({"emotion_policy": "aggregate", "emotion_purpose": "study"}, "context"),
        ({**EMOTION, "context": "workplace"}, "medical or safety"),
        ({**EMOTION, "context": "education", "emotion_exemption": "safety"}, "in words why"),
        ({"tiredness_policy": "per_person"}, "tiredness_purpose"),
    ],
)
async def test_what_is_missing_is_asked_for(
    gateway_with_redis: Gateway, fields: dict[str, object], word: str
) -> None:
    """Reading is not turned on until somebody has said why, where, and with what right."""
    camera_id = await add_camera(gateway_with_redis)
    status, answer = await edit(gateway_with_redis, camera_id, **fields)
    assert status == 422
    assert word in str(answer["detail"])


async def test_who_turned_it_on_and_when_is_told(gateway_with_redis: Gateway) -> None:
    """On the camera itself, and in the log with the purpose; other edits don't sign anew."""
    before_ns = time.time_ns()
    camera_id = await add_camera(gateway_with_redis)
    status, camera = await edit(
        gateway_with_redis,
        camera_id,
        **EMOTION
        | {"context": "workplace", "emotion_exemption": "safety", "emotion_exemption_note": "crane"},
    )
    assert (status, camera["emotion_set_by"]) == (200, "cli")
    signed_at_ns = camera["emotion_set_at_ns"]
    assert isinstance(signed_at_ns, int)
    assert signed_at_ns >= before_ns
    _, renamed = await edit(gateway_with_redis, camera_id, name="Gate")
    assert renamed["emotion_set_at_ns"] == signed_at_ns
    assert renamed["tiredness_set_by"] == ""
    changes = (await gateway_with_redis.client.get("/api/readings")).json()["changes"]
    assert [(one["actor"], one["action"]) for one in changes] == [("cli", "emotion.per_person")]
    assert all(word in changes[0]["subject"] for word in (camera_id, "study", "workplace", "safety: crane"))


async def test_a_camera_of_an_earlier_release_can_be_renamed(gateway_with_redis: Gateway) -> None:
    """What an earlier release did not ask for is asked for when reading is changed, not before."""
    camera_id = await add_camera(gateway_with_redis)
    await gateway_with_redis.context.registry.update(
        camera_id, {"emotion_policy": "per_person", "emotion_purpose": "old"}
    )
    assert (await edit(gateway_with_redis, camera_id, name="Gate"))[0] == 200
    assert (await edit(gateway_with_redis, camera_id, emotion_purpose="new"))[0] == 422


async def fill_redis(gateway: Gateway, camera_id: str) -> None:
    """Leave in Redis what workers and gateways keep of a track."""
    redis, track_id = gateway.context.redis, f"{camera_id}:1:1"
    await redis.set(emotion_state_key(track_id), b"x")
    await redis.set(tiredness_state_key(track_id), b"x")
    await redis.hset(emotion_counts_key(camera_id, 60, 1), "happy", 1)
    fields = (
        "camera_id",
        "identity",
        "emotion",
        "emotion_guard",
        "label:happy",
        "tiredness",
        "tiredness_guard",
    )
    await redis.hset(track_key(track_id), mapping=dict.fromkeys(fields, b"x"))


async def kept(gateway: Gateway, camera_id: str) -> set[str]:
    """Return which kinds of things Redis still holds of the track."""
    redis, track_id = gateway.context.redis, f"{camera_id}:1:1"
    keys = {
        "emotion state": emotion_state_key(track_id),
        "tiredness state": tiredness_state_key(track_id),
        "counts": emotion_counts_key(camera_id, 60, 1),
    }
    fields = {name.decode() for name in await redis.hkeys(track_key(track_id))}
    return {name for name, key in keys.items() if await redis.exists(key)} | fields - {
        "camera_id",
        "identity",
    }


async def test_turned_off_is_deleted(gateway_with_redis: Gateway) -> None:
    """Each switch deletes its own; who it was, and other cameras, stay."""
    camera_id = await add_camera(gateway_with_redis, **EMOTION, **TIREDNESS)
    other_id = await add_camera(gateway_with_redis, camera_id=f"{camera_id}-2", **EMOTION)
    for one in (camera_id, other_id):
        await fill_redis(gateway_with_redis, one)
    everything = await kept(gateway_with_redis, other_id)
    await edit(gateway_with_redis, camera_id, emotion_policy="aggregate")
    assert await kept(gateway_with_redis, camera_id) == {
        "counts", "tiredness state", "tiredness", "tiredness_guard",
    }  # fmt: skip
    await edit(gateway_with_redis, camera_id, emotion_policy="off")
    assert "counts" not in await kept(gateway_with_redis, camera_id)
    await edit(gateway_with_redis, camera_id, tiredness_policy="off")
    assert await kept(gateway_with_redis, camera_id) == set()
    assert await gateway_with_redis.context.redis.hexists(track_key(f"{camera_id}:1:1"), "identity")
    assert await kept(gateway_with_redis, other_id) == everything


@pytest.mark.parametrize("how", ["removed", "disabled", "stopped"])
async def test_a_camera_that_is_gone_leaves_nothing(gateway_with_redis: Gateway, how: str) -> None:
    """However reading ends."""
    camera_id = await add_camera(gateway_with_redis, **EMOTION, **TIREDNESS)
    await fill_redis(gateway_with_redis, camera_id)
    if how == "removed":
        await gateway_with_redis.client.delete(f"/api/cameras/{camera_id}")
    elif how == "disabled":
        await edit(gateway_with_redis, camera_id, enabled=False)
    else:
        await gateway_with_redis.client.put("/api/readings/stop", json={"reason": "works council"})
    assert await kept(gateway_with_redis, camera_id) == set()


async def test_one_switch_stops_all_reading(gateway_with_redis: Gateway) -> None:
    """Whatever the policies say; they hold again when it is lifted."""
    camera_id = await add_camera(gateway_with_redis, **EMOTION, **TIREDNESS)
    directory, client = gateway_with_redis.context.directory, gateway_with_redis.client
    answer = await client.put("/api/readings/stop", json={"reason": "works council"})
    assert (answer.json()["by"], answer.json()["reason"]) == ("cli", "works council")
    camera = directory.get(camera_id)
    assert camera is not None
    assert (camera.emotion_policy, camera.tiredness_policy) == ("off", "off")
    assert (await client.get(f"/api/cameras/{camera_id}")).json()["emotion_policy"] == "per_person"
    assert (await client.delete("/api/readings/stop")).status_code == 204
    camera = directory.get(camera_id)
    assert camera is not None
    assert camera.emotion_policy == "per_person"
    actions = [one["action"] for one in (await client.get("/api/readings")).json()["changes"]]
    assert actions[:2] == ["reading.resumed", "reading.stopped"]


async def count(gateway: Gateway, camera_id: str, minutes_ago: int, **counts: int) -> None:
    bucket = int(time.time()) // 60 - minutes_ago
    for label, number in counts.items():
        await gateway.context.redis.hset(emotion_counts_key(camera_id, 60, bucket), label, number)


async def test_totals_of_few_are_not_told_where_only_totals_are(gateway_with_redis: Gateway) -> None:
    """Of a lone passer-by nobody learns how they looked, and of the minute at hand nothing at all."""
    camera_id = await add_camera(gateway_with_redis, **EMOTION | {"emotion_policy": "aggregate"})
    await count(gateway_with_redis, camera_id, 0, happy=9)
    await count(gateway_with_redis, camera_id, 3, happy=4, sad=0)
    await count(gateway_with_redis, camera_id, 5, happy=3, sad=2)
    looks = (await gateway_with_redis.client.get(f"/api/cameras/{camera_id}/emotions")).json()
    assert (looks["group_size"], looks["bucket_seconds"]) == (5, 60)
    assert [(one["people"], one["counts"]) for one in looks["buckets"]] == [
        (5, {"happy": 3, "sad": 2}),
        (None, None),
    ]
    csv = (await gateway_with_redis.client.get(f"/api/cameras/{camera_id}/emotions.csv?span=hour")).text
    assert csv.splitlines()[0] == f"starts_at,people,angry,happy,neutral,sad,tired,{UNCERTAIN}"
    assert [line.split(",", 1)[1] for line in csv.splitlines()[1:]] == ["5,0,3,0,2,0,0", ",,,,,,"]


async def test_each_may_be_told_of_where_the_policy_says_so(gateway_with_redis: Gateway) -> None:
    """There, the minute at hand counts, too; where emotion is off there is nothing."""
    camera_id = await add_camera(gateway_with_redis, **EMOTION)
    await count(gateway_with_redis, camera_id, 0, happy=1)
    looks = (await gateway_with_redis.client.get(f"/api/cameras/{camera_id}/emotions")).json()
    assert [one["counts"] for one in looks["buckets"]] == [{"happy": 1}]
    day = (await gateway_with_redis.client.get(f"/api/cameras/{camera_id}/emotions?span=day")).json()
    assert (day["bucket_seconds"], day["buckets"]) == (900, [])
    off = await add_camera(gateway_with_redis)
    await count(gateway_with_redis, off, 0, happy=9)
    assert (await gateway_with_redis.client.get(f"/api/cameras/{off}/emotions")).json()["buckets"] == []


async def write_sightings(gateway: Gateway, *days_ago: float) -> None:
    """Write down a person who smiled for a minute, so many days ago."""

    def write(session: object) -> None:
        session.add(Person(person_id="ada", name="Ada"))  # type: ignore[attr-defined]
        for number, days in enumerate(days_ago):
            ended = utc_now() - timedelta(days=days)
            session.add(  # type: ignore[attr-defined]
                Sighting(
                    track_id=f"door:1:{number}", camera_id="door", camera_name="=Door", person_id="ada",
                    answer="known", started_at=ended - timedelta(minutes=1), ended_at=ended,
                    emotions={"happy": 0.75, "neutral": 0.25}, emotion_timeline=[(1, "happy")],
                    tiredness="tired",
                )
            )  # fmt: skip

    await gateway.context.database.run(write)


async def test_a_persons_days_are_told_and_forgotten_on_request(gateway_with_redis: Gateway) -> None:
    """Forgetting takes the looks and leaves who was where; a baseline goes, too."""
    client, redis = gateway_with_redis.client, gateway_with_redis.context.redis
    await write_sightings(gateway_with_redis, 0, 1)
    days = (await client.get("/api/people/ada/emotions")).json()["days"]
    assert len(days) == 2
    assert days[0]["day"] > days[1]["day"]
    assert days[0]["shares"] == {"happy": 0.75, "neutral": 0.25}
    assert (days[0]["sightings"], days[0]["tired_sightings"]) == (1, 1)
    lines = (await client.get("/api/people/ada/emotions.csv")).text.splitlines()
    assert len(lines) == 3
    assert ",'=Door,tired," in lines[1]
    await redis.set(emotion_baseline_key("ada"), b"x")
    assert (await client.delete("/api/people/ada/emotions")).status_code == 204
    assert not await redis.exists(emotion_baseline_key("ada"))
    assert (await client.get("/api/people/ada/emotions")).json()["days"] == []
    sightings = (await client.get("/api/sightings?person_id=ada")).json()
    assert [(one["emotions"], one["emotion_timeline"], one["tiredness"]) for one in sightings] == [
        (None, None, None)
    ] * 2


async def test_a_forgotten_person_leaves_no_looks(gateway_with_redis: Gateway) -> None:
    """Not in the history without the name either; and nothing is learned of them any more."""
    await write_sightings(gateway_with_redis, 0)
    redis = gateway_with_redis.context.redis
    await redis.set(emotion_baseline_key("ada"), b"x")
    assert (await gateway_with_redis.client.delete("/api/people/ada")).status_code == 204
    [sighting] = (await gateway_with_redis.client.get("/api/sightings")).json()
    assert (sighting["emotions"], sighting["tiredness"]) == (None, None)
    assert await redis.get(emotion_baseline_key("ada")) == b""
    assert await redis.ttl(emotion_baseline_key("ada")) > 0


async def test_looks_have_their_time(gateway_with_redis: Gateway) -> None:
    """After it they are gone from the history, which stays."""
    await write_sightings(gateway_with_redis, 1, 40)
    assert await gateway_with_redis.context.looks.forget_old() == 1
    sightings = (await gateway_with_redis.client.get("/api/sightings")).json()
    assert [one["tiredness"] for one in sightings] == ["tired", None]


async def test_forgetting_is_tried_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that refuses once leaves the gateway unwell for seconds, not until the next hour."""
    service, is_well_again = Service("gateway"), asyncio.Event()
    told: list[list[str]] = []

    class RefusesOnce:
        async def run(self, work: object) -> int:
            told.append(service.health.problems)
            if len(told) == 1:
                raise TransientError("the database is locked")
            is_well_again.set()
            return 0

    monkeypatch.setattr("services.gateway.looks._RETRY_SECONDS", 0)
    service.health.started()
    keeper = LooksKeeper(RefusesOnce(), redis=None, keep_days=1)  # type: ignore[arg-type]
    running = asyncio.create_task(keeper.run(service))
    async with asyncio.timeout(10):
        await is_well_again.wait()
    running.cancel()
    assert told == [[], ["how people looked is kept for too long: the database is locked"]]
    assert service.health.is_ready


async def test_nobody_knows_a_person_who_is_not_there(gateway_with_redis: Gateway) -> None:
    """A 404 in words."""
    for method, path in (("GET", ""), ("GET", ".csv"), ("DELETE", "")):
        answer = await gateway_with_redis.client.request(method, f"/api/people/nobody/emotions{path}")
        assert answer.status_code == 404
        assert "nobody" in answer.json()["detail"]
