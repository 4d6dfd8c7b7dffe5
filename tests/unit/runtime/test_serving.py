import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import numpy as np
import pytest

from mien.errors import PermanentError, TransientError
from mien.runtime import serving_protos as protos
from mien.runtime.serving import ServingClient

IMAGES = {"images": np.arange(4, dtype=np.uint8).reshape(1, 4)}


class FakeServer:
    """Echoes inputs as outputs, after failing with the codes it is told to."""

    def __init__(self) -> None:
        self.failures: list[grpc.StatusCode] = []
        self.requests: list[Any] = []
        self.delay = asyncio.Event()
        self.delay.set()
        self.address = ""

    async def predict(self, request: Any, context: Any) -> Any:
        self.requests.append(request)
        await self.delay.wait()
        if self.failures:
            await context.abort(self.failures.pop(0), "as told")
        response = protos.PredictResponse()
        response.model_spec.version.value = 7
        for name, tensor in request.inputs.items():
            response.outputs[name].CopyFrom(tensor)
        return response

    async def status(self, request: Any, context: Any) -> Any:
        if request.model_spec.name != "known":
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such model")
        response = protos.GetModelStatusResponse()
        for version, state in ((1, "END"), (2, "AVAILABLE")):
            response.model_version_status.add(
                version=version, state=protos.ModelVersionStatus.State.Value(state)
            )
        return response


def handler(path: str, method: Callable[[Any, Any], Awaitable[Any]], request_class: Any) -> Any:
    _, service, name = path.split("/")
    unary = grpc.unary_unary_rpc_method_handler(
        method,
        request_deserializer=request_class.FromString,
        response_serializer=lambda response: response.SerializeToString(),
    )
    return grpc.method_handlers_generic_handler(service, {name: unary})


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    fake = FakeServer()
    grpc_server = grpc.aio.server(options=[("grpc.max_receive_message_length", 64 * 2**20)])
    grpc_server.add_generic_rpc_handlers(
        (
            handler(protos.PREDICT_METHOD, fake.predict, protos.PredictRequest),
            handler(protos.GET_MODEL_STATUS_METHOD, fake.status, protos.GetModelStatusRequest),
        )
    )
    fake.address = f"127.0.0.1:{grpc_server.add_insecure_port('127.0.0.1:0')}"
    await grpc_server.start()
    yield fake
    fake.delay.set()
    await grpc_server.stop(grace=0)


@pytest.fixture
async def client(server: FakeServer) -> AsyncIterator[ServingClient]:
    async with ServingClient(server.address) as opened:
        yield opened


async def test_arrays_go_out_and_come_back(server: FakeServer, client: ServingClient) -> None:
    """The answer holds arrays and the version that gave them; the request says what was asked."""
    prediction = await client.predict(
        "embedder", IMAGES, version_label="stable", output_names=["images"], timeout_seconds=5
    )
    np.testing.assert_array_equal(prediction.outputs["images"], IMAGES["images"])
    assert prediction.version == 7
    [request] = server.requests
    assert request.model_spec.name == "embedder"
    assert request.model_spec.signature_name == "serving_default"
    assert request.model_spec.version_label == "stable"
    assert list(request.output_filter) == ["images"]
    assert request.inputs["images"].tensor_content == bytes(range(4))


async def test_messages_may_be_larger_than_grpcs_default(client: ServingClient) -> None:
    """Six megabytes go both ways."""
    large = np.zeros((1, 6 * 2**20), np.uint8)
    prediction = await client.predict("embedder", {"images": large}, timeout_seconds=10)
    assert prediction.outputs["images"].shape == large.shape


async def test_unavailable_is_asked_again(server: FakeServer, client: ServingClient) -> None:
    """A server that is away for a moment is not noticed by the caller."""
    server.failures = [grpc.StatusCode.UNAVAILABLE] * 2
    assert (await client.predict("embedder", IMAGES, timeout_seconds=5)).version == 7
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, TransientError),
        (grpc.StatusCode.INVALID_ARGUMENT, PermanentError),
        (grpc.StatusCode.NOT_FOUND, TransientError),
        (grpc.StatusCode.FAILED_PRECONDITION, TransientError),
        (grpc.StatusCode.INTERNAL, PermanentError),
    ],
)
async def test_other_codes_are_not_retried(
    server: FakeServer, client: ServingClient, code: grpc.StatusCode, error: type[Exception]
) -> None:
    """Each code becomes the error that says whether a retry makes sense, and names the model."""
    server.failures = [code]
    with pytest.raises(error, match=f"embedder: {code.name}: as told"):
        await client.predict("embedder", IMAGES, timeout_seconds=5)
    assert len(server.requests) == 1


async def test_the_deadline_ends_a_call(server: FakeServer, client: ServingClient) -> None:
    """A server that doesn't answer is a transient error."""
    server.delay.clear()
    with pytest.raises(TransientError, match="DEADLINE_EXCEEDED"):
        await client.predict("embedder", IMAGES, timeout_seconds=0.05)


async def test_a_server_that_is_not_there_is_transient() -> None:
    """Nobody listening is UNAVAILABLE once the deadline is used up."""
    async with ServingClient("127.0.0.1:1") as client:
        with pytest.raises(TransientError, match="UNAVAILABLE"):
            await client.predict("embedder", IMAGES, timeout_seconds=0.2)
        assert not await client.is_available("embedder", timeout_seconds=0.1)


async def test_status_tells_each_version(client: ServingClient) -> None:
    """States come by version; a model is available when one of its versions is."""
    assert await client.model_status("known") == {1: "END", 2: "AVAILABLE"}
    assert await client.is_available("known")
    assert not await client.is_available("other")
    with pytest.raises(TransientError, match="no such model"):
        await client.model_status("other")
