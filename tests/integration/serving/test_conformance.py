"""What a TensorFlow Serving server does, through the official stubs.

Runs against our model server, or against the server at `MIEN_TEST_SERVING_ADDRESS`, which has to host the
repository that `python -m tests.unit.model_server.tiny_models FOLDER` writes, with the `models.config` in it:

    tensorflow_model_server --port=8500 --model_config_file=FOLDER/models.config \
        --allow_version_labels_for_unavailable_models=true      # with FOLDER mounted as /models
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from tests.integration.serving.servers import run_model_server
from tests.unit.model_server.tiny_models import write_repository

try:
    import tensorflow as tf
    from tensorflow_serving.apis import (
        get_model_metadata_pb2,
        get_model_status_pb2,
        model_service_pb2_grpc,
        predict_pb2,
        prediction_service_pb2_grpc,
    )
except ImportError:
    missing = "tensorflow-serving-api is not installed: conformance was NOT checked"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing, allow_module_level=True)

IMAGES = np.array([[0, 1, 2, 3], [4, 5, 6, 7]], np.uint8)


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[grpc.Channel]:
    if address := os.environ.get("MIEN_TEST_SERVING_ADDRESS"):
        with grpc.insecure_channel(address) as opened:
            yield opened
        return
    folder = tmp_path_factory.mktemp("serving")
    write_repository(folder / "repo")
    with (
        run_model_server(folder / "repo", folder / "log") as server,
        grpc.insecure_channel(server.address) as opened,
    ):
        yield opened


def request_for(model: str = "scaler", images: Any = IMAGES, **spec: Any) -> Any:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    if "version" in spec:
        request.model_spec.version.value = spec.pop("version")
    for name, value in spec.items():
        setattr(request.model_spec, name, value)
    request.inputs["images"].CopyFrom(tf.make_tensor_proto(images))
    return request


def predict(channel: grpc.Channel, request: Any, *, timeout_seconds: float = 20) -> Any:
    return prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(
        request, timeout=timeout_seconds
    )


def output(response: Any, name: str) -> Any:
    return tf.make_ndarray(response.outputs[name])


def refusal(channel: grpc.Channel, request: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        predict(channel, request)
    return caught.value.code(), str(caught.value.details())


def test_the_latest_version_answers_with_all_outputs(channel: grpc.Channel) -> None:
    """Without a version the highest answers, and says so."""
    response = predict(channel, request_for())
    np.testing.assert_array_equal(output(response, "scaled"), IMAGES * np.float32(3))
    np.testing.assert_array_equal(output(response, "total"), [[18], [66]])
    assert set(response.outputs) == {"scaled", "total"}
    assert response.model_spec.name == "scaler"
    assert response.model_spec.version.value == 2
    assert response.model_spec.signature_name == "serving_default"


def test_values_may_come_in_value_fields(channel: grpc.Channel) -> None:
    """`int_val` means the same as `tensor_content`; one value stands for all elements."""
    request = request_for()
    request.inputs["images"].ClearField("tensor_content")
    request.inputs["images"].int_val.append(7)
    np.testing.assert_array_equal(output(predict(channel, request), "scaled"), np.full((2, 4), 21))


def test_a_named_signature_answers(channel: grpc.Channel) -> None:
    """Each signature has its own outputs."""
    response = predict(channel, request_for(signature_name="negated"))
    np.testing.assert_array_equal(output(response, "negated"), IMAGES * np.float32(-3))
    assert response.model_spec.signature_name == "negated"


def test_output_filter_leaves_the_others_out(channel: grpc.Channel) -> None:
    """Only the outputs asked for are sent."""
    request = request_for()
    request.output_filter.append("total")
    assert set(predict(channel, request).outputs) == {"total"}


@pytest.mark.parametrize(
    ("spec", "version"),
    [({"version": 1}, 1), ({"version_label": "stable"}, 1), ({"version_label": "canary"}, 2)],
)
def test_a_version_is_chosen_by_number_or_label(
    channel: grpc.Channel, spec: dict[str, Any], version: int
) -> None:
    """The version asked for answers."""
    response = predict(channel, request_for(**spec))
    assert response.model_spec.version.value == version
    assert output(response, "scaled")[0, 1] == {1: 2, 2: 3}[version]


def test_a_batch_of_nothing_answers_nothing(channel: grpc.Channel) -> None:
    """No rows in, no rows out."""
    response = predict(channel, request_for(images=np.zeros((0, 4), np.uint8)))
    assert output(response, "scaled").shape == (0, 4)


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        ({"model": "nobody"}, "NOT_FOUND", "Servable not found for request: Latest(nobody)"),
        ({"version": 99}, "NOT_FOUND", "Servable not found for request: Specific(scaler, 99)"),
        ({"version_label": "none"}, "INVALID_ARGUMENT", "Unrecognized servable version label: none"),
        ({"signature_name": "none"}, "FAILED_PRECONDITION", 'Serving signature key "none" not found.'),
    ],
)
def test_what_is_not_there_is_refused(
    channel: grpc.Channel, spec: dict[str, Any], code: str, message: str
) -> None:
    """Unknown models, versions, labels and signatures have their code and message."""
    refused_code, details = refusal(channel, request_for(**spec))
    assert refused_code.name == code
    assert details.startswith(message)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 3), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((2, 4), np.float32),
        np.zeros((1, 6_000_000), np.uint8),
    ],
    ids=["width", "rank", "element type", "more than gRPC's usual limit"],
)
def test_a_tensor_that_does_not_fit_is_refused(channel: grpc.Channel, images: Any) -> None:
    """Wrong shape or element type is INVALID_ARGUMENT, of any size."""
    assert refusal(channel, request_for(images=images))[0] is grpc.StatusCode.INVALID_ARGUMENT


def test_bytes_that_do_not_fill_the_shape_are_refused(channel: grpc.Channel) -> None:
    """Too few bytes in `tensor_content` is INVALID_ARGUMENT."""
    request = request_for()
    request.inputs["images"].tensor_content = b"\x01"
    assert refusal(channel, request)[0] is grpc.StatusCode.INVALID_ARGUMENT


def test_wrong_names_are_refused(channel: grpc.Channel) -> None:
    """Inputs and outputs that the signature doesn't have are INVALID_ARGUMENT and named."""
    renamed = request_for()
    renamed.inputs["pictures"].CopyFrom(renamed.inputs["images"])
    del renamed.inputs["images"]
    code, details = refusal(channel, renamed)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "pictures" in details

    extra = request_for()
    extra.inputs["pictures"].CopyFrom(extra.inputs["images"])
    code, details = refusal(channel, extra)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("input size does not match signature: 2!=1")

    filtered = request_for()
    filtered.output_filter.append("none")
    code, details = refusal(channel, filtered)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("output tensor alias not found in signature: none")


