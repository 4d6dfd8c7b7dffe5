"""What a browser and the gateway say to each other over the webcam's websocket, ``/api/webcam``.

The browser begins with :class:`Open` (JSON text), then sends each picture as one binary message, a JPEG, and
only while it has a credit. The gateway answers with JSON text: :class:`Opened` grants the first credits, each
picture gives its credit back in :class:`Credit`, and :class:`Faces` tells who is in one. A refusal closes
the connection with its reason in words. The browser says :class:`Stop` when its user has had enough.
"""

from typing import Annotated

import msgspec

from mien.contracts.live import LiveFrame

MAX_TEXT = 4096
Text = Annotated[str, msgspec.Meta(max_length=60)]


class Open(msgspec.Struct, frozen=True, kw_only=True, tag="open"):
    """The person at the browser wants to be a camera.

    Attributes:
        name: What the camera is called; empty takes the user's name.
        with_emotion: They ticked that their expression is read, with the purpose in front of them.
    """

    name: Text = ""
    with_emotion: bool = False


class Stop(msgspec.Struct, frozen=True, kw_only=True, tag="stop"):
    """The person has had enough: the camera goes, too."""


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag="opened"):
    """The camera is there.

    Attributes:
        credits: Pictures that may be sent now.
        fps: More than this a second gain nothing.
        max_frame_bytes: A larger picture is dropped.
        max_side_px: One with a longer side is dropped.
        is_resumed: It is the camera that this login had before the connection was lost.
    """

    camera_id: str
    name: str
    credits: int
    fps: float
    max_frame_bytes: int
    max_side_px: int
    emotion_purpose: str = ""
    is_resumed: bool = False


class Credit(msgspec.Struct, frozen=True, kw_only=True, tag="credit"):
    """A picture is done with, and another may be sent.

    Attributes:
        number: Which of this connection's pictures, counted from 1.
        frame_id: What the picture is called from here on; None when it was dropped.
        dropped: Why it was, in words.
    """

    number: int
    frame_id: str | None = None
    dropped: str = ""


class Faces(msgspec.Struct, frozen=True, kw_only=True, tag="faces"):
    """Who is in one of the pictures; boxes are in pixels of it."""

    frame: LiveFrame
