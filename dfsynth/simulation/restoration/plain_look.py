"""Pairs whose blurred image is a plain DRR: what it shows, and the one look of their radiographs.

A DRR shows the line integrals of a volume. Machines bend the greys of theirs and equalise their
contrast before anybody sees them; how, nobody knows of a radiograph in an archive. So for its
partner both are undone, as strongly as the display model may have done them. Nor can a DRR know
which machine its radiograph is meant to be of: all have the same two landmarks.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dfsynth.preprocess import to_unit_range
from dfsynth.records import Float32Map, IntensityWindow
from dfsynth.simulation.display import (
    EqualisationParameters,
    bend_greys,
    draw_appearance,
    draw_equalisation,
    equalise,
)

_DARKEST_BODY: Final = 0.08
"""Grey value below which there is air, or nothing [assumed]."""
_PERCENTILES: Final = (20.0, 80.0)
"""Of the body's greys: lung mostly, and what is dense."""
_LUNG_GREY: Final = (0.43, 0.05)
_DENSE_GREY: Final = (0.78, 0.04)
"""Mean and standard deviation of these percentiles in plain DRRs [assumed, near those that drawn
bodies have]."""
_LANDMARKS: Final = (0.45, 0.85)
"""Where the percentiles of a radiograph in the one look lie [assumed, amid those of archives]."""
_RANGE: Final = 5.0
"""−ln T from black to white in plain DRRs, to which the display model's bands refer [assumed]."""
_SIDE_MM: Final = 350.0
"""Of what a radiograph shows: most archives do not say it [assumed]."""


@dataclass(frozen=True, slots=True)
class PlainLook:
    """What is drawn for one radiograph."""

    lung_grey: float
    """Grey value, 0 to 1, that the 20th percentile of the body is taken to."""
    dense_grey: float
    """The same of the 80th."""
    equalisation: EqualisationParameters
    """That is put on; the inverse of a machine's."""


def draw_plain_look(rng: np.random.Generator) -> PlainLook:
    """What undoes the processing of one machine, drawn as the display model draws it."""
    lung = float(rng.normal(*_LUNG_GREY))
    dense = float(rng.normal(*_DENSE_GREY))
    done = draw_equalisation(draw_appearance(rng), rng)
    undone = EqualisationParameters(1 / done.exponent, 1 / done.latitude, done.finest_mm)
    return PlainLook(lung, dense, undone)


def show_plainly(
    radiograph: Float32Map, content: tuple[slice, slice], look: PlainLook
) -> Float32Map:
    """A radiograph (y, x) in [0, 1] as a DRR might show it, in the same shape and range.

    Args:
        radiograph: square, dense is bright, 0 outside `content`.
        content: rows and columns that are not padding.
        look: what undoes its processing.
    """
    grey = _bend_body(radiograph[content], (look.lung_grey, look.dense_grey))
    pixel_mm = _SIDE_MM / max(radiograph.shape)
    density = equalise(np.float32(_RANGE) * grey, pixel_mm, look.equalisation)
    plain = np.zeros_like(radiograph)
    plain[content] = to_unit_range(density, IntensityWindow())
    return plain


def standardise_look(radiograph: Float32Map, content: tuple[slice, slice]) -> Float32Map:
    """A radiograph (y, x) in [0, 1] in the one look of pairs with plain partners.

    Two landmarks of its greys are taken to those of the mean archive, after the standardisation of
    MR images by landmarks (Nyúl and Udupa, Magn Reson Med 42, 1999); its detail is left as it is.

    Args:
        radiograph: square, dense is bright, 0 outside `content`.
        content: rows and columns that are not padding.
    """
    bent = np.zeros_like(radiograph)
    bent[content] = to_unit_range(_bend_body(radiograph[content], _LANDMARKS), IntensityWindow())
    return bent


def _bend_body(grey: Float32Map, wanted: tuple[float, float]) -> Float32Map:
    """Greys (y, x) whose percentiles in the body become those wanted; no body, no change."""
    body = grey[grey > _DARKEST_BODY]
    if not body.size:
        return grey
    return bend_greys(grey, np.percentile(body, _PERCENTILES).astype(np.float32), wanted)
