"""What happened to one input → its row of the manifest."""

from dataclasses import asdict, dataclass
from typing import Any

from dfsynth.errors import ErrorCode
from dfsynth.records import ImageFacts, ManifestRow, ModelInput, Scored, SourceItem


@dataclass(frozen=True, slots=True)
class Prepared:
    """An input that is ready for the generator."""

    item: SourceItem
    source_sha256: str
    decoded: ImageFacts
    ready: ModelInput


@dataclass(frozen=True, slots=True)
class Failed:
    """An input that gives no image."""

    item: SourceItem
    code: ErrorCode
    sentence: str
    source_sha256: str | None = None


def failed_row(failed: Failed, source: str) -> ManifestRow:
    """The row of an input that gives no image."""
    return ManifestRow(
        status="failed",
        error_code=failed.code.value,
        error=failed.sentence,
        source=source,
        source_sha256=failed.source_sha256,
        **_planned_columns(failed.item),
    )


def ok_row(
    prepared: Prepared, scored: Scored, checksum: str, seconds: float, source: str
) -> ManifestRow:
    """The row of an image whose maps are stored."""
    geometry = prepared.ready.geometry
    return ManifestRow(
        status="ok",
        source=source,
        source_sha256=prepared.source_sha256,
        scale_y=geometry.scale_y,
        scale_x=geometry.scale_x,
        offset_y=float(geometry.top),
        offset_x=float(geometry.left),
        checksum=checksum,
        seconds=seconds,
        **_planned_columns(prepared.item),
        **asdict(prepared.decoded),
        **asdict(scored),
    )


def _planned_columns(item: SourceItem) -> dict[str, Any]:
    """What the plan says of an input, less what only says where its bytes lie."""
    columns = asdict(item)
    for name in ("offset", "size_bytes", "width_mm", "height_mm"):
        del columns[name]
    return columns
