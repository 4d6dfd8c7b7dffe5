"""The figures of ``mien bench detect``: what is made of times and answers."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien.bench.face_agreement import Agreement, Score, has_face_in_the_middle, median_or_none, share
from mien.bench.face_finders import FINDERS, OURS, PEERS, label
from mien.bench.group_pictures import SIZES_WH
from mien.bench.staged_faces import MATCH_OVERLAP, NEGATIVES, KnownPicture
from mien.contracts.detector_limits import DetectorLimits
from mien.contracts.find_faces import FacesFound

MIN_FACE_PX: Final = 40
_MOST_FACES: Final = 7  # of a picture that counts for the ratios: what a camera sees


@dataclass
class Times:
    """Of one picture: the CPU time of each detector, one per round, and how many faces it found."""

    cpu_ms: defaultdict[str, list[float]]
    faces: dict[str, int]

    def median_ms(self, name: str) -> float:
        return statistics.median(self.cpu_ms[name])

    def ratios_to_ours(self, name: str) -> list[float]:
        return [theirs / ours for theirs, ours in zip(self.cpu_ms[name], self.cpu_ms[OURS], strict=True)]


def cost_row(path: str, key: tuple[str, int] | None, times: Times) -> dict[str, Any]:
    size, faces = key or ("720p", times.faces["mtcnn"])
    return {
        "picture": Path(path).stem if key else "group photo",
        "size": size,
        "faces": faces,
        "cpu_ms": {name: round(times.median_ms(name), 2) for name in FINDERS},
        "faces_found": times.faces,
        "ratio_to_ours": {name: round(statistics.median(times.ratios_to_ours(name)), 2) for name in PEERS},
    }


def is_few_faces_at_720p(path: str, times: Times) -> bool:
    """Whether a picture counts for the ratios: 720p, with as many faces as a camera sees."""
    is_720p = Path(path).name.startswith(("720p", "group"))
    return is_720p and 1 <= times.faces["mtcnn"] <= _MOST_FACES


def ratios(costs: Mapping[str, Times]) -> dict[str, Any]:
    """Return how much more CPU the others spend on 720p with a few faces: median and quartiles of pairs."""
    chosen = [times for path, times in costs.items() if is_few_faces_at_720p(path, times)]
    medians, quartiles = {}, {}
    for name in PEERS:
        pairs = [ratio for times in chosen for ratio in times.ratios_to_ours(name)]
        low, middle, high = np.percentile(pairs, [25, 50, 75])
        medians[f"cpu_ratio_to_{name}_720p"] = round(float(middle), 2)
        quartiles[name] = f"{low:.1f} to {high:.1f}"
    return medians | {"cpu_ratio_quartiles": quartiles, "pictures_720p_1_to_7_faces": len(chosen)}


def agreements(
    answers: Mapping[str, Mapping[Path, FacesFound]],
    small: Mapping[str, Mapping[Path, FacesFound]],
    staged: Mapping[str, Sequence[KnownPicture]],
) -> dict[str, Any]:
    """Return what we find of the mtcnn package's faces, and both of what is there; None without the data."""
    at_40, at_20 = _compare(answers), _compare(small)
    scores = {name: _score(answers[name], staged, "verified_groups") for name in (OURS, "mtcnn")}
    false = {name: _false_faces(answers[name], staged) for name in (OURS, "mtcnn")}
    return {
        "share_of_mtcnn_faces_found": share(at_40.found, at_40.theirs),
        "share_of_mtcnn_faces_found_closely": share(at_40.found_closely, at_40.theirs),
        "share_of_mtcnn_faces_found_min_face_20": share(at_20.found, at_20.theirs),
        "mtcnn_faces_compared": at_40.theirs,
        "faces_mtcnn_does_not_find": at_40.extra,
        "landmark_distance_px_p50": median_or_none(at_40.landmark_distances_px),
        "recall_verified_groups": share(scores[OURS].recalled, scores[OURS].known),
        "recall_verified_groups_mtcnn": share(scores["mtcnn"].recalled, scores["mtcnn"].known),
        "false_faces_on_negatives": false[OURS],
        "false_faces_on_negatives_mtcnn": false["mtcnn"],
    }


