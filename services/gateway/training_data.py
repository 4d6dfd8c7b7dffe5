"""What could be trained on, told before a training begins."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from mien.contracts.job_kinds import JobKind
from mien.contracts.photo_names import EMOTION_WORDS, PICTURE_SUFFIXES
from services.gateway.people import list_emotion_photos, list_people
from services.gateway.tables import Person
from services.gateway.training_schemas import DataGroup, DataSource

_LOOSE: Final = "not in a folder of their own"
_MOST_FILES: Final = 200_000
_MOST_FOLDERS: Final = 50


def people_to_train_on(session: Session, kind: JobKind) -> DataSource:
    """Return the people who may be recognised, with the photos that they are compared with."""
    groups = [
        DataGroup(
            name=person.name,
            person_id=person.person_id,
            pictures=person.template_count,
            is_enough=person.template_count >= kind.least_pictures,
        )
        for person in list_people(session, Person.active.is_(True))
    ]
    return _source(kind, "", "Everybody enrolled", groups, [], of="people", needs="usable photos")


def expressions_to_train_on(session: Session, kind: JobKind) -> DataSource:
    """Return the photos of enrolled people whose expression is known, by label; most are the coach's."""
    counts = Counter(photo.label for photo in list_emotion_photos(session))
    source = _source(
        kind, "", "What the enrolment coach collected", *_groups(counts, kind), of="labels", needs="pictures"
    )
    if source.is_ready:
        return source
    advice = "Enrol people at the webcam: the coach asks each for five expressions."
    return source.model_copy(update={"explanation": f"{source.explanation} {advice}"})


def folders_to_train_on(datasets: Path | None, kind: JobKind) -> list[DataSource]:
    """Return the folders of data sets by name, with the pictures under each label; looks at each file."""
    if datasets is None or not datasets.is_dir():
        return []
    folders = sorted(path for path in datasets.iterdir() if path.is_dir() and not path.name.startswith("."))
    return [
        _source(
            kind, folder.name, folder.name, *_groups(_labels_of(folder), kind), of="labels", needs="pictures"
        )
        for folder in folders[:_MOST_FOLDERS]
    ]


def _labels_of(folder: Path) -> Counter[str]:
    return Counter(_label(path) for path in _pictures(folder))


def _groups(counts: Mapping[str, int], kind: JobKind) -> tuple[list[DataGroup], list[DataGroup]]:
    """Return the labels that can be learnt, and those that the kind of training doesn't know."""
    learnt: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for word, count in counts.items():
        label = EMOTION_WORDS.get(word.lower()) if kind.trains_on == "expressions" else word
        if label is None:
            others[word] += count
        else:
            learnt[label] += count
    return (
        [
            DataGroup(name=label, pictures=count, is_enough=count >= kind.least_pictures)
            for label, count in sorted(learnt.items())
        ],
        [DataGroup(name=word, pictures=count, is_enough=False) for word, count in sorted(others.items())],
    )


def _pictures(folder: Path) -> Iterator[Path]:
    """Yield pictures relative to the folder; links are not followed."""
    looked_at = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            looked_at += 1
            if looked_at > _MOST_FILES:
                return
            if Path(name).suffix.lower() in PICTURE_SUFFIXES:
                yield (Path(parent) / name).relative_to(folder)


def _label(path: Path) -> str:
    """Return the label: the middle of ``First_Last-emotion-N.jpg``, else the outermost folder."""
    named = path.stem.rsplit("-", 2)
    if len(named) == 3 and named[2].isdecimal():
        return named[1]
    return path.parts[0] if len(path.parts) > 1 else _LOOSE


def _source(
    kind: JobKind,
    source: str,
    title: str,
    groups: list[DataGroup],
    not_learnt: list[DataGroup],
    *,
    of: str,
    needs: str,
) -> DataSource:
    enough = sum(group.is_enough for group in groups)
    is_ready = enough >= kind.least_groups
    explanation = (
        ""
        if is_ready
        else f"It takes {kind.least_groups} {of} with {kind.least_pictures} {needs} each; there are {enough}."
    )
    return DataSource(
        source=source,
        title=title,
        groups=groups,
        not_learnt=not_learnt,
        pictures=sum(group.pictures for group in groups),
        is_ready=is_ready,
        explanation=explanation,
    )
