"""What was found, missed and set aside: ``report.json`` for programs, ``report.html`` for people."""

from collections import Counter
from pathlib import Path
from typing import Any

from mien.dataset.contact_sheet import AMBER, GREEN, Thumbnail, write_contact_sheets
from mien.dataset.manifest import REASONS, Dataset, crop_path, write_json
from mien.report.page import picture, write_page


def summarise(dataset: Dataset) -> dict[str, Any]:
    """Return the counts of a data set, by reason, person and emotion."""
    used = dataset.used()
    aside = [face for face in dataset.faces if face.reason is not None]
    per_person = Counter(face.person for face in used)
    return {
        "photos": len(dataset.faces),
        "used": len(used),
        "people": len(per_person),
        "people_without_a_face": sorted(
            person.name for key, person in dataset.people.items() if not per_person[key]
        ),
        "set_aside": dict(Counter(face.reason for face in aside if face.reason).most_common()),
        "faces_per_person": {dataset.people[key].name: count for key, count in sorted(per_person.items())},
        "faces_per_emotion": dict(Counter(face.emotion for face in used if face.emotion).most_common()),
    }


def write_report(dataset: Dataset, folder: Path) -> Path:
    """Write both reports and the contact sheets into the data set's folder; returns the page's path."""
    summary = summarise(dataset)
    aside = [face for face in dataset.faces if face.reason is not None]
    write_json(
        folder / "report.json",
        summary
        | {
            "photos_set_aside": [
                {"photo": face.photo, "reason": face.reason, "explanation": face.explanation}
                for face in aside
            ]
        },
    )
    used_sheets = write_contact_sheets(
        folder,
        "contact-sheet",
        [
            Thumbnail(crop_path(folder, face), dataset.people[face.person].name, face.emotion or "", GREEN)
            for face in sorted(dataset.used(), key=lambda face: (face.person, face.name))
        ],
    )
    aside_sheets = write_contact_sheets(
        folder,
        "set-aside-sheet",
        [
            Thumbnail(crop_path(folder, face), face.name, REASONS[face.reason], AMBER)
            for face in aside
            if face.reason
        ],
    )
    path = folder / "report.html"
    write_page(
        path,
        "dataset.html",
        title=f"Faces of {Path(dataset.photos_folder).name}",
        dataset=dataset,
        summary=summary,
        reasons=REASONS,
        aside=aside,
        used_sheets=[picture(sheet) for sheet in used_sheets],
        aside_sheets=[picture(sheet) for sheet in aside_sheets],
    )
    return path
