"""One simulated pair on its way into a store: Subject → PairItem → MadePair → PairRow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from numpy.typing import NDArray

from dfsynth.records.manifest_row import Status

Origin: TypeAlias = Literal["phantom", "ct", "cxr", "volume"]
Split: TypeAlias = Literal["train", "val", "calibration", "test"]
Truth: TypeAlias = Literal["simulated", "semi-synthetic", "measured"]
"""How much of a pair was computed: all, or one image of it; the target over a real radiograph;
nothing."""


Parameter: TypeAlias = float | int | str | bool | None
"""What was drawn for one pair; null where its layer is off or its origin has none."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What one planned pair is made of: a phantom to be drawn, a volume or a slice of one, a
    radiograph."""

    patient_id: str
    """Equal for all pairs of one person: it decides the split. Different between origins."""
    origin: Origin
    source: str | None
    """The file or folder, relative to its root, with `/`, and of slices `/slice-NNNN` behind it;
    null for a phantom."""
    license: str


@dataclass(frozen=True, slots=True)
class Subjects:
    """What a store of pairs can be made of."""

    lines: tuple[Subject, ...]
    """One for each pair asked for; none where no input can be used."""
    excluded: Mapping[str, int]
    """Inputs that cannot be used, by reason."""
    warnings: tuple[str, ...]
    """One line for each such input: its file and why."""


@dataclass(frozen=True, slots=True)
class PairItem:
    """One pair as the plan names it; with the options it decides every value of the pair."""

    row: int
    shard: int
    image_id: str
    patient_id: str
    split: Split
    origin: Origin
    source: str | None
    license: str
    seed: int


@dataclass(frozen=True, slots=True)
class PairFacts:
    """What the manifest says of a pair beside its plan; of lungs and X-rays only where the task has
    them."""

    source_sha256: str | None
    """Of the bytes that the pair was made of; null for a phantom."""
    pixel_mm: float | None
    """At the object. Null, with `sdf_m2` and `lung_volume_l`, for a radiograph of unknown pitch."""
    parameters: Mapping[str, Parameter]
    """By name, all parameters of the task."""
    flags: tuple[str, ...] = ()
    truth: Truth = "simulated"
    severity: float | None = None
    """Of the whole lung, 0 to 1."""
    laa950: float | None = None
    """Share of the lung below -950 HU; null where no density is known."""
    eps_bar_per_m: float | None = None
    sdf_m2: float | None = None
    lung_volume_l: float | None = None
    kvp: float | None = None
    """Null for a real radiograph."""
    n0: float | None = None
    """Null, with the next, where the noise is switched off."""
    v0: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class MadePair:
    """The arrays (y, x) of one pair, named as its task has them, finite, and its facts."""

    arrays: Mapping[str, NDArray[Any]]
    facts: PairFacts


@dataclass(frozen=True, slots=True)
class PairRow:
    """One row of the manifest of pairs; with `parameters` the schema of its task's pairs."""

    image_id: str
    row: int
    shard: int
    status: Status
    patient_id: str
    split: Split
    origin: Origin
    truth: Truth
    license: str
    seed: int
    parameters: Mapping[str, Parameter]
    error_code: str | None = None
    error: str | None = None
    source: str | None = None
    source_sha256: str | None = None
    severity: float | None = None
    laa950: float | None = None
    eps_bar_per_m: float | None = None
    sdf_m2: float | None = None
    lung_volume_l: float | None = None
    pixel_mm: float | None = None
    kvp: float | None = None
    n0: float | None = None
    v0: float | None = None
    flags: tuple[str, ...] = ()
    checksum: str | None = None
    seconds: float | None = None
