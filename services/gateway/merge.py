"""The merged state of tracks in Redis: one script per result, the same however often it comes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from redis.asyncio import Redis

from mien.contracts.events import (
    EmotionEstimated,
    IdentityDecided,
    TirednessEstimated,
    TrackEnded,
    TrackStarted,
    encode_event,
)
from mien.contracts.shared_state import TRACK_TTL_SECONDS, TrackResult, results_channel, track_key
from services.gateway.pipeline import identity_guard, reading_guard

OPEN_TRACKS_KEY: Final = "mien:gateway:open-tracks"
"""Sorted set of track id → when the gateway last heard of it, Unix milliseconds."""

# Writes a result when its guard is greater than the one that is there, counts emotion labels, keeps the
# track alive and publishes what is known now. TrackResult is put together from encoded parts, because
# Lua's numbers can't hold nanoseconds. Returns 0: older or the same; 1: merged; 2: merged, and the track
# has ended.
_MERGE_LUA: Final = """
local part, label, ttl = ARGV[1], ARGV[2], ARGV[3]
local new = {tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])}
local guard = redis.call('HGET', KEYS[1], part .. '_guard')
if guard then
  local a, b, c = string.match(guard, '^(%d+):(%d+):(%d+)$')
  local old = {tonumber(a), tonumber(b), tonumber(c)}
  local newer = false
  for i = 1, 3 do
    if new[i] ~= old[i] then newer = new[i] > old[i] break end
  end
  if not newer then return 0 end
end
redis.call('HSET', KEYS[1], 'camera_id', ARGV[7], part, ARGV[8],
           part .. '_guard', ARGV[4] .. ':' .. ARGV[5] .. ':' .. ARGV[6])
if label ~= '' then redis.call('HINCRBY', KEYS[1], 'label:' .. label, 1) end
redis.call('EXPIRE', KEYS[1], ttl)
local merged = redis.call('HMGET', KEYS[1], 'identity', 'emotion', 'tiredness', 'ended_at_ns')
redis.call('PUBLISH', ARGV[9],
           ARGV[10] .. (merged[1] or '\\192') .. ARGV[11] .. (merged[2] or '\\192')
           .. ARGV[12] .. (merged[3] or '\\192'))
