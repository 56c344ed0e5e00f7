"""What is drawn of a patient's lung tissue."""

from dataclasses import dataclass, replace
from typing import Final

from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue.emphysema import (
    EmphysemaParameters,
    draw_emphysema,
    severity_from_ratio,
)
from dfsynth.simulation.tissue.opacities import OpacityParameters, draw_opacities

HEALTHY_CV: Final = 0.1
_WORST_CV: Final = 0.5


@dataclass(frozen=True, slots=True)
class HeterogeneityParameters:
    """A log-normal factor on the coefficient, smooth over some distance [assumed]."""

    correlation_mm: float
    cv: float
    """Coefficient of variation."""


@dataclass(frozen=True, slots=True)
class TissueParameters:
    """One patient's lung tissue; a layer that is None leaves the lung as it is."""

    eps_healthy_per_m: float
    """Mean coefficient at full inspiration, were the lung healthy, 1/m."""
    heterogeneity: HeterogeneityParameters | None
    emphysema: EmphysemaParameters | None
    opacities: OpacityParameters | None

    @property
    def severity(self) -> float:
        """Severity of emphysema, 0 to 1; 0 where the layer is off."""
        return 0.0 if self.emphysema is None else self.emphysema.severity


def draw_tissue(
    streams: Streams,
    severity: tuple[float, float],
    without: frozenset[str],
    scatter_ratio: float = 1.0,
) -> TissueParameters:
    """Draws a patient; `without` names layers that are switched off.

    Healthy mean coefficient 2.5 ± 0.4 1/m (Gassert et al., Radiology 2021, n = 40); the
    heterogeneity grows from CV 0.1 to 0.5 with the severity of emphysema [assumed].
    `scatter_ratio` is the mean coefficient of the lung before any layer over a healthy one's. A
    scan may bring emphysema along: the drawn severity is that of both together, and only what is
    missing is laid over the lung. Both in full would leave less signal than the worst disease does.
    """
    drawn = draw_emphysema(streams("emphysema"), severity)
    missing = max(drawn.severity - severity_from_ratio(scatter_ratio), 0.0)
    emphysema = replace(drawn, severity=missing)
    rng = streams("heterogeneity")
    ill = 0.0 if "emphysema" in without else emphysema.severity
    heterogeneity = HeterogeneityParameters(
        correlation_mm=float(rng.uniform(5, 30)),
        cv=HEALTHY_CV + (_WORST_CV - HEALTHY_CV) * ill,
    )
    return TissueParameters(
        eps_healthy_per_m=max(float(streams("coefficient").normal(2.5, 0.4)), 1.0),
        heterogeneity=None if "heterogeneity" in without else heterogeneity,
        emphysema=None if "emphysema" in without else emphysema,
        opacities=None if "opacities" in without else draw_opacities(streams("opacities")),
    )
