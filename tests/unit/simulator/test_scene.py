"""One scene in two streams: the same pictures, under the same clock."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray
from typer.testing import CliRunner

from mien.cli import build_app
from mien.simulator import clock_strip
from mien.simulator.scene import Scene


@pytest.fixture
def still(tmp_path: Path) -> Path:
    """A picture that is dark on the left and bright on the right."""
    image = np.repeat(np.linspace(20, 230, 640).astype(np.uint8)[None, :, None], 360, axis=0)
    path = tmp_path / "still.jpg"
    path.write_bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(np.repeat(image, 3, axis=2))))
    return path


def luma(jpeg: bytes | None) -> NDArray[np.uint8]:
    assert jpeg is not None
    return np.asarray(simplejpeg.decode_jpeg(jpeg, colorspace="GRAY"), dtype=np.uint8)[..., 0]


def test_both_streams_show_one_moment_in_their_own_size(still: Path) -> None:
    """Until the scene goes on, each stream shows the same picture and clock, and says when it was taken."""
    scene = Scene(still, {"sub": (640, 360), "main": (1280, 720)})
    for _ in range(2):
        scene.advance()
        sub, main = (stream.source.next(with_jpeg=True) for stream in scene.streams)
        small, large = luma(sub.jpeg), luma(main.jpeg)
        assert (small.shape, large.shape) == ((360, 640), (720, 1280))
        assert sub.taken_at == main.taken_at == scene.taken_at
        assert clock_strip.read(small) == clock_strip.read(large) == int(scene.taken_at * 1000) % 2**32
        same = cv2.resize(large, (640, 360), interpolation=cv2.INTER_AREA)
        assert np.abs(small[32:].astype(int) - same[32:]).mean() < 3


def test_each_stream_begins_with_a_keyframe(still: Path) -> None:
    """What was encoded to learn the parameter sets is not part of the stream."""
    scene = Scene(still, {"sub": (640, 360), "main": (1280, 720)})
    for stream in scene.streams:
        shown = [stream.source.next(with_jpeg=False) for _ in range(2)]
        assert [one.unit.is_keyframe for one in shown] == [True, False]


@pytest.mark.parametrize("options", [["--main-width", "1280"], ["--main-width", "1000", "--barcode"]])
def test_a_main_width_that_can_not_be_is_told(still: Path, options: list[str]) -> None:
    """Without the clock there is no common moment, and its blocks need a width that they fit into."""
    arguments = ["camera-simulator", str(still), "--port", "0", *options]
    result = CliRunner().invoke(build_app(arguments), arguments)
    assert result.exit_code == 1
    assert "multiple of 160" in result.output
