"""The weights in a ``.caffemodel``, read with the few fields of ``caffe.proto`` that hold them."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from mien.errors import PermanentError

_Field = descriptor_pb2.FieldDescriptorProto
# Field numbers are those of caffe.proto (BVLC/caffe, src/caffe/proto/caffe.proto). A network has layers of
# the old kind or of the new. Numbers of a blob are packed: on the wire they are one run of little-endian
# floats, which `bytes` reads at once.
_MESSAGES: Final = {
    "Blob": [("data", 5, _Field.TYPE_BYTES, "")],
    "OldLayer": [("blobs", 6, _Field.TYPE_MESSAGE, "Blob")],
    "Layer": [("blobs", 7, _Field.TYPE_MESSAGE, "Blob")],
    "Network": [
        ("old_layers", 2, _Field.TYPE_MESSAGE, "OldLayer"),
        ("layers", 100, _Field.TYPE_MESSAGE, "Layer"),
    ],
}


def read_layers(path: Path) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return kernel and bias of each layer that has both, in order, each as one row of float32.

    Raises:
        PermanentError: The file is no Caffe network, or holds no weights.
    """
    network = _network_class()()
    try:
        network.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise PermanentError(f"{path}: expected a Caffe network. {error}") from error
    layers = [
        (np.frombuffer(layer.blobs[0].data, "<f4"), np.frombuffer(layer.blobs[1].data, "<f4"))
        for layer in (*network.old_layers, *network.layers)
        if len(layer.blobs) == 2
    ]
    if not layers:
        raise PermanentError(f"{path}: expected a Caffe network with weights, found none")
    return layers


def _network_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="caffe_weights.proto", package="caffe_weights", syntax="proto2"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, type_name in fields:
            label = _Field.LABEL_REPEATED if type_name else _Field.LABEL_OPTIONAL
            full_name = f".caffe_weights.{type_name}" if type_name else None
            message.field.add(name=field, number=number, type=kind, label=label, type_name=full_name)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("caffe_weights.Network"))
