"""What an HTTP client of a simulated camera is given."""

from mien.simulator.camera import Shown
from mien.simulator.clips import AccessUnit
from mien.simulator.http import JpegViewer


def picture(number: int) -> Shown:
    return Shown(AccessUnit((), is_keyframe=True), b"%d" % number)


async def test_a_slow_client_gets_the_newest_picture() -> None:
    viewer = JpegViewer()
    viewer.show(picture(1), 0)
    viewer.show(picture(2), 0)
    assert await viewer.take() == b"2"


async def test_the_end_of_a_stream_is_not_overtaken_by_a_picture() -> None:
    viewer = JpegViewer()
    viewer.disconnect()
    viewer.show(picture(1), 0)
    assert await viewer.take() is None
