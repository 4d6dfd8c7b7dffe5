"""Whether two ways to spend calls on the same video end at the same names, face by face. No I/O."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mien.contracts.events import BoxXyxy, IdentityDecided, TracksObserved
from mien.vision.boxes import overlap_matrix

NOBODY: Final = frozenset({"unknown", "unclear"})
"""Answers that are no name."""
# Both ways find faces with the same detector in the same pictures, so the boxes are all but equal.
_SAME_FACE_OVERLAP: Final = 0.5
_SAME_PICTURE_SECONDS: Final = 0.1
# A camera in front of which nothing moves sends a frame a second; until then the last one holds.
_STILL_SECONDS: Final = 1.1


@dataclass(frozen=True)
class NamedFrame:
    """The faces of one frame and who each turned out to be in the end.

    Attributes:
        at_seconds: Since the first picture of the camera.
        answers: For each box a person's name, ``unknown`` or ``unclear``.
    """

    at_seconds: float
    boxes_xyxy: Sequence[BoxXyxy]
    answers: Sequence[str]


@dataclass
class Agreement:
    """What came of the faces of one camera, or of all.

    Attributes:
        compared: Faces found both ways.
        same_name: Of these, those with the same name, or with none.
        same_answer: Of these, those for which "unknown" and "unclear" are the same, too.
        named: Faces to whom either way gave a name.
        missed: Faces of the thorough way for which the other has none.
        differences: Number of faces by what the thorough way and the other say.
    """

    compared: int = 0
    same_name: int = 0
    same_answer: int = 0
    named: int = 0
    missed: int = 0
    differences: Counter[tuple[str, str]] = field(default_factory=Counter)

    def note(self, thorough: str, thrifty: str) -> None:
        """Count one face."""
        self.compared += 1
        self.same_answer += thorough == thrifty
        nameless = {thorough, thrifty} <= NOBODY
        self.same_name += thorough == thrifty or nameless
        self.named += not nameless
        if thorough != thrifty:
            self.differences[thorough, thrifty] += 1


def final_answers(decided: Iterable[IdentityDecided], names: Mapping[str, str]) -> dict[str, str]:
    """Return what each track is called in the end: by its last shot, whatever order decisions came in.

    Args:
        decided: Decisions of any number of tracks.
        names: Name by person id.
    """
    last: dict[str, IdentityDecided] = {}
    for one in decided:
        if one.track_id not in last or one.shot_number >= last[one.track_id].shot_number:
            last[one.track_id] = one
    return {
        track_id: names[one.person_id] if one.person_id is not None else one.answer
        for track_id, one in last.items()
    }


def name_frames(
    observed: Iterable[TracksObserved], answers: Mapping[str, str], *, start_ns: int, seconds: float
) -> list[NamedFrame]:
    """Return a camera's frames of its first *seconds*, in order; a track without answer is unclear."""
    frames = [
        NamedFrame(
            (one.captured_at_ns - start_ns) / 1e9,
            one.boxes_xyxy,
            [answers.get(track_id, "unclear") for track_id in one.track_ids],
        )
        for one in observed
    ]
    return sorted(
        (frame for frame in frames if frame.at_seconds < seconds), key=lambda frame: frame.at_seconds
    )


def compare_names(thorough: Sequence[NamedFrame], thrifty: Sequence[NamedFrame]) -> Agreement:
    """Compare each face of the thorough way with the same face of the thrifty one, frame by frame.

    A frame's counterpart is the one taken at the same time; where the motion gate left it out, the last one
    before, which the gate says shows the same.
    """
    agreement = Agreement()
    times = np.array([frame.at_seconds for frame in thrifty])
    for frame in thorough:
        row = _counterpart(times, frame.at_seconds)
        other = thrifty[row] if row is not None else NamedFrame(0.0, [], [])
        for face, match in enumerate(_same_faces(frame.boxes_xyxy, other.boxes_xyxy)):
            if match is None:
                agreement.missed += 1
            else:
                agreement.note(frame.answers[face], other.answers[match])
    return agreement


def sum_up(parts: Iterable[Agreement]) -> Agreement:
    """Return the agreement over several cameras."""
    whole = Agreement()
    for part in parts:
        whole.compared += part.compared
        whole.same_name += part.same_name
        whole.same_answer += part.same_answer
        whole.named += part.named
        whole.missed += part.missed
        whole.differences += part.differences
    return whole


def _counterpart(times: np.ndarray, at_seconds: float) -> int | None:
    if not len(times):
        return None
    nearest = int(np.abs(times - at_seconds).argmin())
    if abs(times[nearest] - at_seconds) <= _SAME_PICTURE_SECONDS:
        return nearest
    before = int(np.searchsorted(times, at_seconds)) - 1
    return before if before >= 0 and at_seconds - times[before] <= _STILL_SECONDS else None


def _same_faces(boxes_xyxy: Sequence[BoxXyxy], others_xyxy: Sequence[BoxXyxy]) -> list[int | None]:
    """Return for each box which of the others is the same face, each taken once, the nearest first."""
    matches: list[int | None] = [None] * len(boxes_xyxy)
    if not boxes_xyxy or not others_xyxy:
        return matches
    overlaps = overlap_matrix(np.array(boxes_xyxy, np.float32), np.array(others_xyxy, np.float32))
    while overlaps.max() >= _SAME_FACE_OVERLAP:
        row, column = (int(index) for index in np.unravel_index(overlaps.argmax(), overlaps.shape))
        matches[row] = column
        overlaps[row, :] = overlaps[:, column] = -1.0
    return matches
