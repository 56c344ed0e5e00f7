"""What a store of pairs was simulated from, and the fingerprint that a resume must match."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Final, Self

from dfsynth.files.json_record import record_fields
from dfsynth.manifest import PAIRS, ManifestSchema
from dfsynth.options import SimulateOptions
from dfsynth.records import PAIR_ARRAYS
from dfsynth.store import ArraySpec, Json, StoredType, StoreLayout, format_of
from dfsynth.store.cut import Cut
from dfsynth.store.provenance import (
    LAYOUT_VERSION,
    StoredArray,
    array_specs,
    encode_record,
    group_attributes,
    name_differences,
    software_versions,
)

DARK_FIELD_WINDOW: Final = (0.0, 1.0)
"""Between which nearly all line integrals lie, noise aside."""
DISPLAY_WINDOW: Final = (0.0, 0.6)
"""Line integrals shown black and white, those of the packaged generator: the brightest thousandth
of a lung lies at 0.3 to 0.65, and is dim in a window that holds every value."""
PAIRS_NOTICE: Final = (
    "Simulated images: computed by a model of X-ray physics, from drawn bodies, CT volumes or, "
    "where the origin is cxr, over real radiographs. For research only, not for diagnosis."
)
_VERSIONS_OF: Final = (
    "torch",
    "numpy",
    "scipy",
    "scikit-image",
    "SimpleITK",
    "opencv-python-headless",
    "pydicom",
    "zarr",
    "h5py",
    "imagecodecs",
)


@dataclass(frozen=True, slots=True)
class PairsFingerprint:
    """Everything that decides the values in a store of pairs."""

    origin: str
    n: int
    """Pairs of the store."""
    size: tuple[int, int]
    """(height, width) of every array in pixels."""
    seed: int
    severity: tuple[float, float]
    """The range from which emphysema is drawn, within 0 to 1."""
    kvp: tuple[float, float]
    """The range from which the tube voltage is drawn, in kV."""
    without: tuple[str, ...]
    """Layers of the simulation that are switched off."""
    devices: float
    """Share of drawn images that show implants, 0 to 1."""
    shard_size: int
    """Pairs in one shard."""
    arrays: tuple[tuple[str, StoredType], ...]
    """Name and stored type of each."""
    compression: str
    settings: Mapping[str, Json]
    """What the maker says decides values beside the options: its version, its sources' hashes."""

    def differences(self, wanted: Self) -> list[str]:
        """One sentence part for each entry in which `wanted` differs; settings one by one."""
        return name_differences(self._flat(), wanted._flat())

    def _flat(self) -> dict[str, object]:
        entries = asdict(self)
        return entries | {"settings": None} | dict(entries["settings"])


