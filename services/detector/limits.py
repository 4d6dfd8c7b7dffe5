"""Where the detector's time goes, and what is possible: ``python -m services.detector.limits``.

Reads lists of picture files, a JSON list of paths per line; answers each with a ``DetectorLimits`` of
:mod:`mien.contracts.detector_limits`. The pictures must be of one size.
"""

import argparse
import math
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.contracts.detector_limits import DetectorLimits
from mien.runtime.quiet_openvino import openvino as ov
from mien.runtime.quiet_openvino import opset13 as ops
from services.detector import mtcnn
from services.detector.mtcnn import MtcnnDetector, compile_network
from services.detector.mtcnn_networks import MtcnnNetworks, build_networks
from services.detector.pyramid import PyramidPlan

_REPEATS = 10
_FRAMES_AT_ONCE = (1, 2, 4, 8)
_FUNCTIONS = {"_cut_out": "crops", "suppress_overlaps": "suppression"}
_NETWORKS = {"_proposal": "P-Net", "_refinement": "R-Net", "_output": "O-Net"}
_GRAPHS: dict[str, Callable[[MtcnnNetworks], Any]] = {
    "P-Net": lambda networks: networks.proposal,
    "R-Net": lambda networks: networks.refinement,
    "O-Net": lambda networks: networks.output,
}

Shape = tuple[int, ...]


class Clock:
    """CPU time spent, and the shapes that each network was called with."""

    def __init__(self) -> None:
        self.spent_ms: defaultdict[str, float] = defaultdict(float)
        self.inputs: defaultdict[str, list[Shape]] = defaultdict(list)

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            started = time.process_time()
            try:
                return function(*arguments, **named)
            finally:
                self.spent_ms[stage] += (time.process_time() - started) * 1e3

        return timed


class _TimedNetwork:
    def __init__(self, network: Any, stage: str, clock: Clock) -> None:
        self._infer = clock.around(stage, network.infer)
        self._inputs = clock.inputs[stage]
        self.get_output_tensor = network.get_output_tensor

    def infer(self, inputs: Sequence[NDArray[np.uint8]], *, share_inputs: bool) -> None:
        self._inputs.append(inputs[0].shape)
        self._infer(inputs, share_inputs=share_inputs)


@contextmanager
def clocked(detector: MtcnnDetector) -> Iterator[Clock]:
    """Yield a clock that runs while the stages of a detector do; what is timed is the detector as it is."""
    clock, networks = Clock(), {name: getattr(detector, name) for name in _NETWORKS}
    functions, draw = {name: getattr(mtcnn, name) for name in _FUNCTIONS}, PyramidPlan.draw
    for name, stage in _NETWORKS.items():
        setattr(detector, name, _TimedNetwork(networks[name], stage, clock))
    for name, stage in _FUNCTIONS.items():
        setattr(mtcnn, name, clock.around(stage, functions[name]))
    PyramidPlan.draw = clock.around("pyramid", draw)  # type: ignore[method-assign]
    try:
        yield clock
    finally:
        PyramidPlan.draw = draw  # type: ignore[method-assign]
        for name, function in functions.items():
            setattr(mtcnn, name, function)
        for name, network in networks.items():
            setattr(detector, name, network)


def find_limits(
    images: Sequence[NDArray[np.uint8]], detector: MtcnnDetector, min_face_px: int
) -> DetectorLimits:
    """Time the stages over pictures of one size, then the networks alone and one large convolution.

    Raises:
        ValueError: There is no picture, or none in which anything was taken for a face.
    """
    frames = _REPEATS * len(images)
    for image in images:
        detector.detect(image, min_face_px)
    with clocked(detector) as clock:
        started = time.process_time()
        for image in [*images] * _REPEATS:
            detector.detect(image, min_face_px)
        all_ms = (time.process_time() - started) * 1e3 / frames
    if set(clock.inputs) != set(_NETWORKS.values()):
        raise ValueError("expected pictures with faces, got none that all networks look at")
    stage_ms = {stage: spent / frames for stage, spent in clock.spent_ms.items()}
    gflop = {stage: _gflop_per_frame(stage, shapes, frames) for stage, shapes in clock.inputs.items()}
    request = detector._proposal
    return DetectorLimits(
        stage_ms=stage_ms | {"rest": all_ms - sum(stage_ms.values())},
        network_gflop=gflop,
        network_gflop_per_second={stage: gflop[stage] / stage_ms[stage] * 1e3 for stage in gflop},
        peak_gflop_per_second=_peak_gflop_per_second(),
        network_ms_by_frames_at_once={
            count: _networks_ms(detector, clock.inputs, frames, count) for count in _FRAMES_AT_ONCE
        },
        precision=request.get_compiled_model().get_property("INFERENCE_PRECISION_HINT").get_type_name(),
    )


