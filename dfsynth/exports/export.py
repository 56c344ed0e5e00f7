"""What every exporter knows of an export, and the images that it is given."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from numpy.typing import NDArray

from dfsynth.exports.maps import MapFacts, describe_maps
from dfsynth.exports.naming import file_stem
from dfsynth.exports.scale import LinearScale
from dfsynth.files.json_record import Json
from dfsynth.options import ExportOptions, ExportSpace
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.version import __version__

SOFTWARE: Final = f"dfsynth {__version__}"
_NOT_OF_THE_VALUES: Final = ("compression", "shard_size", "limit", "n")
"""Entries of a fingerprint that decide how values are kept, and of how many images."""


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported of a store, and how."""

    record: BuildRecord | PairsRecord
    options: ExportOptions
    dtype: str
    """Of the values in the files."""
    maps: tuple[MapFacts, ...]
    store_hash: str
    """BLAKE2b-128, in hexadecimal, of all that decides the values of the store: the same for the
    store in another format, and for one built again."""

    @property
    def notice(self) -> str:
        """The sentence that all is synthetic."""
        record = self.record
        return record.task.pairs_notice if isinstance(record, PairsRecord) else record.task.notice

    @property
    def space(self) -> ExportSpace:
        """In whose geometry the maps are written."""
        return self.options.space


def describe_export(
    record: BuildRecord | PairsRecord, options: ExportOptions, dtype: str
) -> Export:
    """The export that these options ask for of a store."""
    return Export(record, options, dtype, describe_maps(record), _hash(record))


def _hash(record: BuildRecord | PairsRecord) -> str:
    entries = asdict(record.fingerprint)
    kept = {name: value for name, value in entries.items() if name not in _NOT_OF_THE_VALUES}
    text = json.dumps([record.command, kept], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class ExportImage:
    """One image on its way into a file."""

    facts: Mapping[str, Any]
    """Its row of the manifest: columns by name."""
    maps: Mapping[str, NDArray[Any]]
    """(y, x) each, by name, finite: float32, or uint8 where the store holds whole numbers."""

    @property
    def image_id(self) -> str:
        """Its name in the store."""
        return str(self.facts["image_id"])

    @property
    def stem(self) -> str:
        """The name of its files, without an ending."""
        return file_stem(self.facts["row"], self.image_id)


def has_own_scale(export: Export, image: ExportImage) -> bool:
    """Whether a map of the image is written as whole numbers of another scale than the common."""
    return export.dtype != "float32" and not all(
        facts.scale is None or facts.scale.holds(image.maps[facts.name]) for facts in export.maps
    )


@dataclass(frozen=True, slots=True)
class StoredNumbers:
    """A map as whole numbers, and what they stand for."""

    numbers: NDArray[Any]
    """(y, x), uint16, or uint8 of whole numbers."""
    scale: LinearScale


def store_numbers(facts: MapFacts, values: NDArray[Any]) -> StoredNumbers:
    """The values (y, x) of a map as whole numbers, by its own scale or, beyond that, by theirs."""
    if facts.scale is None:
        return StoredNumbers(values, LinearScale(1.0, 0.0))
    scale = facts.scale.fitted(values)
    return StoredNumbers(scale.store(values), scale)


def describe_map(export: Export, image: ExportImage, facts: MapFacts) -> dict[str, Json]:
    """What a file of one map says of itself, beside its numbers."""
    return {
        "synthetic": True,
        "notice": export.notice,
        "image_id": image.image_id,
        "row": image.facts["row"],
        "map": facts.name,
        "long_name": facts.long_name,
        "unit": facts.unit,
        "space": export.space,
        "store": export.store_hash,
        "software": SOFTWARE,
    }