if merged[4] then return 2 end
return 1
"""

_PACK: Final = msgspec.msgpack.Encoder()
_IDENTITY: Final = msgspec.msgpack.Decoder(IdentityDecided)
_EMOTION: Final = msgspec.msgpack.Decoder(EmotionEstimated)
_TIREDNESS: Final = msgspec.msgpack.Decoder(TirednessEstimated)
_EMOTION_KEY: Final = _PACK.encode("emotion")
_TIREDNESS_KEY: Final = _PACK.encode("tiredness")

Result = IdentityDecided | EmotionEstimated | TirednessEstimated


@dataclass(frozen=True)
class TrackState:
    """All that is known of a track; *emotion_counts* are estimates by label."""

    track_id: str
    camera_id: str
    identity: IdentityDecided | None = None
    emotion: EmotionEstimated | None = None
    tiredness: TirednessEstimated | None = None
    started_at_ns: int | None = None
    ended_at_ns: int | None = None
    emotion_counts: dict[str, int] = field(default_factory=dict)


class TrackStore:
    """Reads and writes the merged state of tracks; every gateway replica sees the same."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._merge = redis.register_script(_MERGE_LUA)

    async def merge(self, events: Sequence[Result]) -> list[str]:
        """Merge results, in order; returns the ids of tracks that changed after they had ended."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for event in events:
                await self._merge(keys=[track_key(event.track_id)], args=_merge_arguments(event), client=pipe)
            outcomes: list[int] = await pipe.execute()
        late = [event.track_id for event, outcome in zip(events, outcomes, strict=True) if outcome == 2]
        return list(dict.fromkeys(late))

    async def open(self, started: Sequence[TrackStarted], *, now_ms: int) -> None:
        """Note that tracks have begun."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for event in started:
                key = track_key(event.track_id)
                pipe.hset(key, "camera_id", event.camera_id)
                pipe.hsetnx(key, "started_at_ns", event.captured_at_ns)
                pipe.expire(key, TRACK_TTL_SECONDS)
                pipe.zadd(OPEN_TRACKS_KEY, {event.track_id: now_ms}, gt=True)
            await pipe.execute()

    async def touch(self, seen: dict[str, tuple[str, int]], *, now_ms: int) -> None:
        """Keep tracks alive that were just seen; *seen* holds camera and capture time by track."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for track_id, (camera_id, captured_at_ns) in seen.items():
                key = track_key(track_id)
                pipe.hset(key, mapping={"camera_id": camera_id, "seen_at_ns": captured_at_ns})
                pipe.hsetnx(key, "started_at_ns", captured_at_ns)
                pipe.expire(key, TRACK_TTL_SECONDS)
                pipe.zadd(OPEN_TRACKS_KEY, {track_id: now_ms}, gt=True)
            await pipe.execute()

    async def end(self, ended: Sequence[TrackEnded]) -> None:
        """Note that tracks have ended, before their state is read for the last time."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for event in ended:
                key = track_key(event.track_id)
                times = {"started_at_ns": event.started_at_ns, "ended_at_ns": event.last_seen_at_ns}
                pipe.hset(key, mapping={"camera_id": event.camera_id, **times})
                pipe.expire(key, TRACK_TTL_SECONDS)
            await pipe.execute()

    async def end_silent(self, track_ids: Sequence[str]) -> None:
        """Note that tracks have ended without saying so, when they were last seen."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for track_id in track_ids:
                pipe.hmget(track_key(track_id), "seen_at_ns", "started_at_ns")
            times: list[list[bytes | None]] = await pipe.execute()
            for track_id, (seen, started) in zip(track_ids, times, strict=True):
                if last := seen or started:
                    pipe.hsetnx(track_key(track_id), "ended_at_ns", last)
            await pipe.execute()

    async def forget(self, track_ids: Sequence[str]) -> None:
        """Take tracks off the list of open ones; their state expires by itself."""
        if track_ids:
            await self._redis.zrem(OPEN_TRACKS_KEY, *track_ids)

    async def silent_since(self, before_ms: int, *, limit: int = 200) -> list[str]:
        """Return open tracks that nobody has heard of since."""
        ids: list[bytes] = await self._redis.zrangebyscore(OPEN_TRACKS_KEY, 0, before_ms, start=0, num=limit)
        return [track_id.decode() for track_id in ids]

    async def load(self, track_ids: Sequence[str]) -> list[TrackState]:
        """Return the state of those tracks that have one."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for track_id in track_ids:
                pipe.hgetall(track_key(track_id))
            hashes: list[dict[bytes, bytes]] = await pipe.execute()
        return [
            _state_of(track_id, fields) for track_id, fields in zip(track_ids, hashes, strict=True) if fields
        ]

    async def load_results(self, track_ids: Sequence[str]) -> list[TrackResult]:
        """Return the merged results of those tracks that have any."""
        return [
            TrackResult(
                camera_id=state.camera_id,
                track_id=state.track_id,
                identity=state.identity,
                emotion=state.emotion,
                tiredness=state.tiredness,
            )
            for state in await self.load(track_ids)
        ]


def _merge_arguments(event: Result) -> list[str | int | bytes]:
    match event:
        case IdentityDecided():
            part, label, guard = "identity", "", identity_guard(event)
        case EmotionEstimated():
            part, label, guard = "emotion", event.label, reading_guard(event)
        case TirednessEstimated():
            part, label, guard = "tiredness", "", reading_guard(event)
    # A map of five pairs, open after the key of the third; the script adds the values.
    head = b"\x85" + b"".join(
        _PACK.encode(text) for text in ("camera_id", event.camera_id, "track_id", event.track_id, "identity")
    )
    return [
        part,
        label,
        TRACK_TTL_SECONDS,
        *guard,
        event.camera_id,
        encode_event(event),
        results_channel(event.camera_id),
        head,
        _EMOTION_KEY,
        _TIREDNESS_KEY,
    ]


def _state_of(track_id: str, fields: dict[bytes, bytes]) -> TrackState:
    identity, emotion = fields.get(b"identity"), fields.get(b"emotion")
    tiredness = fields.get(b"tiredness")
    started, ended = fields.get(b"started_at_ns"), fields.get(b"ended_at_ns")
    return TrackState(
        track_id=track_id,
        camera_id=fields.get(b"camera_id", b"").decode(),
        identity=_IDENTITY.decode(identity) if identity else None,
        emotion=_EMOTION.decode(emotion) if emotion else None,
        tiredness=_TIREDNESS.decode(tiredness) if tiredness else None,
        started_at_ns=int(started) if started else None,
        ended_at_ns=int(ended) if ended else None,
        emotion_counts={
            name.decode().removeprefix("label:"): int(count)
            for name, count in fields.items()
            if name.startswith(b"label:")
        },
    )
