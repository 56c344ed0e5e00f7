"""Transverse slices of CT volumes: Hounsfield units → attenuation and dark-field coefficient."""

import numpy as np
from numpy.typing import NDArray

from dfsynth.errors import ErrorCode
from dfsynth.records import Parameter
from dfsynth.simulation.ct import CtThorax
from dfsynth.simulation.ct.tissues import LUNG
from dfsynth.simulation.dark_field_ct.ct_sections import cut_thorax
from dfsynth.simulation.dark_field_ct.patient_slice import fill_section
from dfsynth.simulation.dark_field_ct.sections import (
    LEAST_LUNG_MM2,
    draw_section_pose,
    pose_section,
    rows_with_lungs,
)
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import draw_tissue
from dfsynth.simulation.volumes import refusal


def lung_rows(thorax: CtThorax) -> NDArray[np.int64]:
    """Rows of a volume in whose slices both lungs are large enough to be looked at.

    Raises:
        ImageError: there is none.
    """
    rows = rows_with_lungs(thorax.fields[LUNG], thorax.step_mm)
    if len(rows) == 0:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            thorax.key,
            f"no slice of it shows {LEAST_LUNG_MM2 / 100:.0f} cm² of each lung; expected a chest "
            "as large as a child's",
        )
    return rows


def draw_ct_slice(
    thorax: CtThorax,
    size: int,
    streams: Streams,
    severity: tuple[float, float] = (0.0, 1.0),
    without: frozenset[str] = frozenset(),
) -> SliceObject:
    """Draws a slice of a segmented volume, without its table, a little shifted, turned and scaled.

    Soft tissue, bone and parenchyma were told apart by the Hounsfield units of the whole volume
    (`build_thorax`). The dark-field coefficient follows the parenchyma's density f and the size
    of its air sacs, eps = eps_ref · (f / f0)^0.82 · (D0 / D_alv)^0.85 · C(f), and is 0 in airways,
    vessels and all that is no lung. The slice stays as it was scanned, lying and inspired as far.

    Args:
        thorax: a volume with lungs, accepted by `lung_rows`.
        size: pixels along each side, even; the field of view is about 400 mm.
        streams: what everything is drawn from.
        severity: least and greatest severity of emphysema, 0 to 1.
        without: layers of the lung tissue that are switched off.

    Raises:
        ImageError: no slice of it holds enough lung.
        ValueError: an odd size.
    """
    rows = lung_rows(thorax)
    tissue = draw_tissue(streams, severity, without, thorax.scatter_ratio)
    row = int(streams("level").choice(rows))
    pose = draw_section_pose(streams("pose"))
    section = pose_section(cut_thorax(thorax, row), pose, size)
    drawn: dict[str, Parameter] = {
        "object": "ct",
        "section_level_mm": _height_mm(thorax, row),
        **pose.columns,
    }
    return fill_section(section, tissue, streams, drawn)


def _height_mm(thorax: CtThorax, row: int) -> float:
    """Of a row above the middle of the lungs' height."""
    top, bottom = thorax.lung_box[1]
    return float(np.mean((top, bottom)) - row) * thorax.step_mm
