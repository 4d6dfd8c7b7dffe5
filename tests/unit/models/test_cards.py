"""Every model has a card that agrees with the code."""

import pytest

from model_repo import repository
from model_repo.repository import ROOT, Recipe

HOSTED = [recipe.name for recipe in repository.RECIPES]


@pytest.mark.parametrize("recipe", repository.RECIPES, ids=lambda recipe: recipe.name)
def test_a_card_names_the_package_that_is_fetched(recipe: Recipe) -> None:
    """Package, version and checksum in the card are the ones in the code."""
    card = (ROOT / recipe.name / "README.md").read_text()
    assert f"{recipe.package.registry} `{recipe.package.name}` {recipe.package.version}" in card
    assert recipe.package.sha256 in card


@pytest.mark.parametrize(
    "name",
    [*HOSTED, "face_embedder_fused", "face_embedder_vggface", "face_detector", "identity_classifier"],
)
def test_a_card_says_what_a_reader_must_know(name: str) -> None:
    """Licence, training data, what was measured and what the model can't do are never left out."""
    card = (ROOT / name / "README.md").read_text()
    for part in ("| licence |", "| trained on |", "## Measured", "## Limits"):
        assert part in card


@pytest.mark.parametrize("recipe", repository.RECIPES, ids=lambda recipe: recipe.name)
def test_notice_names_every_package(recipe: Recipe) -> None:
    """Whose weights we convert is acknowledged."""
    notice = (ROOT.parent / "NOTICE").read_text()
    assert f"{recipe.package.name} {recipe.package.version}" in notice
