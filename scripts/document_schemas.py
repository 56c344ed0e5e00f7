"""JSON Schema of every document that `--json` prints, from the records that they are made of.

python scripts/document_schemas.py docs/schemas
"""

import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

from pydantic import TypeAdapter

from dfsynth.cli.documents import DOCUMENTS, Document
from dfsynth.files.json_record import stored_key

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema_of(document: Document) -> dict[str, Any]:
    """The schema of one kind of document; every key is required, and others may be added."""
    module, _, name = document.record.rpartition(".")
    record = getattr(import_module(module), name)
    found = TypeAdapter(record).json_schema(mode="serialization")
    for part in (found, *found.get("$defs", {}).values()):
        _complete(part, {each.__name__: each for each in _records(record)})
    kind = {
        "type": "object",
        "properties": {key: {"const": value} for key, value in document.schema.items()},
        "required": list(document.schema),
    }
    return {
        "$schema": DIALECT,
        "$id": file_name(document),
        **found,
        "title": f"{document.schema['name']}, version {document.version}",
        "properties": {"schema": kind, **found["properties"]},
        "required": ["schema", *found["required"]],
    }


def file_name(document: Document) -> str:
    """`run-v1.json` and the like."""
    return f"{document.name}-v{document.version}.json"


def encode(schema: Mapping[str, Any]) -> str:
    """The text of a file with this schema."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _complete(part: dict[str, Any], records: Mapping[str, type]) -> None:
    """Names keys as documents do, requires them all, and adds what the records say of them."""
    record = records.get(part.get("title", ""))
    if record is None or "properties" not in part:
        return
    part["description"] = inspect.cleandoc(record.__doc__ or "")
    texts = dict(_field_docstrings(record))
    properties = part["properties"]
    for name, entry in properties.items():
        entry.pop("title", None)
        # What a constructor fills in is no matter of documents, which have every key.
        entry.pop("default", None)
        if name in texts:
            entry["description"] = texts[name]
    part["properties"] = {stored_key(name): entry for name, entry in properties.items()}
    part["required"] = list(part["properties"])


def _records(record: type) -> Iterator[type]:
    """The dataclass and all that its fields hold, however deep."""
    yield record
    for hint in get_type_hints(record).values():
        for part in _parts(hint):
            if isinstance(part, type) and is_dataclass(part):
                yield from _records(part)


def _parts(hint: object) -> Iterator[object]:
    yield hint
    for part in get_args(hint):
        yield from _parts(part)


def _field_docstrings(record: type) -> Iterator[tuple[str, str]]:
    """Each field of a dataclass and of its bases that has a string behind it, with that."""
    for each in reversed(record.__mro__[:-1]):
        body = ast.parse(textwrap.dedent(inspect.getsource(each))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, behind in zip(body.body, body.body[1:], strict=False):
            if not isinstance(field, ast.AnnAssign) or not isinstance(behind, ast.Expr):
                continue
            if isinstance(behind.value, ast.Constant) and isinstance(field.target, ast.Name):
                text = inspect.cleandoc(str(behind.value.value))
                yield field.target.id, " ".join(text.split())


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for document in DOCUMENTS:
        (folder / file_name(document)).write_text(encode(schema_of(document)), encoding="utf-8")


if __name__ == "__main__":
    main()
