"""On which scale standard deviations are drawn, and what is said of those that hardly differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dfsynth.records import Float32Map
from dfsynth.report.colours import limit_text, robust_limits

_ALIKE: Final = 0.05
"""Of the largest: what differs by less is drawn in the middle of the scale."""


@dataclass(frozen=True, slots=True)
class DeviationScale:
    """The scale of maps of standard deviations that are drawn together; it begins at 0."""

    top: float
    """Drawn, with all above it, in the last colour."""
    remark: str | None = None
    """Where they are alike: how large they are, such as "243 HU everywhere"."""

    def titled(self, title: str, what: str) -> str:
        """`title`, or `what` with the remark in its place."""
        return title if self.remark is None else f"{what}: {self.remark}"


def deviation_scale(images: Sequence[Float32Map], unit: str) -> DeviationScale:
    """The scale for `images` (y, x) in `unit`: up to their 99th percentile, if they are not alike.

    A network whose sigma is one number gives the same everywhere, and drawn up to that it would
    all be in the last colour, as if the doubt were large. It is drawn in the middle then, and said.
    What is not finite does not count; without any value the top is 1.
    """
    values = [image.ravel() for image in images]
    together = np.concatenate(values) if values else np.empty(0, np.float32)
    known = together[np.isfinite(together)]
    if not known.size:
        return DeviationScale(1.0)
    low, high = float(known.min()), float(known.max())
    if high - low > _ALIKE * high:
        return DeviationScale(robust_limits(known)[1])
    ends = dict.fromkeys((limit_text(low), limit_text(high)))
    named = "" if unit == "1" else f" {unit}"
    return DeviationScale(2 * high if high > 0 else 1.0, f"{' to '.join(ends)}{named} everywhere")
