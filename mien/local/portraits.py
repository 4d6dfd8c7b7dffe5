"""The demo's portraits: official, freely usable photographs that packages carry (see NOTICE)."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import PermanentError
from model_repo.sources import Package, fetch

REPOSITORY: Final = Path(__file__).parents[2]
CACHE: Final = REPOSITORY / "model_repo" / ".downloads"

_FACE_RECOGNITION: Final = Package(
    "PyPI",
    "face_recognition",
    "1.3.0",
    "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    source=True,
)
# Any wheel carries the same photograph; one is named, so that its checksum is known on every machine.
_SCIKIT_IMAGE: Final = Package(
    "PyPI",
    "scikit-image",
    "0.26.0",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    wheel_for=("3.11", "manylinux_2_28_x86_64"),
)


@dataclass(frozen=True)
class Portrait:
    """A photograph with one face.

    Attributes:
        face_xyxy: Where the face is, in pixels; found once with our own detector.
    """

    package: Package
    path: str
    face_xyxy: tuple[int, int, int, int]

    def read_bytes(self) -> bytes:
        """Return the file as the package carries it.

        Raises:
            DownloadError: The package can't be had.
            ChecksumError: It is not the one we know.
        """
        return fetch(self.package, CACHE).read(self.path)


_FOLDER: Final = "face_recognition-1.3.0/tests/test_images"
OBAMA_SMILING: Final = Portrait(_FACE_RECOGNITION, f"{_FOLDER}/obama.jpg", (385, 102, 609, 413))
OBAMA_SPEAKING: Final = Portrait(_FACE_RECOGNITION, f"{_FOLDER}/obama2.jpg", (196, 227, 470, 637))
OBAMA_STANDING: Final = Portrait(_FACE_RECOGNITION, f"{_FOLDER}/obama3.jpg", (640, 260, 908, 608))
BIDEN: Final = Portrait(_FACE_RECOGNITION, f"{_FOLDER}/biden.jpg", (431, 164, 718, 570))
COLLINS: Final = Portrait(_SCIKIT_IMAGE, "skimage/data/astronaut.png", (181, 63, 267, 173))


@cache
def read_rgb(portrait: Portrait) -> NDArray[np.uint8]:
    """Decode a portrait, RGB, shape (H, W, 3).

    Raises:
        PermanentError: The file does not decode.
    """
    decoded = cv2.imdecode(np.frombuffer(portrait.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        raise PermanentError(f"{portrait.path}: expected a picture, got bytes that don't decode")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), dtype=np.uint8)
