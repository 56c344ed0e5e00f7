"""Drawings: contact sheets of maps with their colour scales."""

from dfsynth.report.colours import colour_table, paint, robust_limits
from dfsynth.report.deviations import deviation_scale
from dfsynth.report.image_file import encode_image, encode_png
from dfsynth.report.map_columns import (
    columns_of_images,
    columns_of_pairs,
    image_columns,
    suitable_limits,
)
from dfsynth.report.markup import facts_markup, images_markup
from dfsynth.report.sheet import SheetColumn, SheetRow, contact_sheet

__all__ = [
    "SheetColumn",
    "SheetRow",
    "colour_table",
    "columns_of_images",
    "columns_of_pairs",
    "contact_sheet",
    "deviation_scale",
    "encode_image",
    "encode_png",
    "facts_markup",
    "image_columns",
    "images_markup",
    "paint",
    "robust_limits",
    "suitable_limits",
]
