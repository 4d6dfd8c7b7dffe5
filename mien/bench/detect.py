"""``mien bench detect``: what finding faces costs, and which are found, beside the usual detectors.

Every detector is a process of one thread that reads the same files. They take turns: in each round every one
of them works through all pictures, and what is compared is the CPU time of the same picture in the same
round. The first round warms up and does not count.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2

from mien.bench.detect_figures import (
    MIN_FACE_PX,
    Times,
    agreements,
    cost_row,
    is_few_faces_at_720p,
    limits_in_words,
    ratios,
    table,
)
from mien.bench.face_finders import FINDERS, OURS, face_finder
from mien.bench.group_pictures import SIZES_WH, write_pictures
from mien.bench.staged_faces import KnownPicture, known_faces, lfw_pictures
from mien.contracts.detector_limits import DetectorLimits
from mien.contracts.find_faces import FacesFound
from mien.local.line_process import LineProcess, detector_process

SMALL_FACE_PX: Final = 20

Told = Callable[[str, int], None]
"""Called with what goes on and how many pictures were looked at since."""
Finder = LineProcess[FacesFound]


@dataclass(frozen=True, kw_only=True)
class DetectBench:
    """What to measure.

    Attributes:
        folder: Where pictures are written.
        rounds: That count, after one to warm up.
        lfw: Photographs of LFW that every detector looks at.
    """

    folder: Path
    rounds: int = 5
    lfw: int = 500


def measure_detect(bench: DetectBench, told: Told) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Measure cost and agreement; returns the rows of each part and the summary.

    Raises:
        LineProcessError: A detector died.
        subprocess.CalledProcessError: A peer's environment can't be made.
    """
    staged = known_faces()
    pictures = {str(path): key for key, path in write_pictures(bench.folder).items()}
    groups = _at_720p(staged.get("verified_groups", []), bench.folder)
    with ExitStack() as stack:
        finders = {}
        for name in FINDERS:
            told(f"starting {name}", 0)
            finders[name] = stack.enter_context(face_finder(name, min_face_px=MIN_FACE_PX))
        costs = _measure_costs(finders, [*map(Path, pictures), *groups], bench.rounds, told)
        runs = [cost_row(path, pictures.get(path), times) for path, times in costs.items()]
        answers = {
            name: _look_at_all(finder, name, staged, bench.lfw, told) for name, finder in finders.items()
        }
    small = {name: _look_for_small_faces(name, staged, told) for name in (OURS, "mtcnn")}
    told("where our time goes", 0)
    with detector_process("limits", DetectorLimits, "--min-face-px", str(MIN_FACE_PX)) as detector:
        limits = detector.ask([path for path, times in costs.items() if is_few_faces_at_720p(path, times)])
    summary = ratios(costs) | agreements(answers, small, staged) | limits_in_words(limits)
    return runs, {"detectors": table(costs, answers, staged)} | summary


def pictures_in_all(bench: DetectBench) -> int:
    """Return how many times a picture will be looked at, for a bar that shows progress."""
    staged = known_faces()
    faces = sum(map(len, staged.values()))
    timed = 12 + len(staged.get("verified_groups", []))
    agreement = faces + len(lfw_pictures(bench.lfw))
    return len(FINDERS) * ((bench.rounds + 1) * timed + agreement) + 2 * faces


def _at_720p(known: Iterable[KnownPicture], folder: Path) -> list[Path]:
    """Write the group photos as a 720p camera would send them; returns their paths."""
    paths = []
    for picture in known:
        image = cv2.imread(str(picture.path))
        path = folder / f"group-{picture.path.stem}.png"
        cv2.imwrite(str(path), cv2.resize(image, SIZES_WH["720p"], interpolation=cv2.INTER_AREA))
        paths.append(path)
    return paths


def _look_for_small_faces(
    name: str, staged: Mapping[str, Sequence[KnownPicture]], told: Told
) -> dict[Path, FacesFound]:
    if not staged:
        return {}
    with face_finder(name, min_face_px=SMALL_FACE_PX) as finder:
        return _look_at_all(finder, f"{name}, small faces", staged, 0, told)


def _measure_costs(
    finders: Mapping[str, Finder], pictures: Sequence[Path], rounds: int, told: Told
) -> dict[str, Times]:
    times = {str(path): Times(defaultdict(list), {}) for path in pictures}
    for number in range(rounds + 1):
        for name, finder in finders.items():
            told(f"round {number} of {rounds}: {name}" if number else f"warming up: {name}", 0)
            for path in pictures:
                found = finder.ask(str(path))
                told("", 1)
                if number and found.cpu_ms is not None:
                    times[str(path)].cpu_ms[name].append(found.cpu_ms)
                    times[str(path)].faces[name] = len(found.scores)
    return times


def _look_at_all(
    finder: Finder, name: str, staged: Mapping[str, Sequence[KnownPicture]], lfw: int, told: Told
) -> dict[Path, FacesFound]:
    """Return what a detector finds in every picture that is there to compare."""
    told(f"agreement: {name}", 0)
    paths = [picture.path for known in staged.values() for picture in known]
    answers = {}
    for path in [*paths, *lfw_pictures(lfw)]:
        answers[path] = finder.ask(str(path))
        told("", 1)
    return answers
