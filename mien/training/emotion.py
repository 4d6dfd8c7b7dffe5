"""Trains emotion networks: labelled faces of people → a new version of the served model, with a report."""

import platform
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import EMOTION_CLASSIFIER
from mien.dataset.split import PARTS, Part
from mien.training import emotion_figures as figures
from mien.training.dense_network import Epoch
from mien.training.emotion_data import EmotionData, EmotionOptions, class_weights
from mien.training.emotion_faces import RECIPE_FACES, AlignedFaces, align_pictures
from mien.training.emotion_pictures import leave_out_faceless, leave_out_unreadable
from mien.training.emotion_recipe import read_faces
from mien.training.emotion_strong import StrongSchedule, train_strong
from mien.training.emotion_student import (
    FaceSamples,
    StudentSchedule,
    probabilities,
    student_weights,
    train_student,
)
from mien.training.identity_figures import epoch_figures
from mien.training.job import Job, Tell
from mien.training.plots import draw_confusion, draw_curves, draw_reliability, draw_risk_coverage
from mien.training.report import write_emotion_report
from model_repo import labels, repository
from model_repo.emotion_classifier.strong import build_strong
from model_repo.emotion_classifier.student import build_student
from model_repo.saved_model import Model
from model_repo.sources import FACE_API, HUMAN

RIGHT: Final = 0.92
"""Share of the answers on validation people that must be right at the operating point."""
LEAST_COVERAGE: Final = 0.62
_PACKAGES: Final = ("keras", "numpy", "opencv-python-headless", "openvino", "scikit-learn", "tensorflow-cpu")
_MOST_MISTAKES: Final = 24
_TOLD_TIMES: Final = 100
_TINY: Final = 1e-7


@dataclass(frozen=True)
class _Trained:
    """A network that can be served.

    Attributes:
        logits: Of each part, float (N, labels).
    """

    epochs: list[Epoch]
    logits: Mapping[Part, NDArray[np.float32]]
    temperature: float
    model: Model


def train_emotion(options: EmotionOptions, job: Job, tell: Tell) -> dict[str, Any]:
    """Train, measure, publish and report; returns the result, which lies in the job's folder too.

    Raises:
        PermanentError: The data can't be used.
        LeakError: Somebody is in two parts.
    """
    data, aligned, unusable = _usable_faces(options, job, tell)
    samples = {
        part: FaceSamples(
            aligned[part].images_rgb,
            np.array([data.labels.index(face.label) for face in data.part(part)], np.int64),
        )
        for part in PARTS
    }

    def tell_epoch(epoch: Epoch) -> None:
        told = {key: value for key, value in asdict(epoch).items() if key not in {"number", "is_best"}}
        tell("training", epoch.number, options.epochs, **told)

    train = _train_student if options.network == "student" else _train_strong
    trained = train(options, data, samples, job, tell, tell_epoch)
    tell("training", len(trained.epochs), len(trained.epochs))  # it may have stopped early
    result = _result(options, data, aligned, samples, trained, job)
    result["data"] |= unusable
    published = _publish(job, options, data, trained) if options.publish else None
    result |= {
        "version": published[0] if published else None,
        "label": published[1] if published else None,
    }
    job.write_result(result)
    _write_report(job, data, samples, trained, result)
    return result


def _usable_faces(
    options: EmotionOptions, job: Job, tell: Tell
) -> tuple[EmotionData, dict[Part, AlignedFaces], dict[str, list[str]]]:
    """Return what can be learnt from, and the paths of the pictures that can't, by reason.

    The figures of the shipped network are told for all faces of its recipe, found or not.
    """
    data, unreadable = leave_out_unreadable(read_faces(options), partial(_tell_more, tell, "pictures"))
    cache = RECIPE_FACES if options.recipe else job.folder / "faces"
    aligned = _align(data, cache, tell)
    without_face: list[str] = []
    if not options.recipe:
        data, aligned, without_face = leave_out_faceless(data, aligned)
    return data, aligned, {"unreadable": unreadable, "without_face": without_face}


def _align(data: EmotionData, cache: Path, tell: Tell) -> dict[Part, AlignedFaces]:
    total = len(data.faces)
    aligned: dict[Part, AlignedFaces] = {}
    for part in PARTS:
        before = sum(len(faces.found) for faces in aligned.values())
        paths = [Path(face.path) for face in data.part(part)]

        def on_face(done: int, _of_part: int, before: int = before) -> None:
            _tell_more(tell, "faces", before + done, total)

        aligned[part] = align_pictures(paths, cache, on_face)
    return aligned


