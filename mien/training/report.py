"""The page about a training, for people; what stands on it is in ``result.json`` too."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mien.report.page import picture, write_page


def write_training_report(
    folder: Path, result: Mapping[str, Any], pictures: Mapping[str, Path], mistaken: Mapping[str, Path]
) -> Path:
    """Write ``report.html`` of an identity classifier into its job's folder; returns the page's path.

    Args:
        result: As :mod:`mien.training.identity` makes it.
        pictures: Drawings by name: curves, confusion and, if strangers were measured, open_set.
        mistaken: Pictures of the faces that were named wrongly, by their id.
    """
    return _write(folder, "training.html", "Identity classifier", result, pictures, mistaken)


def write_emotion_report(
    folder: Path, result: Mapping[str, Any], pictures: Mapping[str, Path], mistaken: Mapping[int, Path]
) -> Path:
    """Write ``report.html`` of an emotion network into its job's folder; returns the page's path.

    Args:
        result: As :mod:`mien.training.emotion` makes it.
        pictures: Drawings by name: curves, confusion, reliability and risk_coverage.
        mistaken: Faces that were read wrongly, by their row in the test part.
    """
    return _write(folder, "emotion.html", "Emotion network", result, pictures, mistaken)


def _write(
    folder: Path,
    template: str,
    title: str,
    result: Mapping[str, Any],
    pictures: Mapping[str, Path],
    mistaken: Mapping[str, Path] | Mapping[int, Path],
) -> Path:
    path = folder / "report.html"
    write_page(
        path,
        template,
        title=title + (f", version {result['version']}" if result["version"] else ""),
        result=result,
        pictures={name: picture(file) for name, file in pictures.items()},
        mistaken={key: picture(file) for key, file in mistaken.items()},
        when=datetime.fromisoformat(result["when"]).strftime("%d %B %Y, %H:%M UTC"),
    )
    return path
