"""The pitch of pixels in an export, where the source tells it."""

from dfsynth.exports.export import Export, ExportImage
from dfsynth.store.pairs_record import PairsRecord


def pixel_size_mm(export: Export, image: ExportImage) -> tuple[float, float] | None:
    """(y, x) pitch of the exported pixels at the detector, in mm; None where it is unknown.

    The grid's pixels are those of the source divided by the scale of the letterbox.
    """
    if isinstance(export.record, PairsRecord):
        return None
    pitch: float | None = image.facts["pixel_mm"]
    if pitch is None or pitch <= 0:
        return None
    if export.space == "source":
        return pitch, pitch
    return pitch / image.facts["scale_y"], pitch / image.facts["scale_x"]
