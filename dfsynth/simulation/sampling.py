"""The options by which every origin samples its pairs."""

from dataclasses import dataclass

from dfsynth.options import SimulateOptions


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """What of a simulation's options decides the values of a pair."""

    size: int
    """Side of the images in pixels."""
    severity: tuple[float, float]
    """Least and greatest severity of emphysema, 0 to 1."""
    kvp: tuple[float, float]
    """Least and greatest tube voltage of the conventional radiograph, in kV."""
    implants: float
    """Share of the pairs with pacemakers, leads and the like, 0 to 1."""
    without: frozenset[str]
    """Layers that are switched off, of `dfsynth.options.LAYERS`."""

    @classmethod
    def of(cls, options: SimulateOptions) -> "SamplingOptions":
        """Takes what matters here from the options of a simulation."""
        return cls(
            size=options.size,
            severity=options.severity,
            kvp=options.kvp,
            implants=options.implants,
            without=frozenset(options.without),
        )
