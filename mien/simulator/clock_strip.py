"""The time of sending, burned into a picture, so that whoever draws the picture knows how old it is.

Layout: 40 blocks of 16x16 pixels side by side in the top rows of a 640 px wide picture (in general each
block is a fortieth of the width, and as high as it is wide). A block is black (luma 16) for 0 and white
(luma 235) for 1. From the left::

    1 0            two guards: a picture without a strip is not read by chance
    b31 … b0       the clock: Unix time in milliseconds, modulo 2^32, most significant bit first
    p3 … p0        parity: all eight 4-bit groups of the clock, XORed
    0 1            two guards

A reader takes the mean luma of the middle half of each block and compares it with 128. That survives
JPEG at quality 80 and scaling, as long as a block keeps about 4 pixels.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

BLOCKS: Final = 40
BLACK_LUMA: Final = 16
WHITE_LUMA: Final = 235
_CLOCK_BITS: Final = 32
_HEAD: Final = (1, 0)
_TAIL: Final = (0, 1)


def draw(luma: NDArray[np.uint8], unix_ms: int) -> None:
    """Burn *unix_ms* into the top rows of a luma plane, shape (H, W), in place; W is a multiple of 40."""
    height, width = luma.shape
    if width % BLOCKS or height < width // BLOCKS:
        raise ValueError(f"expected a width that is a multiple of {BLOCKS}, got {width}x{height}")
    side = width // BLOCKS
    values = np.where(np.array(_to_bits(unix_ms), dtype=bool), WHITE_LUMA, BLACK_LUMA).astype(np.uint8)
    luma[:side] = np.repeat(values, side)


def read(luma: NDArray[np.uint8]) -> int | None:
    """Return the clock burned into a luma (or grey) picture, shape (H, W), modulo 2^32; None without one."""
    height, width = luma.shape
    side = width / BLOCKS
    if side < 2 or height < side:
        return None
    rows = luma[int(side * 0.25) : max(int(side * 0.75), int(side * 0.25) + 1)]
    bits = []
    for block in range(BLOCKS):
        left = int(side * (block + 0.25))
        right = max(int(side * (block + 0.75)), left + 1)
        bits.append(int(rows[:, left:right].mean() > 128))
    return _from_bits(bits)


def age_ms(burned_ms: int, now_unix_ms: int) -> int:
    """Milliseconds from a clock that was read to now, across the wrap of its 32 bits (every 49 days)."""
    difference = (now_unix_ms - burned_ms) % (1 << _CLOCK_BITS)
    return difference - (1 << _CLOCK_BITS) if difference >= 1 << (_CLOCK_BITS - 1) else difference


def _to_bits(unix_ms: int) -> list[int]:
    clock = unix_ms % (1 << _CLOCK_BITS)
    bits = [clock >> bit & 1 for bit in reversed(range(_CLOCK_BITS))]
    parity = [_parity(clock) >> bit & 1 for bit in (3, 2, 1, 0)]
    return [*_HEAD, *bits, *parity, *_TAIL]


def _from_bits(bits: list[int]) -> int | None:
    clock_end = len(_HEAD) + _CLOCK_BITS
    clock = int("".join(map(str, bits[len(_HEAD) : clock_end])), 2)
    parity = int("".join(map(str, bits[clock_end : clock_end + 4])), 2)
    framed = tuple(bits[: len(_HEAD)]) == _HEAD and tuple(bits[-len(_TAIL) :]) == _TAIL
    return clock if framed and parity == _parity(clock) else None


def _parity(clock: int) -> int:
    parity = 0
    for shift in range(0, _CLOCK_BITS, 4):
        parity ^= clock >> shift & 0xF
    return parity
