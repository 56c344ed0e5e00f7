"""What a store of pairs was simulated from, and the fingerprint that a resume must match."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Final, Self

from dfsynth.files.json_record import record_fields
from dfsynth.manifest import PAIRS_VERSION, ManifestSchema, pair_schema
from dfsynth.options import SimulateOptions
from dfsynth.options.simulate_tasks import TASK_OPTIONS
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
from dfsynth.tasks import DEFAULT_TASK, Task, task_named

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
    n: int | None
    """Pairs that were asked for; null for one of each slice."""
    size: tuple[int, int]
    """(height, width) of every array in pixels."""
    seed: int
    severity: tuple[float, float]
    """The range from which emphysema is drawn, within 0 to 1; where the task draws no bodies, as
    where nothing was asked for, and so are the next three."""
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
    task: str = DEFAULT_TASK
    """What the pairs are for; stores from before there were tasks name none."""

    @property
    def draws_radiographs(self) -> bool:
        """Whether tube voltage and implants were drawn, which only some pairs have."""
        return self.task == DEFAULT_TASK and self.origin != "cxr"

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
    known_versions: ClassVar[tuple[int, ...]] = (PAIRS_VERSION,)

    plan_id: str
    fingerprint: PairsFingerprint
    licenses: tuple[str, ...]
    """Of the sources of all planned pairs, each once."""
    rows: int
    shards: int
    excluded: Mapping[str, int]
    versions: Mapping[str, str]
    schema_version: int = PAIRS_VERSION
    layout_version: int = 1
    """See `StoreRecord`."""

    @property
    def task(self) -> Task:
        """What the pairs are for."""
        return task_named(self.fingerprint.task)

    @property
    def main_map(self) -> str:
        """The array that networks are trained on."""
        return self.task.pairs.target

    @property
    def manifest_schema(self) -> ManifestSchema:
        """See `StoreRecord`."""
        return pair_schema(self.task.name)

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
        known = {array.name: array for array in self.task.array}
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
        found["licenses"] = tuple(found["licenses"])
        record = cls(fingerprint=PairsFingerprint(**fingerprint), **found)
        known = {array.name for array in record.task.array}
        if not {name for name, _ in record.fingerprint.arrays} <= known:
            raise ValueError("the record names arrays that no pair has")
        return record

    def attributes(self) -> dict[str, Json]:
        """See `StoreRecord`."""
        return group_attributes(self.provenance(), self.layout_version)

    def provenance(self) -> dict[str, Json]:
        """See `StoreRecord`."""
        held = self.fingerprint
        task = self.task
        meanings = {array.name: array for array in task.array}
        described: dict[str, Json] = {
            name: {"unit": meanings[name].unit, "meaning": meanings[name].meaning}
            for name, _ in held.arrays
        }
        # Of radiographs that are drawn; a real one stays as it is.
        drawn: dict[str, Json] = {}
        if TASK_OPTIONS[task.name].draws_bodies:
            drawn = {"severity": list(held.severity), "without": list(held.without)}
        if held.draws_radiographs:
            drawn |= {"kvp": list(held.kvp), "devices": held.devices}
        return {
            "schema_version": self.schema_version,
            "kind": "pairs",
            "notice": task.pairs_notice,
            **({} if task.name == DEFAULT_TASK else {"task": task.name}),
            "origin": held.origin,
            "licences": list(self.licenses),
            "grid_size": list(held.size),
            "arrays": described,
            f"{task.output.array}_unit": task.output.unit,
            f"{task.output.array}_window": list(task.window),
            "seed": held.seed,
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
        arrays=tuple((array.name, array.dtype) for array in task_named(options.task).array),
        compression=format_of(StoreLayout(options.out)).compression,
        # As they come back from a file: lists, and no tuples.
        settings=json.loads(json.dumps(settings)),
        task=options.task,
    )


def new_pairs_record(
    fingerprint: PairsFingerprint,
    licenses: tuple[str, ...],
    rows: int,
    excluded: Mapping[str, int],
) -> PairsRecord:
    """The record of a store of pairs that is about to be planned.

    Args:
        fingerprint: What decides the values.
        licenses: Those of the sources of all planned pairs, each once.
        rows: Pairs of the store.
        excluded: Inputs that cannot be used, by reason.
    """
    return PairsRecord(
        plan_id=uuid.uuid4().hex,
        fingerprint=fingerprint,
        licenses=licenses,
        rows=rows,
        shards=-(-rows // fingerprint.shard_size),
        excluded=dict(excluded),
        versions=software_versions(_VERSIONS_OF),
        layout_version=LAYOUT_VERSION,
    )
