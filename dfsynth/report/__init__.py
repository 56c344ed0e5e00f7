"""Drawings: contact sheets of maps with their colour scales."""

from dfsynth.report.colours import colour_table, paint, robust_limits
from dfsynth.report.picture import encode_picture, encode_png
from dfsynth.report.sheet import SheetColumn, SheetRow, contact_sheet

__all__ = [
    "SheetColumn",
    "SheetRow",
    "colour_table",
    "contact_sheet",
    "encode_picture",
    "encode_png",
    "paint",
    "robust_limits",
]
