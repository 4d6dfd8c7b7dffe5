"""What tests of the recognizer share."""

import pytest

from tests.unit.recognizer.bench import Bench


@pytest.fixture
def bench() -> Bench:
    """A recognizer with nobody enrolled."""
    return Bench()
