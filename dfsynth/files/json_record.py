"""JSON documents on disk: how dfsynth spells them, and how it reads them back."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
"""What a JSON document can hold."""

_STORED_KEYS: Final[Mapping[str, str]] = {
    "license": "licence",
    "checkpoint_license": "checkpoint_licence",
    "source_license": "source_licence",
    "licenses": "licences",
}
"""Fields of records whose keys are spelt otherwise in files, as they have been from the start."""
_CHECKSUM: Final = "checksum"


def encode_json(document: Mapping[str, Json]) -> bytes:
    """The document as UTF-8 text, indented by two spaces, with a line break at its end.

    Raises:
        ValueError: a number is NaN or infinite, which JSON does not know.
        TypeError: a value is of a type that JSON does not know.
    """
    return (json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode()


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object that is the whole of `raw`; the numbers NaN and Infinity are let through.

    Raises:
        ValueError: it is no JSON, or no object; the message is half a sentence on what it is.
    """
    try:
        found: object = json.loads(raw)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None
    if not isinstance(found, dict):
        raise ValueError("it is no object with entries")
    return found


def with_checksum(document: Mapping[str, Json]) -> dict[str, Json]:
    """The document with a BLAKE2b-128 of all its entries as the last one.

    Raises:
        ValueError, TypeError: as `encode_json`.
    """
    return {**document, _CHECKSUM: _checksum(document)}


def without_checksum(document: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that `with_checksum` was given; one without a checksum passes as it is.

    Raises:
        ValueError: they are others.
    """
    entries = {key: value for key, value in document.items() if key != _CHECKSUM}
    if _CHECKSUM in document and document[_CHECKSUM] != _checksum(entries):
        raise ValueError("its entries are not those that its checksum is of")
    return entries


def _checksum(document: Mapping[str, Json]) -> str:
    return hashlib.blake2b(encode_json(document), digest_size=16).hexdigest()


def stored_entries(record: "DataclassInstance") -> dict[str, Any]:
    """The fields of a record under the keys that files have for them.

    Nested records become objects whose keys are their own field names.
    """
    return {stored_key(name): value for name, value in asdict(record).items()}


def stored_key(field: str) -> str:
    """The key that files and documents have for a field of this name."""
    return _STORED_KEYS.get(field, field)


def record_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a document under the names of the record's fields."""
    names = {key: name for name, key in _STORED_KEYS.items()}
    return {names.get(key, key): value for key, value in document.items()}
