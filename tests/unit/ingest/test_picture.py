"""Pictures as JPEGs: the camera's own bytes where possible, else straight from YUV."""

import av
import numpy as np
import pytest
import simplejpeg

from services.ingest.picture import DamagedPictureError, DecodedPicture, JpegPicture, fit_width


def gradient_rgb(width: int, height: int) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(0, 255, width).astype(np.uint8)
    image[..., 1] = np.linspace(0, 255, height).astype(np.uint8)[:, None]
    image[..., 2] = 60
    return image


def decoded(width: int, height: int, pixel_format: str = "yuv420p") -> DecodedPicture:
    frame = av.VideoFrame.from_ndarray(gradient_rgb(width, height), format="rgb24").reformat(
        format=pixel_format
    )
    return DecodedPicture(frame, 0.0, 0)


def camera_jpeg(width: int, height: int) -> JpegPicture:
    jpeg = simplejpeg.encode_jpeg(gradient_rgb(width, height), quality=90)
    return JpegPicture(jpeg, 0.0, 0, (width, height))


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv422p", "nv12", "yuv420p10le"])
def test_colours_survive_the_road_from_yuv_to_jpeg(pixel_format: str) -> None:
    """Whatever the decoder gives, the JPEG shows the picture, in full range and right colours."""
    jpeg, size_wh = decoded(640, 360, pixel_format).to_jpeg(max_width_px=640, quality=90)
    assert size_wh == (640, 360)
    difference = simplejpeg.decode_jpeg(jpeg).astype(int) - gradient_rgb(640, 360)
    assert np.abs(difference).mean() < 4


def test_wide_pictures_are_scaled_and_odd_sizes_made_even() -> None:
    """No frame is wider than asked; 4:2:0 needs even numbers."""
    jpeg, size_wh = decoded(1280, 721).to_jpeg(max_width_px=640, quality=80)
    assert size_wh == (640, 360)
    assert simplejpeg.decode_jpeg_header(jpeg)[:2] == (360, 640)
    assert fit_width((481, 271), 640) == (480, 270)
    assert fit_width((320, 240), 640) == (320, 240)


def test_luma_is_an_eighth_of_the_picture() -> None:
    """Motion is measured on few samples, whether the picture was decoded or came as a JPEG."""
    assert decoded(640, 360).coarse_luma().shape == (45, 80)
    assert decoded(1280, 720, "nv12").coarse_luma().shape == (90, 160)
    assert camera_jpeg(640, 360).coarse_luma().shape == (45, 80)


def test_a_cameras_own_jpeg_is_passed_on_untouched() -> None:
    """Its bytes are identical, unless they are wider than asked."""
    picture = camera_jpeg(640, 360)
    assert picture.to_jpeg(max_width_px=640, quality=80) == (picture.jpeg, (640, 360))
    jpeg, size_wh = camera_jpeg(1920, 1080).to_jpeg(max_width_px=1280, quality=90)
    assert size_wh == (1280, 720)
    assert np.abs(simplejpeg.decode_jpeg(jpeg).astype(int) - gradient_rgb(1280, 720)).mean() < 4


def test_a_damaged_jpeg_is_told() -> None:
    """A JPEG that ends in the middle is an error of its own kind, not a grey picture."""
    whole = camera_jpeg(640, 360)
    half = JpegPicture(whole.jpeg[: len(whole.jpeg) // 2], 0.0, 0, (640, 360))
    with pytest.raises(DamagedPictureError):
        half.coarse_luma()
