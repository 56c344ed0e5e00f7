"""Validates the simulator of dark-field CT: draws of vibration and noise, against the targets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dfsynth.simulation.dark_field_ct.validation.measures import measure_scan
from dfsynth.simulation.dark_field_ct.validation.targets import TARGETS
from dfsynth.simulation.validation import TargetResult, compare_with_targets
from dfsynth.simulation.validation.seeds import measure_seeds

FEWEST_SCANS: Final = 5
USUAL_SCANS: Final = 20


@dataclass(frozen=True, slots=True)
class ScanValidation:
    """The table of `dfsynth simulate --task dark-field-ct --validate`."""

    scans: int
    seed: int
    findings: tuple[TargetResult, ...]
    passed: bool
    """Whether no target is missed; some may be in doubt."""


def validate_scans(scans: int, seed: int, advance: Callable[[], None]) -> ScanValidation:
    """Measures scans of `scans` draws from `seed`, `seed` + 1, …; `advance` after each.

    Raises:
        UsageError: too few for an interval, or a seed below 0.
    """
    measured = measure_seeds(measure_scan, scans, seed, advance, FEWEST_SCANS, "scans")
    results = compare_with_targets(TARGETS, measured, seed)
    return ScanValidation(scans, seed, results, all(result.met != "no" for result in results))
