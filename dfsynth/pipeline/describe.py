"""What happened to one input → its row of the manifest."""

from dataclasses import dataclass

from dfsynth.errors import ErrorCode
from dfsynth.records import DecodedImage, ManifestRow, ModelInput, Scored, SourceItem


@dataclass(frozen=True, slots=True)
class Prepared:
    """An input that is ready for the generator."""

    item: SourceItem
    source_sha256: str
    decoded: "DecodedFacts"
    ready: ModelInput


@dataclass(frozen=True, slots=True)
class DecodedFacts:
    """What the manifest says of a decoded picture; its pixels are gone by then."""

    width: int
    height: int
    bits: int
    photometric: str
    pixel_mm: float | None


@dataclass(frozen=True, slots=True)
class Failed:
    """An input that gives no image."""

    item: SourceItem
    code: ErrorCode
    sentence: str
    source_sha256: str | None = None


def facts_of(image: DecodedImage, item: SourceItem) -> DecodedFacts:
    """The pixel pitch comes from the file, else from the field size that the corpus tells."""
    height, width = image.pixels.shape
    pixel_mm = image.pixel_mm
    if pixel_mm is None and item.width_mm and item.height_mm:
        # Some archives stretch pictures to a square: the geometric mean keeps areas true.
        pixel_mm = ((item.width_mm / width) * (item.height_mm / height)) ** 0.5
    return DecodedFacts(width, height, image.bits, image.photometric, pixel_mm)


def failed_row(failed: Failed, source: str) -> ManifestRow:
    """The row of an input that gives no image."""
    item = failed.item
    return ManifestRow(
        image_id=item.image_id,
        row=item.row,
        shard=item.shard,
        status="failed",
        error_code=failed.code.value,
        error=failed.sentence,
        source=source,
        uri=item.uri,
        source_sha256=failed.source_sha256,
        patient_id=item.patient_id,
        view=item.view,
        sex=item.sex,
        age=item.age,
        findings=item.findings,
        split=item.split,
    )


def ok_row(
    prepared: Prepared, scored: Scored, checksum: str, seconds: float, source: str
) -> ManifestRow:
    """The row of an image whose maps are stored."""
    item, facts, geometry = prepared.item, prepared.decoded, prepared.ready.geometry
    return ManifestRow(
        image_id=item.image_id,
        row=item.row,
        shard=item.shard,
        status="ok",
        source=source,
        uri=item.uri,
        source_sha256=prepared.source_sha256,
        patient_id=item.patient_id,
        view=item.view,
        sex=item.sex,
        age=item.age,
        findings=item.findings,
        split=item.split,
        width=facts.width,
        height=facts.height,
        bits=facts.bits,
        photometric=facts.photometric,
        pixel_mm=facts.pixel_mm,
        scale_y=geometry.scale_y,
        scale_x=geometry.scale_x,
        offset_y=float(geometry.top),
        offset_x=float(geometry.left),
        dark_field_mean=scored.dark_field_mean,
        dark_field_lung_mean=scored.dark_field_lung_mean,
        aleatoric_mean=scored.aleatoric_mean,
        aleatoric_lung_mean=scored.aleatoric_lung_mean,
        aleatoric_p95=scored.aleatoric_p95,
        epistemic_mean=scored.epistemic_mean,
        epistemic_lung_mean=scored.epistemic_lung_mean,
        epistemic_p95=scored.epistemic_p95,
        uncertainty=scored.uncertainty,
        lung_fraction=scored.lung_fraction,
        lung_area_cm2=scored.lung_area_cm2,
        ood_score=scored.ood_score,
        flags=scored.flags,
        checksum=checksum,
        seconds=seconds,
    )
