"""TensorFlow's and TensorFlow Serving's protobuf messages without TensorFlow.

Importing `tensorflow_serving.apis` imports all of TensorFlow (4 s, 600 MB). Here the same messages are built
from `tensorflow_serving.desc`, a descriptor set written by `deploy/protos/generate.py`, in a descriptor pool
of their own, so that the real packages can be imported in the same process. The wire format is the same.

The classes exist only at run time, so their instances are `Any` to the type checker; `mien.runtime.serving`
and `mien.runtime.serving_tensors` are the typed way to use them.
"""

from importlib.resources import files
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PREDICT_METHOD = "/tensorflow.serving.PredictionService/Predict"
GET_MODEL_METADATA_METHOD = "/tensorflow.serving.PredictionService/GetModelMetadata"
GET_MODEL_STATUS_METHOD = "/tensorflow.serving.ModelService/GetModelStatus"


def _load_pool() -> descriptor_pool.DescriptorPool:
    descriptor_set = descriptor_pb2.FileDescriptorSet.FromString(
        files("mien.runtime").joinpath("tensorflow_serving.desc").read_bytes()
    )
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_set.file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


_pool = _load_pool()


def message_class(full_name: str) -> Any:
    """Class of the message named `full_name`, such as "tensorflow.TensorProto".

    Raises:
        KeyError: the descriptor set has no such message.
    """
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(full_name))


# TensorFlow: tensors, graphs and SavedModels.
TensorProto = message_class("tensorflow.TensorProto")
TensorShapeProto = message_class("tensorflow.TensorShapeProto")
AttrValue = message_class("tensorflow.AttrValue")
NodeDef = message_class("tensorflow.NodeDef")
GraphDef = message_class("tensorflow.GraphDef")
TensorInfo = message_class("tensorflow.TensorInfo")
SignatureDef = message_class("tensorflow.SignatureDef")
MetaGraphDef = message_class("tensorflow.MetaGraphDef")
SavedModel = message_class("tensorflow.SavedModel")

# Element types of tensors, for example DATA_TYPES["DT_FLOAT"] == 1.
DATA_TYPES: dict[str, int] = {
    name: value.number
    for name, value in _pool.FindEnumTypeByName("tensorflow.DataType").values_by_name.items()
}

# TensorFlow Serving.
ModelSpec = message_class("tensorflow.serving.ModelSpec")
PredictRequest = message_class("tensorflow.serving.PredictRequest")
PredictResponse = message_class("tensorflow.serving.PredictResponse")
GetModelMetadataRequest = message_class("tensorflow.serving.GetModelMetadataRequest")
GetModelMetadataResponse = message_class("tensorflow.serving.GetModelMetadataResponse")
SignatureDefMap = message_class("tensorflow.serving.SignatureDefMap")
GetModelStatusRequest = message_class("tensorflow.serving.GetModelStatusRequest")
GetModelStatusResponse = message_class("tensorflow.serving.GetModelStatusResponse")
ModelVersionStatus = message_class("tensorflow.serving.ModelVersionStatus")
ModelServerConfig = message_class("tensorflow.serving.ModelServerConfig")
