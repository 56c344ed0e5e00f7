"""What flows between the stages, and nothing else.

    SourceItem → (bytes) → DecodedImage → ModelInput → Generated → Scored → ManifestRow
    Subject → PairItem → MadePair → PairRow

Frozen, so that no stage changes what another one holds. Arrays are named by axes: (y, x) is
(row, column) of a picture, y downwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Float32Map: TypeAlias = NDArray[np.float32]
Status: TypeAlias = Literal["ok", "failed"]
Origin: TypeAlias = Literal["phantom", "ct", "cxr"]
Split: TypeAlias = Literal["train", "val", "calibration", "test"]
Parameter: TypeAlias = float | int | str | bool | None
"""What was drawn for one pair; null where its layer is off or its origin has none."""

MAP_NAMES: Final = ("dark_field", "aleatoric", "epistemic", "attenuation", "lung")
"""The maps that a store can hold, in the order in which `--maps` lists them by default."""


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One input as the plan names it: where it lies, and what its corpus says of it."""

    row: int
    shard: int
    image_id: str
    uri: str
    """Relative to the source's root, with `/`; inside an archive, the member's name."""
    offset: int | None = None
    """First byte inside an uncompressed tar; null elsewhere."""
    size_bytes: int | None = None
    """Length inside an uncompressed tar; null elsewhere."""
    patient_id: str | None = None
    view: str | None = None
    sex: str | None = None
    age: float | None = None
    findings: tuple[str, ...] | None = None
    split: str | None = None
    width_mm: float | None = None
    """Width of the whole picture at the detector, if the corpus says so."""
    height_mm: float | None = None


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """Pixels of one radiograph as its file holds them, made grey and dense-is-bright."""

    pixels: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
    """(y, x), dense tissue bright, finite."""
    low: float
    """The value that the format's range starts with (black)."""
    high: float
    """The value that the format's range ends with (white)."""
    bits: int
    """Bits stored per sample in the file."""
    photometric: str
    """MONOCHROME1, MONOCHROME2, RGB, RGBA, PALETTE, …: as the file says."""
    pixel_mm: float | None
    """Pixel pitch, geometric mean of both axes; null where the file does not say."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where a picture lies in the model's grid: grid = source × scale + offset, pixel edges."""

    source_height: int
    source_width: int
    grid_height: int
    grid_width: int
    top: int
    left: int
    height: int
    """Rows of the grid that hold the picture; the rest is padding."""
    width: int

    @property
    def scale_y(self) -> float:
        return self.height / self.source_height

    @property
    def scale_x(self) -> float:
        return self.width / self.source_width

    @property
    def content(self) -> tuple[slice, slice]:
        """The picture inside the grid, as (y, x) slices."""
        return (
            slice(self.top, self.top + self.height),
            slice(self.left, self.left + self.width),
        )


@dataclass(frozen=True, slots=True)
class IntensityWindow:
    """How a checkpoint wants its grey values: this window of percentiles mapped to [0, 1].

    Raises:
        ValueError: the percentiles are not 0 <= low < high <= 100.
    """

    low_percentile: float = 0.5
    high_percentile: float = 99.5

    def __post_init__(self) -> None:
        if not 0 <= self.low_percentile < self.high_percentile <= 100:
            raise ValueError(
                "expected 0 <= low_percentile < high_percentile <= 100, "
                f"found {self.low_percentile} and {self.high_percentile}"
            )


@dataclass(frozen=True, slots=True)
class GeneratorFacts:
    """What the other stages and the store must know of a generator."""

    name: str
    sha256: str
    """Of the checkpoint: its weights and its `model.json`."""
    grid: tuple[int, int]
    """(height, width) that it was trained at."""
    intensity: IntensityWindow
    unit: str
    """Of the dark-field image."""
    window: tuple[float, float]
    """Display window of the dark-field image."""
    has_lung: bool
    licence: str


