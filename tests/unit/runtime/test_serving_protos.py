import subprocess
import sys
from pathlib import Path

import numpy as np

from mien.runtime import serving_protos

REPOSITORY = Path(__file__).parents[3]


def test_messages_survive_the_wire() -> None:
    """A request that is serialised and parsed again holds the same model, signature and tensor."""
    request = serving_protos.PredictRequest()
    request.model_spec.name = "face_embedder"
    request.model_spec.version.value = 3
    request.inputs["images"].dtype = serving_protos.DATA_TYPES["DT_UINT8"]
    request.inputs["images"].tensor_content = np.arange(4, dtype=np.uint8).tobytes()

    parsed = serving_protos.PredictRequest.FromString(request.SerializeToString())

    assert parsed.model_spec.name == "face_embedder"
    assert parsed.model_spec.version.value == 3
    assert parsed.inputs["images"].tensor_content == b"\x00\x01\x02\x03"


def test_data_types_are_tensorflows_numbers() -> None:
    """The element types carry the numbers that TensorFlow publishes."""
    assert serving_protos.DATA_TYPES["DT_FLOAT"] == 1
    assert serving_protos.DATA_TYPES["DT_UINT8"] == 4
    assert serving_protos.DATA_TYPES["DT_INT64"] == 9


def test_metadata_travels_in_an_any() -> None:
    """A SignatureDefMap can be packed into the `Any` of a metadata response and unpacked again."""
    signatures = serving_protos.SignatureDefMap()
    signatures.signature_def["serving_default"].method_name = "tensorflow/serving/predict"
    response = serving_protos.GetModelMetadataResponse()
    response.metadata["signature_def"].Pack(signatures)

    unpacked = serving_protos.SignatureDefMap()
    parsed = serving_protos.GetModelMetadataResponse.FromString(response.SerializeToString())
    assert parsed.metadata["signature_def"].Unpack(unpacked)
    assert unpacked.signature_def["serving_default"].method_name == "tensorflow/serving/predict"


def test_import_leaves_tensorflow_out() -> None:
    """Building the messages imports neither TensorFlow nor its serving API."""
    code = "import sys, mien.runtime.serving_protos; print([m for m in sys.modules if 'tensorflow' in m])"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "[]"
