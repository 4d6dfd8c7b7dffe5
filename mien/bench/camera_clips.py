"""Clips as cameras encode them, in the sizes and codecs that ingest is measured with."""

from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from mien.bench.portraits import write_bench_clips
from mien.simulator.clips import FPS, GOP, Codec, read_pictures

# Of typical cameras at 15 pictures a second; without noise encoders would need a fraction of it.
_BITS_PER_SECOND: Final[dict[tuple[Codec, int], int]] = {
    ("h264", 1280): 2_000_000,
    ("hevc", 1280): 1_200_000,
    ("h264", 640): 700_000,
}
_ENCODERS: Final[dict[Codec, str]] = {"h264": "libx264", "hevc": "libx265"}
_NOISE_SIGMA: Final = 3.0


def write_camera_clip(
    folder: Path, codec: Codec, size_wh: tuple[int, int], *, seconds: float = 10, gop: int = GOP
) -> Path:
    """Write people who move, with sensor noise, at a camera's bit rate, a keyframe every *gop* pictures."""
    (people,) = write_bench_clips(folder, 1, seconds=seconds)
    path = folder / (f"{codec}-{size_wh[0]}.mp4" if gop == GOP else f"{codec}-{size_wh[0]}-{gop}.mp4")
    generator = np.random.default_rng(7)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(_ENCODERS[codec], rate=FPS, options=_encoder_options(codec, gop))
        stream.width, stream.height, stream.pix_fmt = *size_wh, "yuv420p"
        stream.bit_rate = _BITS_PER_SECOND[codec, size_wh[0]]
        stream.codec_context.thread_count = 1
        for picture in read_pictures(people, size_wh=size_wh):
            planes = picture.to_ndarray(format="yuv420p")
            luma = planes[: size_wh[1]]
            luma[:] = np.clip(luma + generator.normal(0, _NOISE_SIGMA, luma.shape), 0, 255)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode())
    people.unlink()
    return path


def _encoder_options(codec: Codec, gop: int) -> dict[str, Any]:
    if codec == "h264":
        return {"preset": "veryfast", "bf": "0", "g": str(gop), "sc_threshold": "0", "profile": "main"}
    parameters = f"bframes=0:keyint={gop}:min-keyint={gop}:scenecut=0:log-level=none"
    return {"preset": "ultrafast", "x265-params": parameters}