@dataclass(frozen=True, slots=True)
class ModelInput:
    """One picture in the model's grid."""

    image: Float32Map
    """(y, x) of the grid, in [0, 1], dense is bright; padding is 0."""
    geometry: Geometry
    pixel_mm: float | None
    """Pitch of the source's pixels."""
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Generated:
    """What the generator gives for one picture; every map (y, x) of the grid, float32."""

    dark_field: Float32Map
    """Mean over the Monte-Carlo samples; a dimensionless line integral."""
    aleatoric: Float32Map
    """Standard deviation, same unit."""
    epistemic: Float32Map
    """Standard deviation, same unit."""
    lung: Float32Map | None
    """Probability of lung in [0, 1]; null where the checkpoint has no lung output."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One number each for the maps of one picture; padding never counts."""

    dark_field_mean: float
    dark_field_lung_mean: float | None
    aleatoric_mean: float
    aleatoric_lung_mean: float | None
    aleatoric_p95: float
    epistemic_mean: float
    epistemic_lung_mean: float | None
    epistemic_p95: float
    uncertainty: float | None
    lung_fraction: float | None
    lung_area_cm2: float | None
    ood_score: float | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One row of the manifest; field for field the schema in `dfsynth.manifest.schema`."""

    image_id: str
    row: int
    shard: int
    status: Status
    source: str
    uri: str
    error_code: str | None = None
    error: str | None = None
    source_sha256: str | None = None
    patient_id: str | None = None
    view: str | None = None
    sex: str | None = None
    age: float | None = None
    findings: tuple[str, ...] | None = None
    split: str | None = None
    width: int | None = None
    height: int | None = None
    bits: int | None = None
    photometric: str | None = None
    pixel_mm: float | None = None
    scale_y: float | None = None
    scale_x: float | None = None
    offset_y: float | None = None
    offset_x: float | None = None
    dark_field_mean: float | None = None
    dark_field_lung_mean: float | None = None
    aleatoric_mean: float | None = None
    aleatoric_lung_mean: float | None = None
    aleatoric_p95: float | None = None
    epistemic_mean: float | None = None
    epistemic_lung_mean: float | None = None
    epistemic_p95: float | None = None
    uncertainty: float | None = None
    lung_fraction: float | None = None
    lung_area_cm2: float | None = None
    ood_score: float | None = None
    flags: tuple[str, ...] = ()
    checksum: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PairArray:
    """One array of a store of pairs."""

    name: str
    dtype: Literal["float32", "uint8"]
    unit: str
    meaning: str


PAIR_ARRAYS: Final = (
    PairArray("attenuation", "float32", "1", "Radiograph as an archive shows it, dense is bright"),
    PairArray(
        "transmission",
        "float32",
        "1",
        "Share of X-rays that pass, as the scan at 70 kVp measures it",
    ),
    PairArray("dark_field", "float32", "1", "Line integral as measured: noise, artefacts, blur"),
    PairArray("dark_field_clean", "float32", "1", "Line integral of the scattering, nothing else"),
    PairArray("lung_mask", "uint8", "label", "0 no lung, 1 lung field, 2 lung that is hidden"),
    PairArray("lung_thickness_mm", "float32", "mm", "Length of the ray in lung"),
    PairArray(
        "severity",
        "float32",
        "0 to 1",
        "Share of the signal that emphysema takes away along the ray",
    ),
)
"""All of (image, y, x). Lung field is lung as people outline it; hidden lies behind the heart, the
mediastinum or the domes of the diaphragm."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What one planned pair is made of: a phantom to be drawn, a CT volume, a radiograph."""

    patient_id: str
    """Equal for all pairs of one person: it decides the split. Different between origins."""
    origin: Origin
    source: str | None
    """The file or folder, relative to its root, with `/`; null for a phantom."""
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
    """What the manifest says of a pair beside its plan."""

    source_sha256: str | None
    """Of the bytes that the pair was made of; null for a phantom."""
    severity: float
    """Of the whole lung, 0 to 1."""
    laa950: float | None
    """Share of the lung below -950 HU; null where no density is known."""
    eps_bar_per_m: float
    sdf_m2: float | None
    lung_volume_l: float | None
    pixel_mm: float | None
    """At the object. Null, with the two above, for a radiograph of unknown pitch."""
    kvp: float | None
    """Null for a real radiograph."""
    n0: float | None
    """Null, with the next, where the noise is switched off."""
    v0: float | None
    parameters: Mapping[str, Parameter]
    """By name, all of `dfsynth.manifest.PAIR_PARAMETERS`."""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class MadePair:
    """The arrays (y, x) of one pair, named as in `PAIR_ARRAYS`, finite, and its facts."""

    arrays: Mapping[str, NDArray[Any]]
    facts: PairFacts


@dataclass(frozen=True, slots=True)
class PairRow:
    """One row of the manifest of pairs; with `parameters` the schema `dfsynth.manifest.PAIRS`."""

    image_id: str
    row: int
    shard: int
    status: Status
    patient_id: str
    split: Split
    origin: Origin
    truth: Literal["simulated", "semi-synthetic"]
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
