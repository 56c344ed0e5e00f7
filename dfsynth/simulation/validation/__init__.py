"""Whether simulated people show what published measurements of people show."""

from dfsynth.simulation.validation.measures import Person, measure_person
from dfsynth.simulation.validation.targets import TARGETS, Finding, Target, find

__all__ = ["TARGETS", "Finding", "Person", "Target", "find", "measure_person"]