@dataclass(frozen=True, slots=True)
class PairsRecord:
    """The content of `build.json` of a store that `dfsynth simulate` makes; a `StoreRecord`."""

    command: ClassVar[str] = "dfsynth simulate"
    known_versions: ClassVar[tuple[int, ...]] = (PAIRS.version,)

    plan_id: str
    fingerprint: PairsFingerprint
    licenses: tuple[str, ...]
    """Of the sources of all planned pairs, each once."""
    rows: int
    shards: int
    excluded: Mapping[str, int]
    versions: Mapping[str, str]
    schema_version: int = PAIRS.version
    layout_version: int = 1
    """See `StoreRecord`."""

    @property
    def manifest_schema(self) -> ManifestSchema:
        """See `StoreRecord`."""
        return PAIRS

    @property
    def shard_size(self) -> int:
        """See `StoreRecord`."""
        return self.fingerprint.shard_size

    @property
    def cut(self) -> Cut:
        """See `StoreRecord`."""
        return Cut(self.shard_size, (self.rows,))

    @property
    def arrays(self) -> tuple[ArraySpec, ...]:
        """See `StoreRecord`."""
        held = self.fingerprint
        known = {array.name: array for array in PAIR_ARRAYS}
        arrays = (
            StoredArray(name, dtype, known[name].units, known[name].meaning)
            for name, dtype in held.arrays
        )
        return array_specs(arrays, self.layout_version, self.rows, held.size, held.shard_size)

    def packed(self, compression: str) -> Self:
        """The record of the same store in a format that packs values in another way."""
        return replace(self, fingerprint=replace(self.fingerprint, compression=compression))

    def to_json(self) -> bytes:
        """See `StoreRecord`."""
        return encode_record(self, kind="pairs")

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The record that `to_json` wrote, its kind and its checksum taken away.

        Raises:
            ValueError, LookupError, TypeError, AttributeError: the document is of no such record.
        """
        found = record_fields(document)
        fingerprint = dict(found.pop("fingerprint"))
        for name in ("size", "severity", "kvp", "without"):
            fingerprint[name] = tuple(fingerprint[name])
        fingerprint["arrays"] = tuple((name, dtype) for name, dtype in fingerprint["arrays"])
        if not {name for name, _ in fingerprint["arrays"]} <= {a.name for a in PAIR_ARRAYS}:
            raise ValueError("the record names arrays that no pair has")
        found["licenses"] = tuple(found["licenses"])
        return cls(fingerprint=PairsFingerprint(**fingerprint), **found)

    def attributes(self) -> dict[str, Json]:
        """See `StoreRecord`."""
        return group_attributes(self.provenance(), self.layout_version)

    def provenance(self) -> dict[str, Json]:
        """See `StoreRecord`."""
        held = self.fingerprint
        meanings = {array.name: array for array in PAIR_ARRAYS}
        described: dict[str, Json] = {
            name: {"unit": meanings[name].unit, "meaning": meanings[name].meaning}
            for name, _ in held.arrays
        }
        # Of images that are drawn; a real radiograph stays as it is.
        drawn: dict[str, Json] = {}
        if held.origin != "cxr":
            drawn = {"kvp": list(held.kvp), "devices": held.devices}
        return {
            "schema_version": self.schema_version,
            "kind": "pairs",
            "notice": PAIRS_NOTICE,
            "origin": held.origin,
            "licences": list(self.licenses),
            "grid_size": list(held.size),
            "arrays": described,
            "dark_field_unit": "1",
            "dark_field_window": list(DARK_FIELD_WINDOW),
            "seed": held.seed,
            "severity": list(held.severity),
            "without": list(held.without),
            **drawn,
            "settings": held.settings,
            "software": dict(self.versions),
        }


def pairs_fingerprint(options: SimulateOptions, settings: Mapping[str, Json]) -> PairsFingerprint:
    """What these options, and a maker with these settings, would decide about a store.

    Raises:
        TypeError: A setting is of a type that JSON does not know.
    """
    return PairsFingerprint(
        origin=options.origin,
        n=options.n,
        size=(options.size, options.size),
        seed=options.seed,
        severity=options.severity,
        kvp=options.kvp,
        without=tuple(sorted(options.without)),
        devices=options.implants,
        shard_size=options.shard_size,
        arrays=tuple((array.name, array.dtype) for array in PAIR_ARRAYS),
        compression=format_of(StoreLayout(options.out)).compression,
        # As they come back from a file: lists, and no tuples.
        settings=json.loads(json.dumps(settings)),
    )


def new_pairs_record(
    fingerprint: PairsFingerprint,
    licenses: tuple[str, ...],
    shards: int,
    excluded: Mapping[str, int],
) -> PairsRecord:
    """The record of a store of pairs that is about to be planned.

    Args:
        fingerprint: What decides the values.
        licenses: Those of the sources of all planned pairs, each once.
        shards: Shards that the pairs fill.
        excluded: Inputs that cannot be used, by reason.
    """
    return PairsRecord(
        plan_id=uuid.uuid4().hex,
        fingerprint=fingerprint,
        licenses=licenses,
        rows=fingerprint.n,
        shards=shards,
        excluded=dict(excluded),
        versions=software_versions(_VERSIONS_OF),
        layout_version=LAYOUT_VERSION,
    )
