"""``python -m services.ingest.answer_lines``: requests as JSON lines on standard input, answers on output.

For the command line, which asks about cameras with or without a running Mien.
"""

import asyncio
import sys
from typing import Any

import av.logging
import msgspec

from mien.contracts.camera_requests import CameraRequest
from mien.errors import SettingsError
from mien.runtime.settings import load_settings
from services.ingest.answering import Answerer
from services.ingest.config import IngestSettings


def main() -> None:
    """Answer line by line until the input ends."""
    try:
        settings = load_settings(IngestSettings)
    except SettingsError as error:
        print(f"settings: {error}", file=sys.stderr)
        sys.exit(2)
    av.logging.set_level(None)
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(CameraRequest)
    answerer = Answerer(settings)

    def tell(reply: Any) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(reply) + b"\n")
        sys.stdout.buffer.flush()

    for number, line in enumerate(sys.stdin.buffer):
        asyncio.run(answerer.answer(f"line-{number}", decoder.decode(line), tell))


if __name__ == "__main__":
    main()
