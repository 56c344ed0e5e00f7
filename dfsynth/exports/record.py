"""`export.json`: what a folder holds of which store, and how; it makes the folder an export."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dfsynth.errors import ConflictError, StoreError
from dfsynth.exports.export import SOFTWARE, Export
from dfsynth.files.faults import store_faults
from dfsynth.files.json_record import (
    Json,
    encode_json,
    parse_object,
    with_checksum,
    without_checksum,
)
from dfsynth.store.provenance import name_differences

RECORD_NAME: Final = "export.json"
RECORD_VERSION: Final = 1
_FOLDER: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """The content of `export.json`."""

    asked: Mapping[str, Json]
    """What decides the files: a later call must ask for the same."""
    folders: tuple[str, ...]
    """Those that hold the files, directly below the export."""
    described: Mapping[str, Json]
    """What the store says of itself, for readers."""

    def to_json(self, images: int, complete: bool) -> bytes:
        """The file's content.

        Args:
            images: Those that the export holds, or is to hold once it is complete.
            complete: Whether it holds every image that the store has for it.
        """
        entries: dict[str, Json] = {
            "export_version": RECORD_VERSION,
            "complete": complete,
            "images": images,
            **self.asked,
            "folders": list(self.folders),
            **self.described,
        }
        return encode_json(with_checksum(entries))


def new_record(export: Export, folders: tuple[str, ...]) -> ExportRecord:
    """The record of an export that is about to begin."""
    options, record = export.options, export.record
    asked: dict[str, Json] = {
        "format": options.to,
        "space": options.space,
        "dtype": export.dtype,
        "where": options.where,
        "include_no_lung": options.include_no_lung,
        "store": export.store_hash,
        # Another plan of the same options numbers its rows anew.
        "plan_id": record.plan_id,
    }
    described: dict[str, Json] = {
        "notice": export.notice,
        "store_name": options.store.resolve().name,
        "software": SOFTWARE,
        "maps": {facts.name: facts.document for facts in export.maps},
        "provenance": record.provenance(),
    }
    return ExportRecord(asked, folders, described)


def read_folders(path: Path) -> tuple[str, ...]:
    """The folders that the export of this `export.json` holds.

    Raises:
        StoreError: the file cannot be read, or is damaged.
    """
    return tuple(_read(path)["folders"])


def require_same(path: Path, wanted: ExportRecord) -> None:
    """Requires that the export of this `export.json` is the one that is asked for.

    Raises:
        ConflictError: it was made of another store, or with other options.
        StoreError: the file cannot be read, or is damaged.
    """
    found = _read(path)
    held = {name: found.get(name) for name in wanted.asked}
    differences = name_differences(held, wanted.asked)
    if differences:
        told = [each.replace("the store has", "it has", 1) for each in differences]
        raise ConflictError(
            f"{path.parent} holds another export; {'; '.join(told)}; name another --out, or give "
            "--overwrite to remove what is there"
        )


def _read(path: Path) -> dict[str, Any]:
    with store_faults(f"read {path}"):
        raw = path.read_bytes()
    try:
        found = without_checksum(parse_object(raw))
        version, folders = found["export_version"], found["folders"]
        if version == RECORD_VERSION and all(_FOLDER.fullmatch(name) for name in folders):
            return found
    except (ValueError, LookupError, TypeError) as error:
        raise StoreError(_damage(path)) from error
    raise StoreError(_damage(path))


def _damage(path: Path) -> str:
    return (
        f"{path} is not one that this version of dfsynth wrote, or was changed since; expected the "
        "record of an export: remove the folder, or name another --out"
    )
