"""Merging results in a real Redis: the same whatever the order, however often."""

from itertools import permutations
from uuid import uuid4

import msgspec
import pytest
from redis.asyncio import Redis

from mien.contracts.events import EmotionEstimated, IdentityDecided, TrackEnded, TrackStarted
from mien.contracts.shared_state import TRACK_TTL_SECONDS, TrackResult, results_channel, track_key
from services.gateway.merge import TrackStore

NS = 1_790_000_000_123_456_789


@pytest.fixture
def track_id() -> str:
    """A track that no other test has."""
    return f"door-{uuid4().hex[:8]}:1:1"


def camera_of(track_id: str) -> str:
    return track_id.partition(":")[0]


def identity(track_id: str, shot_number: int, *, generation: int = 1, version: int = 1) -> IdentityDecided:
    return IdentityDecided(
        camera_id=camera_of(track_id), event_id=f"{shot_number}.{generation}.{version}",
        captured_at_ns=NS + shot_number, track_id=track_id, shot_number=shot_number, state="confirmed",
        answer="known", model="face_embedder", model_version=version, gallery_generation=generation,
        person_id="p1", similarity=0.97,
    )  # fmt: skip


def emotion(track_id: str, shot_number: int, label: str = "happy") -> EmotionEstimated:
    return EmotionEstimated(
        camera_id=camera_of(track_id), event_id=f"e{shot_number}", captured_at_ns=NS + shot_number,
        track_id=track_id, shot_number=shot_number, label=label, probabilities={label: 1.0}, model="m",
        model_version=1,
    )  # fmt: skip


async def test_newest_wins_in_every_order_and_a_replay_changes_nothing(redis: Redis) -> None:
    """Shots come first, then the model's version, then the gallery's generation; ten comes after nine."""
    tracks = TrackStore(redis)
    for order in permutations([(9, 9, 1), (10, 1, 1), (10, 1, 2), (10, 2, 1)]):
        track_id = f"door-{uuid4().hex[:8]}:1:1"
        for shot_number, generation, version in (*order, *order):
            await tracks.merge([identity(track_id, shot_number, generation=generation, version=version)])
        [state] = await tracks.load([track_id])
        assert state.identity == identity(track_id, 10, generation=1, version=2)


async def test_parts_come_together_to_the_nanosecond(redis: Redis, track_id: str) -> None:
    """Each change is published once, whole and exact; a replay is silent."""
    tracks = TrackStore(redis)
    async with redis.pubsub(ignore_subscribe_messages=True) as subscription:
        await subscription.subscribe(results_channel(camera_of(track_id)))
        await subscription.get_message(timeout=5)
        await tracks.merge([identity(track_id, 1), emotion(track_id, 1), emotion(track_id, 1)])
        first = await subscription.get_message(timeout=5)
        second = await subscription.get_message(timeout=5)
        assert await subscription.get_message(timeout=0.2) is None
    assert msgspec.msgpack.decode(first["data"], type=TrackResult) == TrackResult(
        camera_id=camera_of(track_id), track_id=track_id, identity=identity(track_id, 1)
    )
    assert msgspec.msgpack.decode(second["data"], type=TrackResult) == TrackResult(
        camera_id=camera_of(track_id),
        track_id=track_id,
        identity=identity(track_id, 1),
        emotion=emotion(track_id, 1),
    )
    assert await tracks.load_results([track_id]) == [msgspec.msgpack.decode(second["data"], type=TrackResult)]


async def test_state_of_a_track_expires(redis: Redis, track_id: str) -> None:
    """Whatever touches a track gives it its time to live."""
    tracks = TrackStore(redis)
    await tracks.merge([identity(track_id, 1)])
    assert 0 < await redis.ttl(track_key(track_id)) <= TRACK_TTL_SECONDS
    await redis.persist(track_key(track_id))
    await tracks.touch({track_id: ("door", NS)}, now_ms=1)
    assert 0 < await redis.ttl(track_key(track_id)) <= TRACK_TTL_SECONDS
    await tracks.forget([track_id])


async def test_emotions_are_counted_once_each(redis: Redis, track_id: str) -> None:
    """A replayed estimate is not counted again."""
    tracks = TrackStore(redis)
    estimates = [emotion(track_id, 1), emotion(track_id, 2, "sad"), emotion(track_id, 3)]
    await tracks.merge([*estimates, *estimates])
    [state] = await tracks.load([track_id])
    assert state.emotion_counts == {"happy": 2, "sad": 1}


async def test_result_after_the_end_is_told(redis: Redis, track_id: str) -> None:
    """A late result names its track, so that the history can be amended; an old one doesn't."""
    tracks = TrackStore(redis)
    assert await tracks.merge([identity(track_id, 1)]) == []
    ended = TrackEnded(
        camera_id="door", event_id="x", captured_at_ns=NS, track_id=track_id, started_at_ns=NS,
        last_seen_at_ns=NS + 5, frames_seen=9,
    )  # fmt: skip
    await tracks.end([ended])
    assert await tracks.merge([identity(track_id, 1)]) == []
    assert await tracks.merge([identity(track_id, 2), emotion(track_id, 1)]) == [track_id]


async def test_silent_track_ends_when_it_was_last_seen(redis: Redis, track_id: str) -> None:
    """A track that nobody saw for a while is found; its end is the last time somebody did."""
    tracks = TrackStore(redis)
    started = TrackStarted(
        camera_id="door", event_id="s", captured_at_ns=NS, track_id=track_id, frame_id="door:1:1"
    )
    await tracks.open([started], now_ms=1000)
    await tracks.touch({track_id: ("door", NS + 7)}, now_ms=3000)
    await tracks.open([started], now_ms=2000)  # a replay makes nobody older
    assert track_id not in await tracks.silent_since(2999)
    assert track_id in await tracks.silent_since(3000)
    await tracks.end_silent([track_id])
    [state] = await tracks.load([track_id])
    assert (state.started_at_ns, state.ended_at_ns) == (NS, NS + 7)
    await tracks.forget([track_id])
    assert track_id not in await tracks.silent_since(3000)
