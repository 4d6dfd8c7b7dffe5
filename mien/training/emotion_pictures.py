"""Which labelled pictures can be learnt from: those that can be read and in which a face is found."""

from collections.abc import Callable, Mapping

import cv2
import msgspec
import numpy as np

from mien.dataset.split import PARTS, Part
from mien.errors import PermanentError
from mien.training.emotion_data import EmotionData, LabelledFace, check_parts
from mien.training.emotion_faces import AlignedFaces


def leave_out_unreadable(
    data: EmotionData, on_picture: Callable[[int, int], None]
) -> tuple[EmotionData, list[str]]:
    """Return the data without pictures that can't be read, and the paths of these.

    Raises:
        PermanentError: What is left can't be learnt from.
    """
    kept: list[LabelledFace] = []
    unreadable: list[str] = []
    for done, face in enumerate(data.faces, start=1):
        # An eighth of the size says as well whether a file is whole, in a fraction of the time.
        if cv2.imread(face.path, cv2.IMREAD_REDUCED_GRAYSCALE_8) is None:
            unreadable.append(face.path)
        else:
            kept.append(face)
        on_picture(done, len(data.faces))
    return _without(data, kept, f"{len(unreadable)} pictures can't be read"), unreadable


def leave_out_faceless(
    data: EmotionData, aligned: Mapping[Part, AlignedFaces]
) -> tuple[EmotionData, dict[Part, AlignedFaces], list[str]]:
    """Return data and faces without pictures in which no face was found, and the paths of these.

    Raises:
        PermanentError: What is left can't be learnt from.
    """
    kept: list[LabelledFace] = []
    faceless: list[str] = []
    for part in PARTS:
        for face, is_found in zip(data.part(part), aligned[part].found, strict=True):
            if is_found:
                kept.append(face)
            else:
                faceless.append(face.path)
    found = {
        part: AlignedFaces(faces.images_rgb[faces.found], np.ones(int(faces.found.sum()), np.bool_))
        for part, faces in aligned.items()
    }
    return _without(data, kept, f"no face was found in {len(faceless)} pictures"), found, faceless


def _without(data: EmotionData, kept: list[LabelledFace], why: str) -> EmotionData:
    smaller = msgspec.structs.replace(
        data, faces=kept, without_person=sum(face.person == face.path for face in kept)
    )
    try:
        check_parts(smaller)
    except PermanentError as error:
        raise PermanentError(f"{why} of {len(data.faces)}; of the others: {error}") from None
    return smaller
