"""Classes of nodules by diameter."""

from itertools import pairwise
from typing import Final

_EDGES_MM: Final = (0.0, 8.0, 15.0, float("inf"))
"""8 mm is where follow-up begins to differ (MacMahon et al., Radiology 2017; 284: 228)."""
SIZES: Final = ("under 8 mm", "8 to 15 mm", "15 mm and over")
"""Names of the classes, ascending."""


def size_of(diameter_mm: float) -> str:
    """One of `SIZES`; "unknown" for NaN."""
    for name, (low, high) in zip(SIZES, pairwise(_EDGES_MM), strict=True):
        if low <= diameter_mm < high:
            return name
    return "unknown"
