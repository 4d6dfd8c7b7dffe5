"""Every photo is used or set aside with its reason; nothing is lost, and everything can be undone."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import mien.dataset.prepare as module
from mien.commands.dataset import app
from mien.contracts.find_faces import FacesFound
from mien.contracts.models import FACE_EMBEDDER
from mien.dataset.manifest import Dataset, aligned_path, crop_path, read_dataset
from mien.dataset.prepare import PrepareOptions, prepare, restore, set_aside
from mien.dataset.report import summarise, write_report
from mien.errors import PermanentError
from tests.unit.dataset.faces import found, picture

RUN = CliRunner()


def write(path: Path, image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six photos; a stand-in for the detector finds as many faces as the number in a name says."""

    def fake(paths: Iterable[Path], *, min_face_px: int) -> Iterator[FacesFound]:
        del min_face_px
        for path in paths:
            if cv2.imread(str(path)) is None:
                yield FacesFound(path=str(path), error="expected a picture, got 4 bytes that don't decode")
            else:
                yield found(str(path), faces=int(path.stem[-1]))

    monkeypatch.setattr(module, "find_faces", fake)
    folder = tmp_path / "photos"
    write(folder / "Ada_Lovelace-happy-1.png", picture(1))
    write(folder / "Bob_Ross-sad-1.png", picture(2))
    write(folder / "Bob_Ross-happy-1.png", picture(2))  # the same picture
    write(folder / "Bob_Ross-neutral-2.png", picture(3))  # two faces
    write(folder / "Cleo_Page-sad-0.png", picture(4))  # none
    write(folder / "holiday1.png", picture(5))  # of nobody
    (folder / "Ada_Lovelace-angry-1.jpg").write_bytes(b"oops")
    return folder


@pytest.fixture
def made(photos: Path, tmp_path: Path) -> tuple[Dataset, Path]:
    folder = tmp_path / "data"
    return prepare(photos, folder, PrepareOptions()), folder


def test_every_photo_is_used_or_set_aside_with_its_reason(made: tuple[Dataset, Path]) -> None:
    dataset, folder = made
    assert {face.photo: face.reason for face in dataset.faces} == {
        "Ada_Lovelace-happy-1.png": None,
        "Ada_Lovelace-angry-1.jpg": "unreadable",
        "Bob_Ross-happy-1.png": None,
        "Bob_Ross-sad-1.png": "duplicate",
        "Bob_Ross-neutral-2.png": "several",
        "Cleo_Page-sad-0.png": "no_face",
        "holiday1.png": "unnamed",
    }
    assert read_dataset(folder) == dataset
    for face in dataset.faces:
        assert crop_path(folder, face).is_file() == (face.reason != "unreadable")


def test_a_face_is_cut_out_and_aligned(made: tuple[Dataset, Path]) -> None:
    """The crop is the box's pixels; the aligned face has the size of the embedder's template."""
    dataset, folder = made
    face = dataset.used()[0]
    crop = cv2.imread(str(crop_path(folder, face)))
    assert crop is not None
    assert crop.shape == (128, 128, 3)  # the box from 16 to 144
    expected = cv2.cvtColor(picture(1), cv2.COLOR_RGB2BGR)[16:144, 16:144]
    assert (
        np.abs(crop.astype(int) - expected).mean() < 10
    )  # noise that JPEG smooths; one pixel off would be 16
    aligned = cv2.imread(str(aligned_path(folder, face, "face_embedder")))
    assert aligned is not None
    assert aligned.shape == (FACE_EMBEDDER.size, FACE_EMBEDDER.size, 3)


def test_what_was_set_aside_can_be_used_and_back(made: tuple[Dataset, Path]) -> None:
    dataset, folder = made
    face_id = "Bob_Ross/Bob_Ross-neutral-2"
    before = next(face for face in dataset.faces if face.face_id == face_id)
    dataset = restore(dataset, folder, [face_id])
    after = next(face for face in dataset.used() if face.face_id == face_id)
    assert aligned_path(folder, after, "face_embedder").is_file()
    assert not crop_path(folder, before).exists()
    dataset = set_aside(dataset, folder, [face_id])
    assert not aligned_path(folder, after, "face_embedder").exists()
    assert [face.reason for face in dataset.faces if face.face_id == face_id] == ["by_hand"]
    assert read_dataset(folder) == dataset


