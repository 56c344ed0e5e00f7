"""Validates the simulator: a cohort of phantoms, measured against published figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dfsynth.simulation.validation import (
    TARGETS,
    TargetResult,
    compare_with_targets,
    measure_person,
)
from dfsynth.simulation.validation.measured import (
    MeasuredComparison,
    MeasuredImages,
    compare_with_measured,
)
from dfsynth.simulation.validation.seeds import measure_seeds

FEWEST_PEOPLE = 20
USUAL_PEOPLE = 200


@dataclass(frozen=True, slots=True)
class CohortValidation:
    """The table of `dfsynth simulate --validate`."""

    people: int
    seed: int
    findings: tuple[TargetResult, ...]
    passed: bool
    """Whether no target is missed; some may be in doubt. Measured images decide nothing."""
    measured: MeasuredComparison | None = None
    """The same phantoms beside measured images, where some were given."""


def validate_cohort(
    people: int, seed: int, advance: Callable[[], None], measured: MeasuredImages | None = None
) -> CohortValidation:
    """Measures `people` phantoms, drawn from `seed`, `seed` + 1, …; `advance` after each.

    With `measured`, the phantoms are compared with these images as well.

    Raises:
        UsageError: too few for an interval, a seed below 0, or measured images without attenuation.
    """
    cohort = measure_seeds(measure_person, people, seed, advance, FEWEST_PEOPLE, "phantoms")
    results = compare_with_targets(TARGETS, cohort, seed)
    passed = all(result.met != "no" for result in results)
    beside = None if measured is None else compare_with_measured(measured, cohort, seed)
    return CohortValidation(people, seed, results, passed, beside)


def tabulate_results(results: Sequence[TargetResult]) -> str:
    """The results as a Markdown table, which a terminal shows well enough."""
    lines = [
        "| target | kind | expected | found (95 % interval) | met | from |",
        "|---|---|---|---|---|---|",
    ]
    for result in results:
        low, high = result.expected
        unit = f" {result.unit}" if result.unit else ""
        lines.append(
            f"| {result.name} | {result.kind} | {low:g} to {high:g}{unit} "
            f"| {result.value:.3g} ({result.interval[0]:.3g} to {result.interval[1]:.3g}) "
            f"| {'NO' if result.met == 'no' else result.met} | {result.reason} |"
        )
    return "\n".join(lines)
