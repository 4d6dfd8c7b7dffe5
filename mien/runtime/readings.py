"""Deleting what Redis holds of how people looked."""

from redis.asyncio import Redis

from mien.contracts.readings import BUCKET_SECONDS
from mien.contracts.shared_state import emotion_state_key, tiredness_state_key, track_key

_BATCH = 500


async def forget_emotion(redis: Redis, camera_id: str, *, of_tracks_only: bool = False) -> None:
    """Delete what was read of the emotions of a camera's people; doing it again does no harm.

    Args:
        of_tracks_only: Keep the counts, which are of nobody in particular.
    """
    await _delete_matching(redis, emotion_state_key(f"{camera_id}:*"))
    await _delete_fields(redis, camera_id, part="emotion")
    if not of_tracks_only:
        for seconds in BUCKET_SECONDS.values():
            await _delete_matching(redis, f"mien:emotion-counts:{camera_id}:{seconds}:*")


async def forget_tiredness(redis: Redis, camera_id: str) -> None:
    """Delete what was read of the tiredness of a camera's people; doing it again does no harm."""
    await _delete_matching(redis, tiredness_state_key(f"{camera_id}:*"))
    await _delete_fields(redis, camera_id, part="tiredness")


async def _delete_matching(redis: Redis, pattern: str) -> None:
    async for key in redis.scan_iter(match=pattern, count=_BATCH):
        await redis.unlink(key)


async def _delete_fields(redis: Redis, camera_id: str, *, part: str) -> None:
    """Take a worker's part out of the merged results of a camera's tracks."""
    async for key in redis.scan_iter(match=track_key(f"{camera_id}:*"), count=_BATCH):
        names: list[bytes] = await redis.hkeys(key)
        doomed = [
            name
            for name in names
            if name in (part.encode(), f"{part}_guard".encode())
            or (part == "emotion" and name.startswith(b"label:"))
        ]
        if doomed:
            await redis.hdel(key, *doomed)
