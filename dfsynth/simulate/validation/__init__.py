"""Whether simulated people show what published measurements of people show."""

from dfsynth.simulate.validation.measures import Person, measure_person
from dfsynth.simulate.validation.targets import TARGETS, Finding, Target, find

__all__ = ["TARGETS", "Finding", "Person", "Target", "find", "measure_person"]
