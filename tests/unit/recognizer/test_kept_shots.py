"""The best views of a track are kept for a while, and nobody else's."""

import fakeredis
import msgspec

from mien.contracts.events import FaceShot
from mien.contracts.shared_state import TrackShot, track_shots_key
from services.recognizer.kept_shots import KeptShots
from tests.samples import QUALITY, TRACK_ID, face_shot


def shot(number: int, quality: float) -> FaceShot:
    return face_shot(
        shot_number=number,
        captured_at_ns=number,
        quality=msgspec.structs.replace(QUALITY, score=quality),
        crop_jpeg=b"%d" % number,
    )


async def kept(redis: fakeredis.FakeAsyncRedis) -> list[bytes]:
    value = await redis.get(track_shots_key(TRACK_ID))
    return [one.face_jpeg for one in msgspec.msgpack.decode(value, type=list[TrackShot])] if value else []


async def test_the_best_views_are_kept_for_a_while() -> None:
    """The best in front; a repeated shot counts once, and all of it expires."""
    redis = fakeredis.FakeAsyncRedis()
    shots = KeptShots(redis, most=2, keep_seconds=900)
    for number, quality in ((1, 0.5), (2, 0.9), (2, 0.9), (3, 0.7), (4, 0.6)):
        await shots.keep(shot(number, quality))
    assert await kept(redis) == [b"2", b"3"]
    assert 890 < await redis.ttl(track_shots_key(TRACK_ID)) <= 900


async def test_poor_views_are_not_kept() -> None:
    """They would make poor templates."""
    redis = fakeredis.FakeAsyncRedis()
    await KeptShots(redis, most=3, keep_seconds=900).keep(shot(1, 0.3))
    assert await kept(redis) == []


async def test_views_of_somebody_else_are_forgotten() -> None:
    """When the tracker went over to another face, none of the first may become the second's template."""
    redis = fakeredis.FakeAsyncRedis()
    shots = KeptShots(redis, most=3, keep_seconds=900)
    await shots.keep(shot(1, 0.9))
    await shots.keep(shot(2, 0.6), begin_anew=True)
    assert await kept(redis) == [b"2"]
    await shots.keep(shot(3, 0.1), begin_anew=True)
    assert await kept(redis) == []


async def test_keeping_can_be_turned_off() -> None:
    """With none to keep, nothing is written."""
    redis = fakeredis.FakeAsyncRedis()
    await KeptShots(redis, most=0, keep_seconds=900).keep(shot(1, 0.9))
    assert await redis.keys() == []
