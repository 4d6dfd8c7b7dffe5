"""Finding faces in picture files with the detector, which runs as a process of its own."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from mien.contracts.find_faces import FacesFound
from mien.errors import MienError

_REPOSITORY: Final = Path(__file__).parents[2]


class FaceFinderError(MienError):
    """The detector's process ended before it had answered."""


def find_faces(paths: Iterable[Path], *, min_face_px: int = 40) -> Iterator[FacesFound]:
    """Find the faces of picture files, one answer per path, in their order, as they come.

    Raises:
        FaceFinderError: The detector could not be started, or died.
    """
    command = [sys.executable, "-m", "services.detector.find_faces", "--min-face-px", str(min_face_px)]
    process = subprocess.Popen(command, cwd=_REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if process.stdin is None or process.stdout is None:
        raise FaceFinderError("expected pipes to the detector")
    decoder = msgspec.json.Decoder(FacesFound)
    try:
        for path in paths:
            try:
                process.stdin.write(msgspec.json.encode(str(path.absolute())) + b"\n")
                process.stdin.flush()
            except BrokenPipeError as error:
                raise _ended(process) from error
            if not (line := process.stdout.readline()):
                raise _ended(process)
            yield decoder.decode(line)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.terminate()
        process.wait()


def _ended(process: "subprocess.Popen[bytes]") -> FaceFinderError:
    return FaceFinderError(f"the detector ended with {process.wait()}: see what it printed above")
