"""Live fan-out in memory: who watches what, and the newest message for each.

Nothing here waits for a browser. Each viewer has one slot per camera (and one per kind of notice), in
which a newer message replaces the one that the browser was too slow to take.
"""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from mien.contracts.live import LiveFrame
from mien.runtime import metrics


@dataclass(frozen=True)
class FrameMessage:
    """A frame for whoever watches its camera; all viewers share the one picture."""

    frame: LiveFrame
    jpeg: bytes


Message = FrameMessage | str


class Viewer:
    """One open live connection: the newest unsent message of each kind."""

    def __init__(self) -> None:
        self.cameras: frozenset[str] = frozenset()
        self._slots: dict[Hashable, Message] = {}
        self._filled = asyncio.Event()

    def offer(self, slot: Hashable, message: Message) -> None:
        """Put a message into its slot; what was waiting there is lost, and counted if it was a frame."""
        if isinstance(self._slots.get(slot), FrameMessage):
            metrics.DROPPED.labels("gateway", "slow_viewer").inc()
        # A replaced message keeps its place in the line, so that a busy camera starves no other.
        self._slots[slot] = message
        self._filled.set()

    def withdraw(self, slot: Hashable) -> None:
        """Take back a message that is no longer wanted."""
        self._slots.pop(slot, None)

    async def take(self) -> Message:
        """Wait for a message and return it, the slot that was filled first comes first."""
        while not self._slots:
            self._filled.clear()
            await self._filled.wait()
        return self._slots.pop(next(iter(self._slots)))


class Hub:
    """All viewers of this process, and which cameras they watch."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()
        self._watchers: dict[str, set[Viewer]] = {}
        self._on_change: Callable[[], None] | None = None

    @property
    def viewer_count(self) -> int:
        """How many viewers there are."""
        return len(self._viewers)

    @property
    def watched(self) -> frozenset[str]:
        """Cameras that somebody watches."""
        return frozenset(self._watchers)

    def on_change(self, notify: Callable[[], None]) -> None:
        """Call *notify* whenever :attr:`watched` may have changed."""
        self._on_change = notify

    def add(self, viewer: Viewer) -> None:
        """Let a viewer in; it watches nothing yet."""
        self._viewers.add(viewer)
        metrics.VIEWERS.set(len(self._viewers))

    def remove(self, viewer: Viewer) -> None:
        """Let a viewer go."""
        self.watch(viewer, frozenset())
        self._viewers.discard(viewer)
        metrics.VIEWERS.set(len(self._viewers))

    def watch(self, viewer: Viewer, cameras: frozenset[str]) -> None:
        """Replace what a viewer watches."""
        for camera_id in viewer.cameras - cameras:
            viewer.withdraw(("frame", camera_id))
            self._watchers[camera_id].discard(viewer)
            if not self._watchers[camera_id]:
                del self._watchers[camera_id]
        for camera_id in cameras - viewer.cameras:
            self._watchers.setdefault(camera_id, set()).add(viewer)
        viewer.cameras = cameras
        if self._on_change is not None:
            self._on_change()

    def send_frame(self, message: FrameMessage) -> None:
        """Offer a frame to everyone who watches its camera."""
        camera_id = message.frame.camera_id
        for viewer in self._watchers.get(camera_id, ()):
            viewer.offer(("frame", camera_id), message)

    def send_text(self, slot: Hashable, text: str) -> None:
        """Offer a text to every viewer."""
        for viewer in self._viewers:
            viewer.offer(slot, text)
