"""What `--json` prints is one document that its published schema describes, to the last key."""

import json
from functools import cache
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"


def require_document(text: str) -> dict[str, Any]:
    """The one document in `text`, which fits the schema that it names."""
    from jsonschema import Draft202012Validator

    found: dict[str, Any] = json.loads(text)
    kind = found["schema"]
    name = f"{kind['name'].removeprefix('dfsynth.')}-v{kind['version']}.json"
    Draft202012Validator(_closed_schema(name)).validate(found)
    return found


@cache
def _closed_schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    for part in (schema, *schema.get("$defs", {}).values()):
        if "properties" in part:
            # Programs must bear further keys; here one that is not described is an error.
            part["additionalProperties"] = False
    return schema
