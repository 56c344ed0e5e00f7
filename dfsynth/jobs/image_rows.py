"""What happened to one input → its row of the manifest."""

from dataclasses import dataclass, fields
from typing import Any, Final

from dfsynth.errors import ErrorCode
from dfsynth.records import ImageFacts, ManifestRow, ModelInput, Scored, SourceItem
from dfsynth.score import NO_SCORES

_WHERE_AND_HOW_LARGE: Final = frozenset(
    ("offset", "size_bytes", "width_mm", "height_mm", "pixel_mm")
)
_PLANNED: Final = tuple(
    field.name for field in fields(SourceItem) if field.name not in _WHERE_AND_HOW_LARGE
)
_OF_THE_FILE: Final = tuple(field.name for field in fields(ImageFacts))


@dataclass(frozen=True, slots=True)
class Prepared:
    """An input that is ready for the generator."""

    item: SourceItem
    source_sha256: str
    decoded: ImageFacts
    ready: ModelInput


@dataclass(frozen=True, slots=True)
class Failed:
    """An input of which no image can be made."""

    item: SourceItem
    code: ErrorCode
    sentence: str
    source_sha256: str | None = None


def failed_row(failed: Failed, source: str) -> ManifestRow:
    """The row of an input of which no image can be made; `source` is the corpus or source."""
    return ManifestRow(
        status="failed",
        error_code=failed.code.value,
        error=failed.sentence,
        source=source,
        scores=NO_SCORES,
        source_sha256=failed.source_sha256,
        **_planned_columns(failed.item),
    )


def ok_row(
    prepared: Prepared, scored: Scored, checksum: str, seconds: float, source: str
) -> ManifestRow:
    """The row of an image whose maps are stored.

    Args:
        prepared: The input and what is known of it.
        scored: The scores and flags of its maps.
        checksum: That of the stored values.
        seconds: Compute time of the image.
        source: The name of the corpus or source.
    """
    geometry = prepared.ready.geometry
    return ManifestRow(
        status="ok",
        source=source,
        scores=scored.scores,
        source_sha256=prepared.source_sha256,
        scale_y=geometry.scale_y,
        scale_x=geometry.scale_x,
        offset_y=float(geometry.top),
        offset_x=float(geometry.left),
        flags=scored.flags,
        checksum=checksum,
        seconds=seconds,
        **_planned_columns(prepared.item),
        **{name: getattr(prepared.decoded, name) for name in _OF_THE_FILE},
    )


def _planned_columns(item: SourceItem) -> dict[str, Any]:
    """What the plan says of an input, less where its bytes lie and how large it is."""
    return {name: getattr(item, name) for name in _PLANNED}
