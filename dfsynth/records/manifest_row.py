"""What is said of one image: its scores and its row of the manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["ok", "failed"]


@dataclass(frozen=True, slots=True)
class Scored:
    """One number each for the maps of one image; padding never counts."""

    scores: Mapping[str, float | None]
    """By name, all of `dfsynth.score.SCORE_COLUMNS`, where each has its unit."""
    flags: tuple[str, ...]
    """Remarks on the image, of `IMAGE_FLAGS`: the model input's, no_lung, the checkpoint's."""


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One row of the manifest; with `scores` the schema `dfsynth.manifest.IMAGES`."""

    image_id: str
    row: int
    shard: int
    status: Status
    source: str
    uri: str
    scores: Mapping[str, float | None]
    """By name, all of `dfsynth.score.SCORE_COLUMNS`; all null where the image failed."""
    error_code: str | None = None
    error: str | None = None
    source_sha256: str | None = None
    patient_id: str | None = None
    view: str | None = None
    sex: str | None = None
    age: float | None = None
    """In years."""
    findings: tuple[str, ...] | None = None
    """What the image has, as its corpus says."""
    findings_negative: tuple[str, ...] | None = None
    """What it has not."""
    findings_uncertain: tuple[str, ...] | None = None
    """What it may have."""
    split: str | None = None
    width: int | None = None
    """Of the decoded source, in pixels, as is the next."""
    height: int | None = None
    bits: int | None = None
    photometric: str | None = None
    pixel_mm: float | None = None
    scale_y: float | None = None
    """Grid pixels to a pixel of the source, as is the next."""
    scale_x: float | None = None
    offset_y: float | None = None
    """Padding before the image, in grid pixels, as is the next."""
    offset_x: float | None = None
    flags: tuple[str, ...] = ()
    """Of `IMAGE_FLAGS`."""
    checksum: str | None = None
    seconds: float | None = None
