"""The command line in this process, and a gateway that answers as it is told to."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typer.testing import CliRunner, Result

from mien.cli import build_app

TOKEN = "token-of-the-test"


class FakeGateway:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], list[tuple[int, Any]]] = {}
        self.requests: list[tuple[str, str, str, bytes]] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def _reply(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                gateway.requests.append((self.command, self.path, self.headers["Authorization"], body))
                answers = gateway.answers[self.command, self.path]
                status, content = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(status)
                self.end_headers()
                if content is not None:
                    self.wfile.write(json.dumps(content).encode())

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _reply  # noqa: N815 - names of http.server

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(build_app(list(arguments)), list(arguments), input=typed)
