"""The interface describes itself well enough to generate types from."""

import json
from pathlib import Path
from typing import Any

from mien.contracts import live
from services.gateway.openapi import openapi_json

GENERATED = Path(__file__).parents[3] / "services/dashboard/src/api/generated/openapi.json"
SCHEMA: dict[str, Any] = json.loads(openapi_json())
OTHERWISE = {"image/jpeg", "text/csv", "text/html"}
OPERATIONS = [
    (path, method, operation)
    for path, operations in SCHEMA["paths"].items()
    for method, operation in operations.items()
]


def test_dashboard_has_the_interface_of_today() -> None:
    """The dashboard's types come from this very description; see its README for how to renew them."""
    assert json.loads(GENERATED.read_text()) == SCHEMA


def test_every_operation_has_a_readable_name_of_its_own() -> None:
    """Generated functions are called like ours."""
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and "api" not in name for name in names)


def test_every_answer_has_a_type() -> None:
    """No answer is left open: JSON has a schema, and every error is told in words."""
    for path, method, operation in OPERATIONS:
        for code, response in operation["responses"].items():
            content = response.get("content", {})
            if code == "204":
                assert not content, (path, method)
            elif code.startswith("2"):
                assert content.get("application/json", {}).get("schema") or content.keys() & OTHERWISE
            else:
                schema = content["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorMessage"}, (path, method, code)


def test_messages_of_the_websocket_are_described_too() -> None:
    """What OpenAPI has no place for is among the components all the same."""
    for message in (live.LiveFrame, live.LiveFace, live.CameraUpdate, live.CamerasChanged, live.Notice):
        assert message.__name__ in SCHEMA["components"]["schemas"]