def test_a_request_without_a_model_is_refused(channel: grpc.Channel) -> None:
    """A missing `model_spec` is INVALID_ARGUMENT for every method."""
    status = model_service_pb2_grpc.ModelServiceStub(channel)
    metadata = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    calls: list[Callable[[], Any]] = [
        lambda: predict(channel, predict_pb2.PredictRequest()),
        lambda: status.GetModelStatus(get_model_status_pb2.GetModelStatusRequest()),
        lambda: metadata.GetModelMetadata(
            get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        ),
    ]
    for call in calls:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert caught.value.details() == "Missing ModelSpec"


def test_concurrent_requests_get_their_own_rows(channel: grpc.Channel) -> None:
    """Requests that share an execution don't mix."""
    values = list(range(24))
    with ThreadPoolExecutor(len(values)) as threads:
        responses = threads.map(
            lambda value: predict(channel, request_for("slow", np.full((1, 4), value, np.uint8))), values
        )
        rows = [output(response, "scaled") for response in responses]
    for value, row in zip(values, rows, strict=True):
        np.testing.assert_allclose(row, np.full((1, 4), value), rtol=1e-3)


def test_a_deadline_is_kept(channel: grpc.Channel) -> None:
    """Who can't wait gets DEADLINE_EXCEEDED."""
    with pytest.raises(grpc.RpcError) as caught:
        predict(channel, request_for("slow"), timeout_seconds=0.01)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_metadata_tells_the_signatures(channel: grpc.Channel) -> None:
    """`signature_def` unpacks into names, element types and shapes."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "scaler"
    response = prediction_service_pb2_grpc.PredictionServiceStub(channel).GetModelMetadata(request, timeout=5)

    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert set(signatures.signature_def) == {"serving_default", "negated"}
    images = signatures.signature_def["serving_default"].inputs["images"]
    assert tf.dtypes.as_dtype(images.dtype) == tf.uint8
    assert [dimension.size for dimension in images.tensor_shape.dim] == [-1, 4]
    assert response.model_spec.version.value == 2


@pytest.mark.parametrize("fields", [[], ["weights"]])
def test_metadata_knows_one_field(channel: grpc.Channel, fields: list[str]) -> None:
    """No field, or another than `signature_def`, is INVALID_ARGUMENT."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = "scaler"
    with pytest.raises(grpc.RpcError) as caught:
        prediction_service_pb2_grpc.PredictionServiceStub(channel).GetModelMetadata(request, timeout=5)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_status_lists_versions(channel: grpc.Channel) -> None:
    """Each version has its state; one can be asked for; unknown ones are NOT_FOUND."""
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "scaler"
    available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
    statuses = stub.GetModelStatus(request, timeout=5).model_version_status
    assert {status.version: status.state for status in statuses} == {1: available, 2: available}
    assert all(status.status.error_code == 0 for status in statuses)

    request.model_spec.version.value = 1
    assert [s.version for s in stub.GetModelStatus(request, timeout=5).model_version_status] == [1]

    request.model_spec.version.value = 99
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetModelStatus(request, timeout=5)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND

    request.model_spec.Clear()
    request.model_spec.name = "nobody"
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetModelStatus(request, timeout=5)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "Could not find any versions of model nobody"


def test_tensorflow_itself_agrees_on_the_tiny_models(tmp_path: Path) -> None:
    """The models of this suite are SavedModels that TensorFlow loads and runs to the same numbers."""
    write_repository(tmp_path / "repo")
    loaded = tf.saved_model.load(str(tmp_path / "repo" / "scaler" / "2"))
    outputs = loaded.signatures["serving_default"](images=tf.constant(IMAGES))
    np.testing.assert_array_equal(outputs["scaled"].numpy(), IMAGES * np.float32(3))
    slow = tf.saved_model.load(str(tmp_path / "repo" / "slow" / "1"))
    outputs = slow.signatures["serving_default"](images=tf.constant(IMAGES))
    np.testing.assert_allclose(outputs["scaled"].numpy(), [[1.5] * 4, [5.5] * 4], rtol=1e-3)
