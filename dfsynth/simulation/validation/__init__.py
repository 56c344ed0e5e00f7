"""Whether simulated people show what published measurements of people show."""

from dfsynth.simulation.validation.measures import Person, measure_person
from dfsynth.simulation.validation.targets import (
    TARGETS,
    Target,
    TargetResult,
    compare_with_targets,
)

__all__ = ["TARGETS", "Person", "Target", "TargetResult", "compare_with_targets", "measure_person"]
