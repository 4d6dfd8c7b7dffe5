"""What `mien cameras add` and `edit` can be told."""

from typing import Annotated

import typer

CameraId = Annotated[str, typer.Argument(help="Identifier of the camera, as in mien cameras list.")]


Username = Annotated[str | None, typer.Option(help="User name that the camera asks for.")]


PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the camera's password from standard input.")
]


Fps = Annotated[float | None, typer.Option("--fps", help="Pictures per second that are analysed.")]


Identity = Annotated[str | None, typer.Option(help="on or off.")]


Emotion = Annotated[str | None, typer.Option(help="off, aggregate or per_person.")]


EmotionPurpose = Annotated[str | None, typer.Option(help="Why emotion is on; needed to turn it on.")]


Context = Annotated[
    str | None,
    typer.Option(
        help="Where it looks: public, private, research, workplace or education; needed for emotion."
    ),
]


Width = Annotated[int | None, typer.Option("--width", help="Wider pictures are scaled down to this.")]


MinFace = Annotated[int | None, typer.Option("--min-face", help="Smallest face, in pixels.")]


MainStream = Annotated[
    str | None,
    typer.Option(
        "--main-stream-url",
        help="The camera's large stream, from which faces are cut; same user name and password. '' for none.",
    ),
]


IgnoreZone = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore-zone",
        metavar="[movement:|everything:]X,Y X,Y X,Y…",
        help="A polygon in shares of width and height, 0,0 is top left: movement in it doesn't count, or "
        "faces neither (a poster). May be repeated; adds to the zones there are.",
    ),
]


Kind = Annotated[
    str | None,
    typer.Option(
        help="rtsp, mjpeg, snapshot, hls, file or usb, where the address doesn't tell. '' undoes it."
    ),
]


TransportOption = Annotated[
    str | None, typer.Option("--transport", help="tcp, or udp for cameras that know nothing else (RTSP).")
]


Decode = Annotated[
    str | None,
    typer.Option(help="auto, keyframes (cheap, a picture every second or so) or all pictures."),
]


LoopFilterOption = Annotated[
    str | None,
    typer.Option(
        "--loop-filter",
        help="on, or off to decode faster and a little coarser (H.264, H.265), best with frequent keyframes.",
    ),
]


JpegQuality = Annotated[int | None, typer.Option("--jpeg-quality", help="Of its frames, 30 to 100.")]


Certificate = Annotated[
    str | None,
    typer.Option(
        "--accept-certificate",
        metavar="SHA256",
        help="Fingerprint of a certificate to accept though nobody vouches for it. '' for none.",
    ),
]


OpenHoursOption = Annotated[
    list[str] | None,
    typer.Option(
        "--open",
        metavar="DAYS HH:MM-HH:MM",
        help="When it is open, as in 'mon-fri 07:00-18:30'. May be repeated; without any it always is.",
    ),
]


TimeZone = Annotated[
    str | None, typer.Option("--time-zone", help="Whose clocks --open means, as in Europe/Berlin.")
]
