"""Client of the model server: TensorFlow Serving's gRPC API with arrays in and out."""

import asyncio
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Literal, Self

import grpc
from numpy.typing import NDArray

from mien.errors import PermanentError, TransientError
from mien.runtime import metrics, serving_protos
from mien.runtime.serving_tensors import array_from_tensor, tensor_from_array

ModelState = Literal["UNKNOWN", "START", "LOADING", "AVAILABLE", "UNLOADING", "END"]

MAX_MESSAGE_BYTES: Final = 64 * 2**20
_FIRST_BACKOFF_SECONDS: Final = 0.05
_LONGEST_BACKOFF_SECONDS: Final = 1.0
_TRANSIENT: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        # A model that is not loaded (yet) says nothing about the input, which must not be given up for it.
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.FAILED_PRECONDITION,
    }
)
_UNKNOWN_LABEL: Final = "Unrecognized servable version label"
"""What an INVALID_ARGUMENT says when no version has the label (yet): as little the input's fault."""


@dataclass(frozen=True)
class Prediction:
    """What a model answered.

    Attributes:
        outputs: Arrays by the names of the signature's outputs; read-only.
        version: Version of the model that answered.
    """

    outputs: Mapping[str, NDArray[Any]]
    version: int


class ServingClient:
    """One connection to a model server, to be used as an async context manager on one event loop.

    Every call has a deadline. A server that can't be reached (UNAVAILABLE) is asked again within it, after a
    short random wait; nothing else is retried here.

    Args:
        address: host:port; with ``dns:///`` in front of a name of several servers, calls take turns.
        max_message_bytes: Largest request or answer.

    Raises:
        TransientError: By every call: unreachable, too slow, too busy, or without that model or signature.
        PermanentError: By every call: the request is wrong.
    """

    def __init__(self, address: str, *, max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._address = address
        self._max_message_bytes = max_message_bytes

    async def __aenter__(self) -> Self:
        self._channel = grpc.aio.insecure_channel(self._address, options=self._channel_options())
        self._predict = self._method(serving_protos.PREDICT_METHOD, serving_protos.PredictResponse)
        self._status = self._method(
            serving_protos.GET_MODEL_STATUS_METHOD, serving_protos.GetModelStatusResponse
        )
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._channel.close(grace=None)

    async def predict(
        self,
        model: str,
        inputs: Mapping[str, NDArray[Any]],
        *,
        timeout_seconds: float,
        signature_name: str = "serving_default",
        version: int | None = None,
        version_label: str | None = None,
        output_names: Sequence[str] = (),
    ) -> Prediction:
        """Run a model on a batch.

        Args:
            inputs: By the names of the signature's inputs; the first dimension is the batch.
            version: None for the latest, unless `version_label` says otherwise.
            version_label: Such as "stable" or "canary"; not together with `version`.
            output_names: Outputs to answer with; empty for all.
        """
        request = serving_protos.PredictRequest(output_filter=output_names)
        request.model_spec.name = model
        request.model_spec.signature_name = signature_name
        if version is not None:
            request.model_spec.version.value = version
        elif version_label is not None:
            request.model_spec.version_label = version_label
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(tensor_from_array(array))
        response = await self._call(self._predict, request, model=model, timeout_seconds=timeout_seconds)
        return Prediction(
            outputs={name: array_from_tensor(tensor) for name, tensor in response.outputs.items()},
            version=response.model_spec.version.value,
        )

    async def model_status(self, model: str, *, timeout_seconds: float = 2.0) -> dict[int, ModelState]:
        """State of each version of a model that the server knows of, by version.

        Raises:
            TransientError: The server can't be reached or knows no such model.
        """
        request = serving_protos.GetModelStatusRequest()
        request.model_spec.name = model
        response = await self._call(self._status, request, model=model, timeout_seconds=timeout_seconds)
        states = serving_protos.ModelVersionStatus.State
        return {status.version: states.Name(status.state) for status in response.model_version_status}

    async def is_available(self, model: str, *, timeout_seconds: float = 2.0) -> bool:
        """Whether some version of a model can answer now; False too when the server can't be reached."""
        try:
            return "AVAILABLE" in (await self.model_status(model, timeout_seconds=timeout_seconds)).values()
        except (TransientError, PermanentError):
            return False

    async def _call(self, method: Any, request: Any, *, model: str, timeout_seconds: float) -> Any:
        started_at = time.monotonic()
        backoff_seconds = _FIRST_BACKOFF_SECONDS
        code = grpc.StatusCode.OK
        try:
            while True:
                left_seconds = timeout_seconds - (time.monotonic() - started_at)
                try:
                    return await method(request, timeout=max(left_seconds, 0.001))
                except grpc.aio.AioRpcError as error:
                    code = error.code()
                    wait_seconds = backoff_seconds * random.uniform(0.5, 1.0)  # noqa: S311 - only spreads retries
                    if code != grpc.StatusCode.UNAVAILABLE or wait_seconds >= left_seconds:
                        raise _as_mien_error(error, model=model, timeout_seconds=timeout_seconds) from None
                await asyncio.sleep(wait_seconds)
                code = grpc.StatusCode.OK
                backoff_seconds = min(backoff_seconds * 2, _LONGEST_BACKOFF_SECONDS)
        finally:
            metrics.SERVING_SECONDS.labels(model, code.name).observe(time.monotonic() - started_at)

    def _method(self, path: str, response_class: Any) -> Any:
        return self._channel.unary_unary(
            path,
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=response_class.FromString,
        )

    def _channel_options(self) -> list[tuple[str, Any]]:
        return [
            ("grpc.max_send_message_length", self._max_message_bytes),
            ("grpc.max_receive_message_length", self._max_message_bytes),
            ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
            # gRPC's own default waits up to two minutes before it connects again.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2000),
        ]


def _as_mien_error(
    error: grpc.aio.AioRpcError, *, model: str, timeout_seconds: float
) -> TransientError | PermanentError:
    code = error.code()
    message = f"model server, {model}: {code.name}: {error.details()} (deadline {timeout_seconds:g} s)"
    is_transient = code in _TRANSIENT or _UNKNOWN_LABEL in str(error.details())
    return TransientError(message) if is_transient else PermanentError(message)