def _gflop_per_frame(stage: str, shapes: Sequence[Shape], frames: int) -> float:
    """Count the multiplications and additions of a network's convolutions and dense layers."""
    total = 0
    for shape, calls in Counter(shapes).items():
        model = _GRAPHS[stage](build_networks())
        model.reshape(list(shape))
        for layer in model.get_ops():
            if layer.get_type_name() == "Convolution":
                kernel = layer.input(1).get_shape()  # (out, in, height, width)
                total += 2 * calls * math.prod(layer.get_output_shape(0)) * math.prod(kernel[1:])
            elif layer.get_type_name() == "MatMul":
                total += 2 * calls * math.prod(layer.get_output_shape(0)) * layer.input(1).get_shape()[0]
    return total / frames / 1e9


def _networks_ms(
    detector: MtcnnDetector, inputs: Mapping[str, Sequence[Shape]], frames: int, count: int
) -> float:
    """Return the CPU time per frame of all networks when each of their calls is for *count* frames."""
    rng = np.random.default_rng(0)
    calls = []
    for name, stage in _NETWORKS.items():
        items = round(statistics.fmean(shape[0] for shape in inputs[stage])) * count
        batch = rng.integers(0, 256, (items, *inputs[stage][0][1:]), dtype=np.uint8)
        calls.append((getattr(detector, name), batch, round(len(inputs[stage]) / frames)))

    def spend() -> float:
        started = time.process_time()
        for network, batch, times in calls:
            for _ in range(times):
                network.infer([batch], share_inputs=True)
        return (time.process_time() - started) * 1e3

    spend()
    return statistics.median(spend() for _ in range(_REPEATS)) / count


def _peak_gflop_per_second() -> float:
    """Return what the engine achieves on a convolution of 256 to 256 channels, 3x3, on 56x56 pixels."""
    size, channels = 56, 256
    planes = ops.parameter([1, channels, size, size], np.float32)
    kernel = np.random.default_rng(0).normal(size=(channels, channels, 3, 3)).astype(np.float32)
    layer = ops.convolution(planes, kernel, [1, 1], [1, 1], [1, 1], [1, 1])
    request = compile_network(ov.Model([layer], [planes], "peak"))
    image = np.ones((1, channels, size, size), np.float32)
    spent = []
    for _ in range(2 * _REPEATS):
        started = time.process_time()
        request.infer([image], share_inputs=True)
        spent.append(time.process_time() - started)
    return 2 * channels * channels * 9 * size * size / min(spent) / 1e9


def _read_rgb(path: str) -> NDArray[np.uint8]:
    image = cv2.imread(path, cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise ValueError(f"expected a picture in {path}, got something that doesn't decode")
    return np.asarray(image, np.uint8)


def main() -> None:
    """Answer each line until the input ends."""
    parser = argparse.ArgumentParser(description="Find where the detector's time goes: paths in, JSON out.")
    parser.add_argument("--min-face-px", type=int, default=40, help="smallest face side, pixels")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    detector, encoder = MtcnnDetector(), msgspec.json.Encoder()
    for line in sys.stdin.buffer:
        paths = msgspec.json.decode(line, type=list[str])
        images = [_read_rgb(path) for path in paths]
        sys.stdout.buffer.write(encoder.encode(find_limits(images, detector, arguments.min_face_px)) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