@pytest.mark.parametrize(
    ("face_id", "message"), [("Cleo_Page/Cleo_Page-sad-0", "no face"), ("nobody/x", "among those set aside")]
)
def test_what_cannot_be_restored_says_why(made: tuple[Dataset, Path], face_id: str, message: str) -> None:
    dataset, folder = made
    with pytest.raises(PermanentError, match=message):
        restore(dataset, folder, [face_id])


def test_a_folder_that_holds_something_is_left_alone(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").touch()
    with pytest.raises(PermanentError, match="expected an empty folder"):
        prepare(photos, tmp_path / "data", PrepareOptions())


def test_an_interrupted_run_leaves_no_half_data_set(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_face", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prepare(photos, tmp_path / "data", PrepareOptions())
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_files_of_one_name_in_two_folders_stay_apart(photos: Path, tmp_path: Path) -> None:
    write(photos / "Dan" / "a" / "photo1.png", picture(6))
    write(photos / "Dan" / "b" / "photo1.png", picture(7))
    dataset = prepare(photos, tmp_path / "data", PrepareOptions())
    assert len({face.face_id for face in dataset.used() if face.person == "Dan"}) == 2


def test_the_report_counts_and_explains(made: tuple[Dataset, Path]) -> None:
    dataset, folder = made
    page = write_report(dataset, folder).read_text()
    summary = summarise(dataset)
    assert (summary["photos"], summary["used"], summary["people"]) == (7, 2, 2)
    assert summary["people_without_a_face"] == ["Cleo Page"]
    for text in ("Ada Lovelace", "the same picture as Bob_Ross-happy-1.png", "2 faces of about one size"):
        assert text in page
    assert 'src="data:image/jpeg;base64,' in page
    report = json.loads((folder / "report.json").read_text())
    assert len(report["photos_set_aside"]) == 5
    assert {path.name for path in folder.glob("*.jpg")} == {"contact-sheet-1.jpg", "set-aside-sheet-1.jpg"}


def test_a_name_cannot_bring_markup_into_the_report(photos: Path, tmp_path: Path) -> None:
    write(photos / "<b>Eve<b>" / "x1.png", picture(8))
    dataset = prepare(photos, tmp_path / "data", PrepareOptions())
    assert "<b>Eve" not in write_report(dataset, tmp_path / "data").read_text()


def test_the_command_line_tells_what_came_and_what_comes_next(photos: Path, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    result = RUN.invoke(app, ["prepare", str(photos), data])
    assert result.exit_code == 0, result.output
    assert "2 of 7 photos are used, of 2 people" in result.output
    assert "mien dataset split" in result.output
    shown = RUN.invoke(app, ["show", data])
    assert "several faces" in shown.output
    restored = RUN.invoke(app, ["restore", data, "Bob_Ross/Bob_Ross-neutral-2"])
    assert "used again: 1" in restored.output
    failed = RUN.invoke(app, ["split", data])
    assert failed.exit_code == 1
    assert "nothing is left" in failed.output
    assert "Traceback" not in failed.output


def test_views_are_written_for_training_faces_alone(photos: Path, tmp_path: Path) -> None:
    for n in range(6):
        write(photos / "Ada_Lovelace" / f"p{n}-1.png", picture(20 + n))
    data = tmp_path / "data"
    for arguments in (
        ["prepare", str(photos), str(data)],
        ["split", str(data)],
        ["augment", str(data), "--copies", "2"],
    ):
        result = RUN.invoke(app, arguments)
        assert result.exit_code == 0, result.output
    training = json.loads((data / "split.json").read_text())["train"]
    assert len(list((data / "augmented").rglob("*.png"))) == 2 * len(training)
