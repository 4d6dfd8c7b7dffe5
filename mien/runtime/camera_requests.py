"""What is asked about cameras, and the answers, as they lie in Redis for a few minutes."""

import time
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from mien.contracts.camera_requests import (
    ANSWERS_TTL_SECONDS,
    LAST_REPLIES,
    REQUEST_TTL_SECONDS,
    CameraReply,
    CameraRequest,
)
from mien.contracts.shared_state import camera_replies_key, camera_request_key
from mien.runtime.secrets import SecretBox

_REQUEST: msgspec.json.Decoder[Any] = msgspec.json.Decoder(CameraRequest)
_REPLY: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(CameraReply)
_MOST_REPLIES: Final = 1024


@dataclass(frozen=True)
class Replies:
    """The answers to a request.

    Attributes:
        asked_at_ns: When it was asked.
        taken_up: Whether somebody has begun to answer.
        new: Answers after those that were seen already.
    """

    asked_at_ns: int
    taken_up: bool
    new: list[CameraReply]

    @property
    def ended(self) -> bool:
        """Whether no other answer follows."""
        return bool(self.new) and isinstance(self.new[-1], LAST_REPLIES)


class RequestStore:
    """Requests, encrypted, until they are taken up; and their answers."""

    def __init__(self, redis: Redis, secrets: SecretBox) -> None:
        self._redis = redis
        self._secrets = secrets

    async def put(self, request_id: str, request: CameraRequest) -> None:
        """Keep a request until it is taken up, at most for a minute."""
        sealed = self._secrets.seal(msgspec.json.encode(request).decode())
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(camera_request_key(request_id), sealed, ex=REQUEST_TTL_SECONDS)
            pipe.rpush(camera_replies_key(request_id), str(time.time_ns()))
            pipe.expire(camera_replies_key(request_id), ANSWERS_TTL_SECONDS)
            await pipe.execute()

    async def take(self, request_id: str) -> CameraRequest | None:
        """Return a request and forget it, for it may hold a password; None when it has expired.

        Raises:
            UndecipherableError: It was encrypted with a key that this process doesn't have.
        """
        value = await self._redis.getdel(camera_request_key(request_id))
        if value is None:
            return None
        request: CameraRequest = _REQUEST.decode(self._secrets.unseal(value.decode()))
        return request

    async def add_reply(self, reply: CameraReply) -> None:
        """Keep an answer for whoever asked; one to a request that has expired is let go."""
        key = camera_replies_key(reply.request_id)
        value = msgspec.msgpack.encode(reply)
        # Kafka delivers at least once: an answer may come again.
        if await self._redis.llen(key) < _MOST_REPLIES and value not in await self._redis.lrange(key, 1, -1):
            await self._redis.rpushx(key, value)

    async def replies(self, request_id: str, *, seen: int) -> Replies | None:
        """Return the answers after the first *seen* ones; None when there is no such request (any more)."""
        key = camera_replies_key(request_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.lindex(key, 0)
            pipe.lrange(key, 1 + seen, -1)
            pipe.exists(camera_request_key(request_id))
            asked, values, waiting = await pipe.execute()
        if asked is None:
            return None
        return Replies(int(asked), not waiting, [_REPLY.decode(value) for value in values])
