"""Waiting that can be cancelled at any moment."""

import asyncio
from contextlib import suppress


async def wait_at_most(event: asyncio.Event, seconds: float) -> None:
    """Wait until *event* is set, but no longer than this.

    Not :func:`asyncio.wait_for`: until Python 3.12 that swallows a cancellation which comes in the same
    moment as the event, and an endless loop goes on for ever (https://github.com/python/cpython/issues/86296).
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
