import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import pytest

from services.model_server.batching import BatchLimits, BatchQueue
from services.model_server.pipeline import Arrays, RefusedError


class FakeEngine:
    """Doubles its rows once it is let go, and remembers the batches it saw."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.started = threading.Semaphore(0)
        self.let_go = threading.Event()
        self.error: Exception | None = None

    def execute(self, inputs: Arrays) -> Arrays:
        self.batches.append(inputs["x"][:, 0].tolist())
        self.started.release()
        self.let_go.wait(10)
        if self.error:
            raise self.error
        return {"y": inputs["x"] * 2}


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    fake = FakeEngine()
    yield fake
    fake.let_go.set()


def queue_for(engine: FakeEngine, *, joins_requests: bool = True, **limits: Any) -> BatchQueue:
    defaults: dict[str, Any] = {"max_batch_size": 4, "timeout_seconds": 0, "max_queued_examples": 6}
    return BatchQueue(
        "fake",
        engine.execute,
        ThreadPoolExecutor(1),
        BatchLimits(**{**defaults, **limits}),
        joins_requests=joins_requests,
    )


def submit(queue: BatchQueue, *values: int) -> "asyncio.Task[Arrays]":
    return asyncio.create_task(queue.submit({"x": np.array([[value] for value in values])}, len(values)))


async def started(engine: FakeEngine) -> None:
    assert await asyncio.to_thread(engine.started.acquire, timeout=10)


async def test_what_waits_while_the_engine_is_busy_runs_together(engine: FakeEngine) -> None:
    """Requests join up to the batch size, in order, and get their own rows."""
    queue = queue_for(engine)
    first = submit(queue, 0)
    await started(engine)
    others = [submit(queue, 1), submit(queue, 2, 3), submit(queue, 4, 5)]
    await asyncio.sleep(0)
    engine.let_go.set()
    answers = [(await task)["y"][:, 0].tolist() for task in (first, *others)]
    assert answers == [[0], [2], [4, 6], [8, 10]]
    assert engine.batches == [[0], [1, 2, 3], [4, 5]]
    await queue.close()


async def test_a_full_queue_refuses_the_newest(engine: FakeEngine) -> None:
    """What may wait is bounded; who is refused learns it at once, the others are served."""
    queue = queue_for(engine, max_queued_examples=4)
    first = submit(queue, 0)
    await started(engine)
    waiting = submit(queue, 1, 2, 3)
    await asyncio.sleep(0)
    with pytest.raises(RefusedError, match="3 examples are waiting, at most 4 may") as caught:
        await submit(queue, 4, 5)
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    engine.let_go.set()
    assert (await waiting)["y"].tolist() == [[2], [4], [6]]
    await first
    await queue.close()


async def test_who_left_is_not_executed(engine: FakeEngine) -> None:
    """A cancelled request gives its place back and never reaches the engine."""
    queue = queue_for(engine, max_queued_examples=4)
    first = submit(queue, 0)
    await started(engine)
    gone = submit(queue, 1, 2, 3, 4)
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    patient = submit(queue, 5, 6, 7, 8)
    await asyncio.sleep(0)
    engine.let_go.set()
    await asyncio.gather(first, patient)
    assert engine.batches == [[0], [5, 6, 7, 8]]
    await queue.close()


async def test_an_engine_error_reaches_its_requests_only(engine: FakeEngine) -> None:
    """A failed execution is INTERNAL for who was in it; the queue goes on."""
    queue = queue_for(engine)
    engine.error = RuntimeError("out of memory")
    engine.let_go.set()
    with pytest.raises(RefusedError, match="out of memory") as caught:
        await submit(queue, 1)
    assert caught.value.code is grpc.StatusCode.INTERNAL
    engine.error = None
    assert (await submit(queue, 2))["y"].tolist() == [[4]]
    await queue.close()


async def test_a_window_waits_for_a_fuller_batch(engine: FakeEngine) -> None:
    """With a long window, execution begins when the batch is full."""
    engine.let_go.set()
    queue = queue_for(engine, timeout_seconds=60)
    tasks = [submit(queue, value) for value in range(4)]
    await asyncio.gather(*tasks)
    assert engine.batches == [[0, 1, 2, 3]]
    await queue.close()


async def test_requests_of_a_model_without_batches_stay_apart(engine: FakeEngine) -> None:
    """Without a batch dimension each request is an execution."""
    queue = queue_for(engine, joins_requests=False)
    engine.let_go.set()
    await asyncio.gather(*(submit(queue, value) for value in range(3)))
    assert engine.batches == [[0], [1], [2]]
    await queue.close()


async def test_closing_answers_what_waits(engine: FakeEngine) -> None:
    """Close returns after the last answer."""
    queue = queue_for(engine)
    tasks = [submit(queue, value) for value in range(3)]
    await started(engine)
    closing = asyncio.create_task(queue.close())
    await asyncio.sleep(0)
    assert not closing.done()
    engine.let_go.set()
    await closing
    assert all(task.done() for task in tasks)
