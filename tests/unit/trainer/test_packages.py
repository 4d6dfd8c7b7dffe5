"""What a training needs is what the extra of the same name installs."""

import re
import tomllib
from pathlib import Path

from services.trainer.main import TRAINING_PACKAGES, missing_packages

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


def test_the_packages_are_those_of_the_extra() -> None:
    extras = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    assert {re.split("[=<>]", wanted)[0] for wanted in extras["train"]} == set(TRAINING_PACKAGES)


def test_packages_that_are_there_are_not_missing() -> None:
    """The tests run where everything is installed."""
    assert missing_packages() == []