def limits_in_words(limits: DetectorLimits) -> dict[str, Any]:
    """Return where our time goes, and how close the networks come to what the engine can do."""
    peak = limits.peak_gflop_per_second
    frame_ms = sum(limits.stage_ms.values())
    network_ms = sum(limits.stage_ms[network] for network in limits.network_gflop)
    achieved = sum(limits.network_gflop.values()) / network_ms * 1e3
    stages = [
        {
            "stage": stage,
            "CPU ms": round(spent, 2),
            "share of the frame": round(spent / frame_ms, 3),
            "GFLOP": _rounded(limits.network_gflop.get(stage), 3),
            "share of the engine's peak": _rounded(limits.network_gflop_per_second.get(stage), 3, per=peak),
        }
        for stage, spent in sorted(limits.stage_ms.items(), key=lambda one: -one[1])
    ]
    return {
        "share_of_time_in_networks": round(network_ms / frame_ms, 3),
        "networks_share_of_engine_peak": round(achieved / peak, 3),
        "engine_peak_gflop_per_second": round(peak),
        "precision": limits.precision,
        "network_ms_by_frames_at_once": {
            str(count): round(spent, 2) for count, spent in limits.network_ms_by_frames_at_once.items()
        },
        "stages": stages,
    }


def _rounded(value: float | None, digits: int, *, per: float = 1) -> float | None:
    return None if value is None else round(value / per, digits)


def _compare(answers: Mapping[str, Mapping[Path, FacesFound]]) -> Agreement:
    agreement = Agreement()
    for path, theirs in answers["mtcnn"].items():
        agreement.add(answers[OURS][path], theirs)
    return agreement


def _score(
    answers: Mapping[Path, FacesFound], staged: Mapping[str, Sequence[KnownPicture]], *sets: str
) -> Score:
    score = Score()
    for name in sets:
        for picture in staged.get(name, []):
            score.add(
                answers[picture.path],
                picture.boxes_xyxy,
                min_overlap=MATCH_OVERLAP[name],
                min_face_px=MIN_FACE_PX,
            )
    return score


def _false_faces(
    answers: Mapping[Path, FacesFound], staged: Mapping[str, Sequence[KnownPicture]]
) -> int | None:
    """Return how many faces are found where there are none; None without such pictures."""
    pictures = staged.get(NEGATIVES)
    return sum(len(answers[picture.path].scores) for picture in pictures) if pictures else None


def table(
    costs: Mapping[str, Times],
    answers: Mapping[str, Mapping[Path, FacesFound]],
    staged: Mapping[str, Sequence[KnownPicture]],
) -> list[dict[str, Any]]:
    """Return a row for each detector, made for reading."""
    rows = []
    for name in FINDERS:
        by_size = {
            size: statistics.median(
                times.median_ms(name) for path, times in costs.items() if Path(path).name.startswith(size)
            )
            for size in SIZES_WH
        }
        score = _score(answers[name], staged, *MATCH_OVERLAP)
        portraits = [found for path, found in answers[name].items() if "lfw" in path.parts]
        row: dict[str, Any] = {"detector": label(name)}
        row |= {f"CPU ms {size}": round(value, 1) for size, value in by_size.items()}
        row |= {
            "frames/s per core 720p": round(1000 / by_size["720p"], 1),
            "recall": share(score.recalled, score.known),
            "precision": share(score.right, score.found),
            "recall LFW": share(sum(map(has_face_in_the_middle, portraits)), len(portraits)),
            "false faces": _false_faces(answers[name], staged),
        }
        rows.append(row)
    return rows
