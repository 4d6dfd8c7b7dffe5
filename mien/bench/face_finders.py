"""The detectors of ``mien bench detect``: ours and those it is measured against, each a process to ask."""

import sys
from typing import Final

from mien.bench.peers import locked_version, peer_python
from mien.contracts.find_faces import FacesFound
from mien.local.line_process import LineProcess

OURS: Final = "mien"
# The module that answers for a peer, and the package that it comes from.
PEERS: Final = {
    "mtcnn": ("mien.bench.contenders.mtcnn_package", "mtcnn"),
    "facenet_pytorch": ("mien.bench.contenders.facenet_pytorch", "facenet-pytorch"),
    "opencv_haar": ("mien.bench.contenders.opencv_haar", "opencv-python-headless"),
}
FINDERS: Final = (OURS, *PEERS)

# Libraries read these when they are imported. The last two only keep TensorFlow from chatting.
_ONE_THREAD: Final = (
    "OMP_NUM_THREADS=1",
    "MKL_NUM_THREADS=1",
    "OPENBLAS_NUM_THREADS=1",
    "TF_CPP_MIN_LOG_LEVEL=3",
    "GRPC_VERBOSITY=NONE",
)


def face_finder(name: str, *, min_face_px: int) -> LineProcess[FacesFound]:
    """Return a detector as a process of one thread that answers paths with faces.

    A peer's environment is made first where it is missing, which takes half a minute.
    """
    python, module = (
        (sys.executable, "services.detector.find_faces")
        if name == OURS
        else (peer_python(name), PEERS[name][0])
    )
    command = ["env", *_ONE_THREAD, python, "-m", module, "--min-face-px", str(min_face_px)]
    return LineProcess(command, FacesFound)


def label(name: str) -> str:
    """Return what a detector is called in a table: a peer with its package's version."""
    if name == OURS:
        return "Mien"
    package = PEERS[name][1]
    haar = " (Haar cascade)" if name == "opencv_haar" else ""
    return f"{package} {locked_version(name, package)}{haar}"