def _tell_more(tell: Tell, step: str, done: int, total: int) -> None:
    if done % max(total // _TOLD_TIMES, 1) == 0 or done == total:
        tell(step, done, total)


def _train_strong(
    options: EmotionOptions,
    data: EmotionData,
    samples: Mapping[Part, FaceSamples],
    job: Job,
    tell: Tell,
    tell_epoch: Callable[[Epoch], None],
) -> _Trained:
    schedule = StrongSchedule(
        options.epochs,
        options.patience,
        options.batch_size,
        options.learning_rate,
        options.copies,
        options.seed,
    )
    head, epochs, logits = train_strong(
        samples,
        class_weights(samples["train"].classes, len(data.labels)),
        schedule,
        model_repo=Path(options.model_repo),
        folder=job.folder,
        tell=tell,
        on_epoch=tell_epoch,
    )
    temperature = _temperature(logits, samples)
    head = replace(head, labels=tuple(data.labels), temperature=temperature)
    head.save(job.folder / "head.npz")
    packages = [repository.fetch_package(package, Path(options.model_repo)) for package in (FACE_API, HUMAN)]
    return _Trained(epochs, logits, temperature, build_strong(head, *packages))


def _train_student(
    options: EmotionOptions,
    data: EmotionData,
    samples: Mapping[Part, FaceSamples],
    job: Job,
    tell: Tell,
    tell_epoch: Callable[[Epoch], None],
) -> _Trained:
    tell("training", 0, options.epochs)
    schedule = StudentSchedule(options.epochs, options.patience, options.batch_size, options.learning_rate)
    network, epochs = train_student(
        samples["train"],
        samples["validation"],
        class_weights(samples["train"].classes, len(data.labels)),
        schedule,
        seed=options.seed,
        folder=job.folder,
        on_epoch=tell_epoch,
        on_step=partial(tell, "this epoch"),
    )
    logits: dict[Part, NDArray[np.float32]] = {
        part: np.log(np.maximum(probabilities(network, one.images_rgb), _TINY))
        for part, one in samples.items()
        if part != "train"
    }
    temperature = _temperature(logits, samples)
    model = build_student(student_weights(network), tuple(data.labels), temperature=temperature)
    return _Trained(epochs, logits, temperature, model)


def _temperature(logits: Mapping[Part, NDArray[np.float32]], samples: Mapping[Part, FaceSamples]) -> float:
    return figures.fit_temperature(logits["validation"], samples["validation"].classes)


def _result(
    options: EmotionOptions,
    data: EmotionData,
    aligned: Mapping[Part, AlignedFaces],
    samples: Mapping[Part, FaceSamples],
    trained: _Trained,
    job: Job,
) -> dict[str, Any]:
    said = {part: figures.softmax(one / trained.temperature) for part, one in trained.logits.items()}
    accept = figures.operating_point(
        said["validation"], samples["validation"].classes, right=RIGHT, least_coverage=LEAST_COVERAGE
    )
    test, classes = said["test"], samples["test"].classes
    point = figures.answers(test, classes, accept)
    rows = figures.class_rows(test, classes, data.labels)
    wrong = np.flatnonzero(test.argmax(axis=1) != classes)
    surest = wrong[np.argsort(-test[wrong].max(axis=1))][:_MOST_MISTAKES]
    return {
        "job_id": job.job_id,
        "folder": str(job.folder),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "network": options.network,
        "labels": data.labels,
        "temperature": round(trained.temperature, 4),
        "accept_probability": round(accept, 4),
        "test": {
            "faces": len(classes),
            "accuracy": float((test.argmax(axis=1) == classes).mean()),
            "macro_f1": float(np.mean([row["f1"] for row in rows])),
            "ece": figures.calibration_error(test, classes),
            "by_label": rows,
            "confusion": figures.confusion(test, classes, len(data.labels)).tolist(),
            "mistakes": [
                {
                    "row": int(row),
                    "is": data.labels[classes[row]],
                    "said": data.labels[int(test[row].argmax())],
                    "probability": float(test[row].max()),
                }
                for row in surest
            ],
        },
        "operating_point": {
            "accuracy": point.accuracy if point.coverage else None,
            "macro_f1": point.macro_f1 if point.coverage else None,
            "coverage": point.coverage,
            "coverage_by_label": {data.labels[one]: share for one, share in point.coverage_by_class.items()},
        },
        "epochs": epoch_figures(trained.epochs),
        "data": {
            "sources": [options.recipe] if options.recipe else options.data,
            "left_out": data.left_out,
            "without_person": data.without_person,
            "parts": {
                part: {
                    "faces": len(data.part(part)),
                    "people": len({face.person for face in data.part(part)}),
                    "not_found": int((~aligned[part].found).sum()),
                    **Counter(face.label for face in data.part(part)),
                }
                for part in PARTS
            },
        },
        "options": msgspec.to_builtins(options),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
    }


def _publish(job: Job, options: EmotionOptions, data: EmotionData, trained: _Trained) -> tuple[int, str]:
    root = Path(options.model_repo)
    faces = len(data.part("train"))
    source = f"trained here, job {job.job_id}, {options.network} network, {faces} faces"
    origin = {"source": source, "job": job.job_id}
    folder = repository.publish_next(trained.model, root, EMOTION_CLASSIFIER.name, origin=origin)
    with labels.locked(root):
        label = labels.label_new_version(root, EMOTION_CLASSIFIER.name, int(folder.name))
    return int(folder.name), label


def _write_report(
    job: Job,
    data: EmotionData,
    samples: Mapping[Part, FaceSamples],
    trained: _Trained,
    result: dict[str, Any],
) -> None:
    test = figures.softmax(trained.logits["test"] / trained.temperature)
    classes = samples["test"].classes
    pictures = {
        "curves": draw_curves(trained.epochs, job.folder),
        "confusion": draw_confusion(np.array(result["test"]["confusion"]), data.labels, job.folder),
        "reliability": draw_reliability(figures.reliability(test, classes), job.folder),
        "risk_coverage": draw_risk_coverage(
            {result["network"]: figures.risk_coverage(test, classes)}, job.folder
        ),
    }
    mistaken = {}
    for mistake in result["test"]["mistakes"]:
        row = mistake["row"]
        mistaken[row] = job.folder / "mistakes" / f"{row}.jpg"
        mistaken[row].parent.mkdir(exist_ok=True)
        cv2.imwrite(str(mistaken[row]), samples["test"].images_rgb[row][..., ::-1])
    write_emotion_report(job.folder, result, pictures, mistaken)
