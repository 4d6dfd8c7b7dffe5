"""The best views of a track, kept for a while, so that somebody can still say who it was.

A crop takes about 20 kB: with the defaults, a camera that two people pass each minute keeps 2 MB in Redis.
Nothing is kept of people who must not be recognised.
"""

from typing import Final

import msgspec
from redis.asyncio import Redis

from mien.contracts.events import FaceShot
from mien.contracts.shared_state import TrackShot, track_shots_key

_LEAST_QUALITY: Final = 0.4
"""A view below it makes a poor template."""
_SHOTS: Final = msgspec.msgpack.Decoder(list[TrackShot])


class KeptShots:
    """Writes a track's best views to Redis; the recognizer that owns the track is the only one to write."""

    def __init__(self, redis: Redis, *, most: int, keep_seconds: float) -> None:
        self._redis = redis
        self._most = most
        self._keep_seconds = max(int(keep_seconds), 1)

    async def keep(self, shot: FaceShot, *, begin_anew: bool = False) -> None:
        """Keep a view if it is good and among the track's best.

        Args:
            begin_anew: It shows somebody else than the views before, which are forgotten.
        """
        if not self._most:
            return
        key = track_shots_key(shot.track_id)
        kept = [] if begin_anew else self._decode(await self._redis.get(key))
        if shot.quality.score >= _LEAST_QUALITY:
            view = TrackShot(
                quality=round(shot.quality.score, 3),
                captured_at_ns=shot.captured_at_ns,
                face_jpeg=shot.crop_jpeg,
            )
            others = [one for one in kept if one.captured_at_ns != view.captured_at_ns]
            kept = sorted([*others, view], key=lambda one: one.quality, reverse=True)[: self._most]
        if kept:
            await self._redis.set(key, msgspec.msgpack.encode(kept), ex=self._keep_seconds)
        elif begin_anew:
            await self._redis.delete(key)

    async def forget(self, track_id: str) -> None:
        """Forget the views of a track."""
        await self._redis.delete(track_shots_key(track_id))

    def _decode(self, value: bytes | None) -> list[TrackShot]:
        return [] if value is None else _SHOTS.decode(value)
