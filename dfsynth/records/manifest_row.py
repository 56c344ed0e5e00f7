"""What is said of one image: its scores and its row of the manifest."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["ok", "failed"]


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
