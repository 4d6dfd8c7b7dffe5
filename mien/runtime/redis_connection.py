"""One Redis client per process, with time limits, so that a silent Redis is an error and not a hang."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from mien.runtime.settings import RedisSettings


def connect_redis(settings: RedisSettings) -> Redis:
    """Return a client that speaks bytes; it connects on first use and again after a loss.

    Close it with ``aclose()``. Use it as an async context manager.
    """
    return Redis.from_url(
        settings.url.get_secret_value(),
        decode_responses=False,
        protocol=2,
        socket_timeout=5.0,
        socket_connect_timeout=3.0,
        health_check_interval=15,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), retries=3),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
    )
