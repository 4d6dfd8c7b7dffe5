"""The burned-in clock survives what happens to a picture between camera and screen."""

import cv2
import numpy as np
import pytest
import simplejpeg

from mien.simulator import clock_strip

NOW_MS = 1_795_482_453_813


def noisy_picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (360, 640), dtype=np.uint8)


@pytest.mark.parametrize("unix_ms", [NOW_MS, 0, 2**32 - 1, 0xAAAAAAAA, 0x55555555])
def test_the_clock_reads_back_through_a_jpeg(unix_ms: int) -> None:
    """What was drawn is read again from a quality 80 JPEG."""
    luma = noisy_picture()
    clock_strip.draw(luma, unix_ms)
    jpeg = simplejpeg.encode_jpeg(luma[..., None], quality=80, colorspace="GRAY")
    decoded = simplejpeg.decode_jpeg(jpeg, colorspace="GRAY")[..., 0]
    assert clock_strip.read(decoded) == unix_ms % 2**32


def test_the_clock_survives_scaling() -> None:
    """A picture drawn larger or smaller than it was sent can still be read."""
    luma = noisy_picture()
    clock_strip.draw(luma, NOW_MS)
    for width in (320, 480, 960, 1280):
        scaled = cv2.resize(luma, (width, width * 9 // 16), interpolation=cv2.INTER_AREA)
        assert clock_strip.read(np.asarray(scaled, dtype=np.uint8)) == NOW_MS % 2**32


def test_a_picture_without_a_clock_reads_as_none() -> None:
    """Neither noise, nor black, nor a damaged strip is taken for a time."""
    assert clock_strip.read(noisy_picture()) is None
    assert clock_strip.read(np.zeros((360, 640), dtype=np.uint8)) is None
    assert clock_strip.read(np.zeros((2, 2), dtype=np.uint8)) is None
    damaged = noisy_picture()
    clock_strip.draw(damaged, NOW_MS)
    damaged[:16, 5 * 16 : 6 * 16] = 255 - damaged[:16, 5 * 16 : 6 * 16]
    assert clock_strip.read(damaged) is None


def test_a_width_that_does_not_fit_is_refused() -> None:
    """Blocks of unequal width would drift from the layout."""
    with pytest.raises(ValueError, match="multiple of 40"):
        clock_strip.draw(np.zeros((360, 650), dtype=np.uint8), NOW_MS)


def test_age_crosses_the_wrap_of_the_clock() -> None:
    """The difference is right on both sides of 2^32 milliseconds, and negative for clocks ahead."""
    assert clock_strip.age_ms(2**32 - 10, 2**32 + 15) == 25
    assert clock_strip.age_ms(NOW_MS % 2**32, NOW_MS + 70) == 70
    assert clock_strip.age_ms((NOW_MS + 5) % 2**32, NOW_MS) == -5
