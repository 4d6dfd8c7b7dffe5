"""The dashboard's built files, and a list of the interface's operations that needs no internet."""

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse

from services.gateway.access import require_session
from services.gateway.people import NotFoundError

router = APIRouter(dependencies=[Depends(require_session)], include_in_schema=False)

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Mien</title>
<style>body{{font:16px/1.5 system-ui;max-width:52rem;margin:3rem auto;padding:0 1rem}}
code{{background:#8882;padding:.1em .3em;border-radius:.2em}}td{{padding:.2em .8em .2em 0;vertical-align:top}}
</style>{body}</html>"""
_NOT_BUILT = """<h1>Mien is running</h1><p>The dashboard has not been built yet. Build it with<br>
<code>cd services/dashboard &amp;&amp; npm ci &amp;&amp; npm run build</code><br>and load this page again.</p>
<p>The interface is there already: <a href="/api/docs">its operations</a>.</p>"""


@router.get("/api/openapi.json")
async def get_openapi(request: Request) -> JSONResponse:
    """Return the interface as OpenAPI."""
    return JSONResponse(request.app.openapi())


@router.get("/api/docs")
async def get_docs(request: Request) -> HTMLResponse:
    """List the interface's operations; the usual pages would load their scripts from elsewhere."""
    rows = "".join(_operation_rows(request.app.openapi()))
    return HTMLResponse(
        _PAGE.format(
            body=f"<h1>Mien's interface</h1><p>In full: <a href='openapi.json'>openapi.json</a></p>"
            f"<table>{rows}</table>"
        )
    )


def _operation_rows(schema: dict[str, Any]) -> Iterator[str]:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            words = html.escape(operation.get("description") or operation.get("summary", ""))
            yield f"<tr><td><code>{method.upper()}</code><td><code>{html.escape(path)}</code><td>{words}"


def serve_dashboard(app: FastAPI, folder: Path) -> None:
    """Serve the built dashboard, its index at any address of its own; or a page that says how to build it."""
    if (folder / "index.html").is_file():
        app.frontend("/", directory=folder, fallback="index.html")
        return

    @app.get("/{path:path}", include_in_schema=False)
    async def say_not_built(path: str) -> HTMLResponse:
        if path.startswith("api/"):
            raise NotFoundError(f"there is no /{path}")
        return HTMLResponse(_PAGE.format(body=_NOT_BUILT), status_code=503)
