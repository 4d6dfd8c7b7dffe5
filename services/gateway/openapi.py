"""``python -m services.gateway.openapi``: print the interface as OpenAPI, without starting anything."""

import json
import sys

from services.gateway.app import create_app


def openapi_json() -> str:
    """Return the interface as OpenAPI, the same bytes every time."""
    return json.dumps(create_app(None).openapi(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(openapi_json())
