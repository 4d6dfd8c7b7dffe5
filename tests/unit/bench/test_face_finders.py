"""Every peer can be started and named."""

import importlib.util

import pytest

from mien.bench.face_finders import PEERS, label
from mien.bench.peers import locked_version


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_has_a_module_that_answers_and_a_locked_version(name: str) -> None:
    module, package = PEERS[name]
    assert importlib.util.find_spec(module) is not None
    assert label(name).startswith(f"{package} {locked_version(name, package)}")


def test_a_package_that_is_not_locked_has_no_version() -> None:
    with pytest.raises(KeyError, match=r"mtcnn\.lock has no torch"):
        locked_version("mtcnn", "torch")
