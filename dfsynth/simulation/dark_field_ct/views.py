"""Views for the back-projection: fewer than shots, as many as the slice's detail needs."""

import math
from dataclasses import replace

import torch

from dfsynth.simulation.dark_field_ct.geometry import ScanGeometry


def average_to_views(
    integrals: torch.Tensor, geometry: ScanGeometry
) -> tuple[torch.Tensor, ScanGeometry]:
    """Means of neighbouring shots of `integrals` (maps, shots, detector_pixels); their geometry.

    Half a turn of pi / 2 views for each column has no fewer samples around the field of view than
    across (Kak and Slaney, Principles of Computerized Tomographic Imaging, 1988, section 5.1). An
    odd number of shots is averaged around the angle of each view, so that no photon is lost.
    """
    width = max(
        width
        for width in range(1, geometry.shots, 2)
        if width == 1
        or (
            geometry.shots % (2 * width) == 0
            and geometry.shots / (2 * width) >= math.pi / 2 * geometry.side
        )
    )
    views = geometry.shots // width
    turned = integrals.roll(width // 2, dims=1)
    averaged = turned.unflatten(1, (views, width)).mean(dim=2)
    return averaged, replace(geometry, shots=views)
