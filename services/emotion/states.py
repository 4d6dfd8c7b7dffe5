"""What Redis holds of tracks, so that another worker can go on where one has stopped."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

import msgspec
from redis.asyncio import Redis

from mien.contracts.events import FaceShot


class TrackState(Protocol):
    """What a reading knows of a track after some of its shots."""

    @property
    def shot_number(self) -> int:
        """The last shot that counts; earlier ones are repetitions."""


StateT = TypeVar("StateT", bound=TrackState)


async def load_states(
    redis: Redis,
    track_ids: Iterable[str],
    *,
    key: Callable[[str], str],
    decoder: "msgspec.msgpack.Decoder[StateT]",
) -> dict[str, StateT]:
    """Return the states of those tracks that have one.

    Raises:
        RedisError: Redis does not answer.
    """
    unique = sorted(set(track_ids))
    values = await redis.mget([key(track_id) for track_id in unique]) if unique else []
    return {track_id: decoder.decode(value) for track_id, value in zip(unique, values, strict=True) if value}


def is_new(states: Mapping[str, TrackState], shot: FaceShot) -> bool:
    """Whether a shot comes after all that its track's state knows."""
    state = states.get(shot.track_id)
    return state is None or shot.shot_number > state.shot_number
