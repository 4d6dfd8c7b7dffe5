"""One version of a model, loaded and ready to run on OpenVINO."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from mien.errors import MienError
from mien.runtime.quiet_openvino import openvino
from mien.runtime.serving_protos import SavedModel
from mien.runtime.serving_tensors import dtype_of
from services.model_server.config import Precision
from services.model_server.pipeline import Arrays, Signature, TensorSpec

Properties = dict[str, int | bool | str]
"""Of OpenVINO, for compiling a model."""

DEFAULT_SIGNATURE = "serving_default"
# Exporters add signatures that initialise the model; they take no inputs and nobody calls them.
_INITIALISING = "__saved_model_init_op"


class ModelLoadError(MienError):
    """A version folder does not hold a model that can be served."""


class Servable:
    """A loaded version; `run` is for one thread at a time.

    Attributes:
        signatures: By name.
        signature_defs: The SavedModel's own descriptions of them, as `GetModelMetadata` tells them.
    """

    def __init__(
        self,
        signatures: Mapping[str, Signature],
        signature_defs: Mapping[str, Any],
        compiled: Mapping[str, openvino.CompiledModel],
    ) -> None:
        self.signatures = signatures
        self.signature_defs = signature_defs
        self._requests = {name: model.create_infer_request() for name, model in compiled.items()}

    def run(self, signature_name: str, inputs: Arrays) -> Arrays:
        """All outputs of a signature; blocks."""
        request = self._requests[signature_name]
        results = request.infer(dict(inputs), share_inputs=True)
        return {name: results[name] for name in self.signatures[signature_name].outputs}

    def warm_up(self) -> None:
        """Run each signature once on zeros, so that the first request doesn't pay for what is lazy."""
        for name, signature in self.signatures.items():
            zeros = {
                key: np.zeros([abs(size) for size in spec.shape], spec.dtype)
                for key, spec in signature.inputs.items()
            }
            self.run(name, zeros)


def load_servable(
    version_folder: Path, *, inference_threads: int, precision: Precision, cache_dir: Path | None
) -> Servable:
    """Read, compile and warm up the SavedModel of a version folder; blocks, up to seconds.

    Raises:
        ModelLoadError: it can't be read, or the engine can't run it.
    """
    try:
        meta_graph = _read_meta_graph(version_folder)
        signature_defs = {
            name: definition for name, definition in meta_graph.signature_def.items() if name != _INITIALISING
        }
        if not signature_defs:
            raise ModelLoadError("the SavedModel has no signature to serve")
        servable = Servable(
            {name: _signature(name, definition) for name, definition in signature_defs.items()},
            signature_defs,
            _compile(
                version_folder, list(signature_defs), _properties(inference_threads, precision, cache_dir)
            ),
        )
        servable.warm_up()
    except (DecodeError, OSError, RuntimeError, ValueError) as error:
        raise ModelLoadError(f"{type(error).__name__}: {error}") from error
    return servable


def _properties(inference_threads: int, precision: Precision, cache_dir: Path | None) -> Properties:
    # Pinned threads of several processes would all sit on the first cores.
    properties: Properties = {
        "INFERENCE_NUM_THREADS": inference_threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
    }
    if precision == "float32":
        properties["INFERENCE_PRECISION_HINT"] = "f32"
    if cache_dir is not None:
        properties["CACHE_DIR"] = str(cache_dir)
    return properties


def _compile(
    version_folder: Path, signature_names: list[str], properties: Properties
) -> dict[str, openvino.CompiledModel]:
    core = openvino.Core()
    compiled = {}
    for name in signature_names:
        if name == DEFAULT_SIGNATURE:
            compiled[name] = core.compile_model(str(version_folder), "CPU", properties)
        else:
            with tempfile.TemporaryDirectory() as folder:
                _write_with_default(version_folder, name, Path(folder))
                compiled[name] = core.compile_model(folder, "CPU", properties)
    return compiled


def _write_with_default(version_folder: Path, signature_name: str, target: Path) -> None:
    """Write the SavedModel anew with another signature as its default, the only one that OpenVINO reads."""
    saved_model = _read_saved_model(version_folder)
    for meta_graph in saved_model.meta_graphs:
        if signature_name in meta_graph.signature_def:
            chosen = meta_graph.signature_def[signature_name]
            meta_graph.signature_def[DEFAULT_SIGNATURE].CopyFrom(chosen)
            for other in set(meta_graph.signature_def) - {DEFAULT_SIGNATURE}:
                del meta_graph.signature_def[other]
    (target / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    for name in ("variables", "assets"):
        if (version_folder / name).is_dir():
            (target / name).symlink_to((version_folder / name).resolve())


def _read_saved_model(version_folder: Path) -> Any:
    return SavedModel.FromString((version_folder / "saved_model.pb").read_bytes())


def _read_meta_graph(version_folder: Path) -> Any:
    for meta_graph in _read_saved_model(version_folder).meta_graphs:
        if "serve" in meta_graph.meta_info_def.tags:
            meta_graph.ClearField("graph_def")  # the weights may be there, and only the signatures are kept
            return meta_graph
    raise ModelLoadError("the SavedModel has no graph tagged 'serve'")


def _signature(name: str, definition: Any) -> Signature:
    return Signature(name, _tensor_specs(definition.inputs), _tensor_specs(definition.outputs))


def _tensor_specs(tensors: Mapping[str, Any]) -> dict[str, TensorSpec]:
    return {
        key: TensorSpec(dtype_of(info.dtype), tuple(dimension.size for dimension in info.tensor_shape.dim))
        for key, info in tensors.items()
    }
