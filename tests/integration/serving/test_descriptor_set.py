"""The messages that are committed are those of the official wheels."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


def test_descriptor_set_is_up_to_date() -> None:
    """The generator, run on the installed official wheels, writes the bytes that are committed."""
    if importlib.util.find_spec("tensorflow_serving") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("tensorflow-serving-api is not installed; CI must check the descriptor set")
        pytest.skip("tensorflow-serving-api is not installed: the descriptor set was NOT checked")
    code = """
import runpy, sys
sys.stdout.buffer.write(runpy.run_path("deploy/protos/generate.py")["descriptor_set_bytes"]())
"""
    generated = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, check=True
    ).stdout
    committed = (REPOSITORY / "mien" / "runtime" / "tensorflow_serving.desc").read_bytes()
    assert generated == committed, "run `python deploy/protos/generate.py` and commit the result"
