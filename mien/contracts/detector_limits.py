"""What the detector answers about where its time goes: one JSON line for a list of picture files."""

import msgspec


class DetectorLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Where the CPU time of a frame goes, and how close the networks come to what the engine can do at best.

    Attributes:
        stage_ms: Mean per frame, by stage; ``rest`` is what lies between them.
        network_gflop: What a network has to compute per frame (two operations per multiplication).
        network_gflop_per_second: What it achieves, poolings and all.
        peak_gflop_per_second: What the engine achieves on one large convolution, same precision and thread.
        network_ms_by_frames_at_once: All three networks, per frame, when each call is for this many frames.
        precision: What the engine computes in on this machine.
    """

    stage_ms: dict[str, float]
    network_gflop: dict[str, float]
    network_gflop_per_second: dict[str, float]
    peak_gflop_per_second: float
    network_ms_by_frames_at_once: dict[int, float]
    precision: str
