"""TensorFlow Serving's gRPC methods over the served models."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from mien.runtime import metrics, serving_protos
from mien.runtime.serving_tensors import array_from_tensor, tensor_from_array
from services.model_server.pipeline import Arrays, RefusedError, check_request, empty_outputs
from services.model_server.served_models import LoadedVersion, ServedModels, VersionRecord

_METADATA_FIELD = "signature_def"
# tensorflow.error.Code
_OK, _INTERNAL = 0, 13


class ServingApi:
    """`PredictionService` and `ModelService`, as far as Mien and its tools need them."""

    def __init__(self, models: ServedModels, *, max_batch_size: int) -> None:
        self._models = models
        self._max_batch_size = max_batch_size

    def handlers(self) -> list[Any]:
        """Generic handlers for a gRPC server to register."""
        protos = serving_protos
        methods = {
            protos.PREDICT_METHOD: (self.predict, protos.PredictRequest),
            protos.GET_MODEL_METADATA_METHOD: (self.get_model_metadata, protos.GetModelMetadataRequest),
            protos.GET_MODEL_STATUS_METHOD: (self.get_model_status, protos.GetModelStatusRequest),
        }
        handlers = []
        for path, (method, request_class) in methods.items():
            _, service_name, method_name = path.split("/")
            handler = grpc.unary_unary_rpc_method_handler(
                _answering(method),
                request_deserializer=request_class.FromString,
                response_serializer=lambda response: response.SerializeToString(),
            )
            handlers.append(grpc.method_handlers_generic_handler(service_name, {method_name: handler}))
        return handlers

    async def predict(self, request: Any) -> Any:
        """Outputs of a model for a batch of inputs."""
        with self._counted(request):
            loaded = self._find(request)
            signature_name = request.model_spec.signature_name or "serving_default"
            signature = loaded.servable.signatures.get(signature_name)
            if signature is None:
                raise RefusedError(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    f'Serving signature key "{signature_name}" not found.',
                )
            inputs = _inputs(request)
            output_filter = list(request.output_filter)
            examples = check_request(signature, inputs, output_filter, max_batch_size=self._max_batch_size)
            outputs = await loaded.run(signature, inputs, examples) if examples else empty_outputs(signature)
            response = serving_protos.PredictResponse()
            response.model_spec.name = request.model_spec.name
            response.model_spec.version.value = loaded.version
            response.model_spec.signature_name = signature_name
            for name in output_filter or signature.outputs:
                response.outputs[name].CopyFrom(tensor_from_array(outputs[name]))
            return response

    async def get_model_metadata(self, request: Any) -> Any:
        """Signatures of a model, packed as TensorFlow Serving packs them."""
        _require_model_spec(request)
        if not request.metadata_field:
            raise _invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for name in request.metadata_field:
            if name != _METADATA_FIELD:
                raise _invalid(f"Metadata field {name} is not supported")
        loaded = self._find(request)
        signatures = serving_protos.SignatureDefMap()
        for name, definition in loaded.servable.signature_defs.items():
            signatures.signature_def[name].CopyFrom(definition)
        response = serving_protos.GetModelMetadataResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = loaded.version
        response.metadata[_METADATA_FIELD].Pack(signatures)
        return response

    async def get_model_status(self, request: Any) -> Any:
        """State of one version of a model, or of all."""
        _require_model_spec(request)
        name = request.model_spec.name
        records = self._models.records(name)
        if request.model_spec.HasField("version"):
            version = request.model_spec.version.value
            if version not in records:
                raise _not_found(f"Could not find version {version} of model {name}")
            records = {version: records[version]}
        if not records:
            raise _not_found(f"Could not find any versions of model {name}")
        response = serving_protos.GetModelStatusResponse()
        for version, record in records.items():
            _add_status(response, version, record)
        return response

    def _find(self, request: Any) -> LoadedVersion:
        _require_model_spec(request)
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else None
        return self._models.find(spec.name, version=version, label=spec.version_label)

    @contextmanager
    def _counted(self, request: Any) -> Iterator[None]:
        name = request.model_spec.name
        known = name if self._models.records(name) else "unknown"  # a caller can't invent label values
        code = grpc.StatusCode.CANCELLED
        try:
            yield
            code = grpc.StatusCode.OK
        except RefusedError as refused:
            code = refused.code
            raise
        finally:
            metrics.MODEL_REQUESTS.labels(known, code.name).inc()


def _answering(method: Callable[[Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def answer(request: Any, context: Any) -> Any:
        try:
            return await method(request)
        except RefusedError as refused:
            await context.abort(refused.code, refused.message)

    return answer


def _inputs(request: Any) -> Arrays:
    arrays = {}
    for name, tensor in request.inputs.items():
        try:
            arrays[name] = array_from_tensor(tensor)
        except ValueError as error:
            raise _invalid(f"{name}: {error}") from error
    return arrays


def _add_status(response: Any, version: int, record: VersionRecord) -> None:
    status = response.model_version_status.add()
    status.version = version
    status.state = serving_protos.ModelVersionStatus.State.Value(record.state)
    status.status.error_code = _INTERNAL if record.error else _OK
    status.status.error_message = record.error


def _require_model_spec(request: Any) -> None:
    if not request.HasField("model_spec"):
        raise _invalid("Missing ModelSpec")


def _invalid(message: str) -> RefusedError:
    return RefusedError(grpc.StatusCode.INVALID_ARGUMENT, message)


def _not_found(message: str) -> RefusedError:
    return RefusedError(grpc.StatusCode.NOT_FOUND, message)
