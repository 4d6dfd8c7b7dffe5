"""Requests that wait for a signature of a loaded model, and the batches they are executed in."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter

import grpc
import structlog

from mien.runtime import metrics
from services.model_server.pipeline import Arrays, RefusedError, can_join, join, split

log = structlog.get_logger()


@dataclass(frozen=True)
class BatchLimits:
    """How requests wait and join.

    Attributes:
        max_batch_size: Most examples of one execution.
        timeout_seconds: Wait for a fuller batch; 0 takes what came while the engine was busy.
        max_queued_examples: Examples that may wait; more are refused.
    """

    max_batch_size: int
    timeout_seconds: float
    max_queued_examples: int


@dataclass(eq=False)
class _Waiting:
    inputs: Arrays
    examples: int
    answer: asyncio.Future[Arrays]


class BatchQueue:
    """A bounded queue in front of one signature; when it is full, the newest request is refused.

    A request that is cancelled while it waits (its caller left, its deadline passed) is never executed.

    Args:
        model_name: For metrics and logs.
        execute: Runs a batch, blocking; called on `executor`, one batch at a time.
        joins_requests: False when the model has no batch dimension: each request is executed alone.
    """

    def __init__(
        self,
        model_name: str,
        execute: Callable[[Arrays], Arrays],
        executor: Executor,
        limits: BatchLimits,
        *,
        joins_requests: bool,
    ) -> None:
        self._model_name = model_name
        self._execute = execute
        self._executor = executor
        self._limits = limits
        self._joins_requests = joins_requests
        self._waiting: deque[_Waiting] = deque()
        self._queued_examples = 0
        self._arrived = asyncio.Event()
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._worker = asyncio.create_task(self._work())

    async def submit(self, inputs: Arrays, examples: int) -> Arrays:
        """All outputs for the examples of one request.

        Raises:
            RefusedError: RESOURCE_EXHAUSTED when the queue is full, INTERNAL when the engine failed.
        """
        if self._queued_examples + examples > self._limits.max_queued_examples:
            metrics.DROPPED.labels("model_server", "queue_full").inc(examples)
            raise RefusedError(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"{self._model_name}: {self._queued_examples} examples are waiting, "
                f"at most {self._limits.max_queued_examples} may",
            )
        waiting = _Waiting(inputs, examples, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._count(examples)
        try:
            return await waiting.answer
        except asyncio.CancelledError:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
                self._count(-examples)
                metrics.DROPPED.labels("model_server", "caller_left").inc(examples)
            raise

    async def close(self) -> None:
        """Wait until everything submitted is answered, then stop."""
        await self._idle.wait()
        self._worker.cancel()
        with suppress(asyncio.CancelledError):
            await self._worker

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            if self._limits.timeout_seconds:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._filled.wait(), self._limits.timeout_seconds)
            if batch := self._take_batch():
                await self._execute_batch(batch)
            if not self._waiting:
                self._idle.set()

    def _take_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        examples = 0
        while self._waiting:
            candidate = self._waiting[0]
            if batch and not (
                self._joins_requests
                and examples + candidate.examples <= self._limits.max_batch_size
                and can_join(batch[0].inputs, candidate.inputs)
            ):
                break
            batch.append(self._waiting.popleft())
            examples += candidate.examples
        self._count(-examples)
        return batch

    async def _execute_batch(self, batch: list[_Waiting]) -> None:
        sizes = [waiting.examples for waiting in batch]
        metrics.MODEL_BATCH_SIZE.labels(self._model_name).observe(sum(sizes))
        started_at = perf_counter()
        try:
            outputs = await asyncio.get_running_loop().run_in_executor(
                self._executor, self._execute_joined, [waiting.inputs for waiting in batch]
            )
            answers = split(outputs, sizes) if self._joins_requests else [outputs]
        except (RuntimeError, ValueError) as error:  # what the engine and the split raise; others are defects
            log.exception("model.execution_failed", model=self._model_name, examples=sum(sizes))
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(RefusedError(grpc.StatusCode.INTERNAL, str(error)))
            return
        metrics.MODEL_SECONDS.labels(self._model_name).observe(perf_counter() - started_at)
        for waiting, answer in zip(batch, answers, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(answer)

    def _execute_joined(self, requests: list[Arrays]) -> Arrays:
        return self._execute(join(requests))

    def _count(self, examples: int) -> None:
        self._queued_examples += examples
        metrics.MODEL_QUEUED.labels(self._model_name).inc(examples)
        if self._waiting:
            self._arrived.set()
            self._idle.clear()
        else:
            self._arrived.clear()
        if self._queued_examples >= self._limits.max_batch_size:
            self._filled.set()
        else:
            self._filled.clear()
