"""The origin `cxr`: a real radiograph, and a dark-field image drawn over it.

A lung reader says where lung is and how thick; tissue is drawn in lungs of that shape by the same
model as in phantoms, and projected. The pairs are semi-synthetic: nobody measured these images.
"""

from dfsynth.simulate.cxr.reader_files import (
    READER,
    ReaderCard,
    load_reader,
    parse_reader_card,
    save_reader,
)
from dfsynth.simulate.cxr.reading import (
    READER_OUTPUTS,
    LungReader,
    LungReading,
    NetworkReader,
    thickness_mm,
)
from dfsynth.simulate.cxr.regions import (
    LungRegions,
    NotAChestRadiograph,
    clean_outline,
    is_plausible,
    locate_lungs,
)
from dfsynth.simulate.cxr.target import CxrParameters, CxrTarget, draw_cxr, lay_dark_field

__all__ = [
    "READER",
    "READER_OUTPUTS",
    "CxrParameters",
    "CxrTarget",
    "LungReader",
    "LungReading",
    "LungRegions",
    "NetworkReader",
    "NotAChestRadiograph",
    "ReaderCard",
    "clean_outline",
    "draw_cxr",
    "is_plausible",
    "lay_dark_field",
    "load_reader",
    "locate_lungs",
    "parse_reader_card",
    "save_reader",
    "thickness_mm",
]
