"""Finding faces in picture files with the detector, which runs as a process of its own."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from mien.contracts.find_faces import FacesFound
from mien.local.line_process import detector_process


def find_faces(
    paths: Iterable[Path], *, min_face_px: int = 40, else_min_face_px: int | None = None
) -> Iterator[FacesFound]:
    """Find the faces of picture files, one answer per path, in their order, as they come.

    Args:
        else_min_face_px: Smallest face that is looked for in a picture in which none was found.

    Raises:
        LineProcessError: The detector could not be started, or died.
    """
    sizes = [str(size) for size in (min_face_px, else_min_face_px) if size is not None]
    with detector_process("find_faces", FacesFound, "--min-face-px", *sizes) as detector:
        for path in paths:
            yield detector.ask(str(path.absolute()))
