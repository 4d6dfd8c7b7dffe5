"""A model repository of the test's own, and photos to train on."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.contracts.models import FACE_EMBEDDER
from mien.local.portraits import BIDEN, COLLINS, OBAMA_SMILING, OBAMA_SPEAKING, OBAMA_STANDING, read_rgb
from model_repo import repository
from model_repo.sources import DownloadError
from tests.faces import people
from tests.integration.models.conftest import skip_or_fail

_PORTRAITS = {
    "Barack_Obama": (OBAMA_SMILING, OBAMA_SPEAKING, OBAMA_STANDING),
    "Joe_Biden": (BIDEN,),
    "Eileen_Collins": (COLLINS,),
}
_PHOTOS = 9


@pytest.fixture(scope="session")
def embedder_folder() -> Path:
    """The built default embedder."""
    recipe = next(recipe for recipe in repository.RECIPES if recipe.name == FACE_EMBEDDER.name)
    try:
        repository.build(recipe, repository.ROOT, on_step=lambda _: None)
    except DownloadError as error:
        skip_or_fail(f"the embedder can't be built here: {error}")
    return recipe.folder(repository.ROOT)


@pytest.fixture
def repo(tmp_path: Path, embedder_folder: Path) -> Path:
    """A model repository that holds the embedder and nothing else."""
    root = tmp_path / "model_repo"
    folder = root / FACE_EMBEDDER.name / embedder_folder.name
    folder.parent.mkdir(parents=True)
    folder.symlink_to(embedder_folder)
    return root


@pytest.fixture
def portraits(tmp_path: Path) -> Path:
    """Photos named as a student would, of three people: the demo's portraits, each seen in several ways.

    Views of one portrait share the face, so this says that the road works, and nothing about accuracy.
    """
    folder = tmp_path / "photos"
    folder.mkdir()
    generator = np.random.default_rng(7)
    for person, portraits in _PORTRAITS.items():
        for number in range(_PHOTOS):
            portrait = portraits[number % len(portraits)]
            left, top, right, bottom = portrait.face_xyxy
            image = read_rgb(portrait)
            centre, side = ((left + right) / 2, (top + bottom) / 2), max(right - left, bottom - top)
            matrix = cv2.getRotationMatrix2D(
                centre, generator.uniform(-24, 24), 120 / side * generator.uniform(0.8, 1.2)
            )
            matrix[:, 2] += 160 - np.array(centre)
            view = cv2.warpAffine(image, matrix, (320, 320), borderMode=cv2.BORDER_REFLECT_101)
            light = np.linspace(generator.uniform(0.5, 1.3), generator.uniform(0.5, 1.3), 320)[None, :, None]
            view = np.clip(view * light, 0, 255).astype(np.uint8)
            if number % 2:
                view = np.ascontiguousarray(view[:, ::-1])
            path = folder / f"{person}-happy-{number + 1}.jpg"
            cv2.imwrite(str(path), cv2.cvtColor(view, cv2.COLOR_RGB2BGR))
    return folder


@pytest.fixture
def lfw_photos(tmp_path: Path) -> Path:
    """Twelve photos each of the eighteen people of LFW's gallery who have most; skips without the data."""
    folder = tmp_path / "photos"
    by_count = sorted(people().items(), key=lambda item: -sum(map(len, item[1].values())))
    for person, roles in by_count[:18]:
        (folder / person).mkdir(parents=True)
        for path in [*roles["enroll"], *roles["probe"]][:12]:
            (folder / person / path.name).symlink_to(path.resolve())
    return folder
