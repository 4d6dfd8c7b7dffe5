"""Writes the descriptor set from which `mien.runtime.serving_protos` builds its messages.

Needs the official wheels, so it runs at development time only:

    pip install tensorflow-cpu==2.21.0 && pip install --no-deps tensorflow-serving-api==2.21.0
    python deploy/protos/generate.py

The set holds the listed files and everything they import, sorted so that the same wheels give the same bytes.
Source of the descriptors: TensorFlow and TensorFlow Serving, Apache-2.0.
"""

import importlib
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

OUTPUT = Path(__file__).parents[2] / "mien" / "runtime" / "tensorflow_serving.desc"

ROOT_MODULES = (
    "tensorflow_serving.apis.get_model_metadata_pb2",
    "tensorflow_serving.apis.get_model_status_pb2",
    "tensorflow_serving.apis.model_pb2",
    "tensorflow_serving.apis.model_service_pb2",
    "tensorflow_serving.apis.predict_pb2",
    "tensorflow_serving.apis.prediction_service_pb2",
    "tensorflow_serving.config.model_server_config_pb2",
    "tensorflow.core.framework.graph_pb2",
    "tensorflow.core.framework.tensor_pb2",
    "tensorflow.core.framework.types_pb2",
    "tensorflow.core.protobuf.meta_graph_pb2",
    "tensorflow.core.protobuf.saved_model_pb2",
)


def descriptor_set_bytes() -> bytes:
    """Serialised FileDescriptorSet in which every file comes after the files that it imports."""
    collected: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    for module_name in ROOT_MODULES:
        _collect(importlib.import_module(module_name).DESCRIPTOR, collected)
    return descriptor_pb2.FileDescriptorSet(file=collected.values()).SerializeToString(deterministic=True)


def _collect(file_descriptor: Any, collected: dict[str, descriptor_pb2.FileDescriptorProto]) -> None:
    if file_descriptor.name in collected:
        return
    for dependency in file_descriptor.dependencies:
        _collect(dependency, collected)
    file_proto = descriptor_pb2.FileDescriptorProto()
    file_descriptor.CopyToProto(file_proto)
    collected[file_descriptor.name] = file_proto


if __name__ == "__main__":
    OUTPUT.write_bytes(descriptor_set_bytes())
    print(f"{OUTPUT}: {OUTPUT.stat().st_size} bytes")
