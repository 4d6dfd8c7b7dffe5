"""Finding faces in picture files with the detector, which runs as a process of its own."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from mien.contracts.find_faces import FacesFound
from mien.local.line_process import detector_process


def find_faces(paths: Iterable[Path], *, min_face_px: int = 40) -> Iterator[FacesFound]:
    """Find the faces of picture files, one answer per path, in their order, as they come.

    Raises:
        LineProcessError: The detector could not be started, or died.
    """
    with detector_process("find_faces", FacesFound, "--min-face-px", str(min_face_px)) as detector:
        for path in paths:
            yield detector.ask(str(path.absolute()))
