"""Pictures become vectors through the detector's process and a real model server, and are remembered."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.contracts.models import EMBEDDERS, FACE_EMBEDDER_FUSED, SERVED_EMBEDDERS
from mien.evaluate.identity import embeddings
from mien.evaluate.identity.embeddings import Face, Vectors, combined, embed_faces, labelled_faces
from mien.local.model_server import ModelServerError, running_model_server
from mien.local.portraits import BIDEN, OBAMA_SMILING, OBAMA_SPEAKING, Portrait
from mien.runtime.serving import ServingClient
from model_repo import repository
from tests.stack import cannot_run

PORTRAITS = {"smiling": OBAMA_SMILING, "speaking": OBAMA_SPEAKING, "biden": BIDEN}


def write_portrait(portrait: Portrait, path: Path) -> Path:
    path.write_bytes(portrait.read_bytes())
    return path


@pytest.fixture
def faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Face]:
    """The faces of three portraits and of a picture without one."""
    monkeypatch.setattr(embeddings, "CACHE", tmp_path / "cache")
    paths = [write_portrait(portrait, tmp_path / f"{name}.jpg") for name, portrait in PORTRAITS.items()]
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((200, 200, 3), 127, np.uint8))
    return labelled_faces([*paths, blank], min_faces_px=(40, 20), on_progress=lambda more: None)


async def test_portraits_of_one_person_are_nearer_than_those_of_two(
    faces: list[Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By every embedder of ours; the second time nobody is asked."""
    if not all((repository.ROOT / one.name / "1" / "saved_model.pb").exists() for one in SERVED_EMBEDDERS):
        cannot_run("the embedders are not built: run `mien models build`")
    assert [Path(face.path).stem for face in faces] == list(PORTRAITS)
    by_model: dict[str, Vectors] = {}
    async with running_model_server(repository.ROOT) as server, ServingClient(server.address) as serving:
        for model in SERVED_EMBEDDERS:
            for client in (serving, None):
                by_model[model.name] = await embed_faces(
                    faces,
                    model,
                    client,  # type: ignore[arg-type]
                    version=1,
                    model_sha256="as it is today",
                    on_progress=lambda more: None,
                )
    smiling, speaking, biden = (Path(face.path) for face in faces)
    for embedder in EMBEDDERS.values():
        vectors = combined(embedder, faces, by_model)
        a, b, other = vectors.of([smiling, speaking, biden])
        assert a @ b > embedder.accept_similarity - 0.1
        assert a @ b > a @ other + 0.05
        assert smiling.with_name("blank.png") not in vectors
    assert combined(FACE_EMBEDDER_FUSED, faces, by_model).of([biden]).shape == (1, 1152)


async def test_a_model_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    """Its own last words are in the error."""
    with pytest.raises(ModelServerError, match="MAX_BATCH_SIZE"):
        async with running_model_server(tmp_path, {"MAX_BATCH_SIZE": "many"}):
            pass
