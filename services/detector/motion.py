"""Where a box will be: a Kalman filter over real time, for a face that moves and soon stops.

The four coordinates (centre x and y, width, height) move independently under the same noise, so one 2x2
covariance of position and velocity serves all of them. Noise is stated in sides of the face, not in pixels:
a near face moves more pixels than a far one. After SORT (Bewley et al., 2016) and DeepSORT's noise relative
to size (Wojke et al., 2017); unlike there, time is in seconds, and velocity fades when nothing is seen, since
people turn round and sit down.
"""

import math

import numpy as np
from numpy.typing import NDArray

# In sides of the face. MTCNN's boxes of a still face wander by about 4 %; who walks past near the camera
# moves several of his faces a second. The other two were chosen with `mien evaluate tracking`.
_MEASUREMENT_STD = 0.04
_FIRST_VELOCITY_STD = 3.0
_VELOCITY_CHANGE_STD = 2.0
"""How much velocity changes within a second."""
_VELOCITY_FADES_SECONDS = 3.0


class BoxMotion:
    """Estimate of one box's place and velocity."""

    def __init__(self, box_xyxy: NDArray[np.float32]) -> None:
        self._state = np.zeros((4, 2))
        self._state[:, 0] = _centre_and_sides(box_xyxy)
        side = self._side
        self._covariance = np.diag([(_MEASUREMENT_STD * side) ** 2, (_FIRST_VELOCITY_STD * side) ** 2])

    @property
    def box_xyxy(self) -> NDArray[np.float32]:
        """The box as it is thought to be now, shape (4,)."""
        return _box_of(self._state[:, 0])

    def box_after(self, seconds: float) -> NDArray[np.float32]:
        """Return the box as it will be, shape (4,)."""
        return _box_of((self._state @ _transition(seconds).T)[:, 0])

    @property
    def std_in_sides(self) -> float:
        """How far off the box's place may be: standard deviation, in sides of the face."""
        return math.sqrt(float(self._covariance[0, 0])) / self._side

    @property
    def _side(self) -> float:
        return float(max(self._state[2:, 0].max(), 1.0))

    def advance(self, seconds: float) -> None:
        """Move on in time; advancing twice by half is the same place as once by the whole."""
        transition = _transition(seconds)
        # White noise on the acceleration, integrated over the step (Bar-Shalom, "Estimation with
        # Applications to Tracking and Navigation", 6.2.2).
        noise = (
            np.array([[seconds**3 / 3, seconds**2 / 2], [seconds**2 / 2, seconds]])
            * (_VELOCITY_CHANGE_STD * self._side) ** 2
        )
        self._state = self._state @ transition.T
        self._covariance = transition @ self._covariance @ transition.T + noise

    def correct(self, box_xyxy: NDArray[np.float32]) -> None:
        """Take in where the box was really seen."""
        surprise = _centre_and_sides(box_xyxy) - self._state[:, 0]
        variance = self._covariance[0, 0] + (_MEASUREMENT_STD * self._side) ** 2
        gain = self._covariance[:, 0] / variance
        self._state = self._state + np.outer(surprise, gain)
        self._covariance = self._covariance - np.outer(gain, self._covariance[0])


def _transition(seconds: float) -> NDArray[np.float64]:
    fading = math.exp(-seconds / _VELOCITY_FADES_SECONDS)
    return np.array([[1.0, _VELOCITY_FADES_SECONDS * (1 - fading)], [0.0, fading]])


def _box_of(centre_and_sides: NDArray[np.float64]) -> NDArray[np.float32]:
    centre, sides = centre_and_sides[:2], np.maximum(centre_and_sides[2:], 1.0)
    return np.concatenate([centre - sides / 2, centre + sides / 2]).astype(np.float32)


def _centre_and_sides(box_xyxy: NDArray[np.float32]) -> NDArray[np.float64]:
    left_top, right_bottom = box_xyxy[:2].astype(np.float64), box_xyxy[2:].astype(np.float64)
    return np.concatenate([(left_top + right_bottom) / 2, right_bottom - left_top])
