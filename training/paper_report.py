"""Tables of methods in Markdown, each beside the cascade that it is compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from paper_runs import FoldResult
from paper_scores import (
    COVERAGE,
    CRPS,
    MAE,
    MEASURES,
    NLL,
    PSNR,
    RESIDUAL,
    SIGMA,
    SSIM,
    Difference,
    Measure,
    difference,
    differences,
    mean,
    risk_area,
    scores,
)

from dfsynth.description.markdown import table
from dfsynth.statistics import Interval

STAGE_MEASURES = (RESIDUAL, SIGMA, SSIM, PSNR, NLL)
QUALITY_MEASURES = (SSIM, MAE, CRPS, NLL)
_SIGNIFICANT = 0.05
Tests = Mapping[str, Sequence[FoldResult]]
"""Method → its folds, in the order of the table."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A method as it is asked for an image."""

    method: str
    passes: int | None = None
    """Of the network for a sample; None where there is nothing to set."""
    samples: int | None = None
    """Of an image; None likewise."""

    @property
    def name(self) -> str:
        """In tables."""
        if self.passes is None:
            return self.method
        return (
            f"{self.method}, {self.passes} pass{'es' * (self.passes > 1)}, {self.samples} samples"
        )

    @property
    def label(self) -> str:
        """Beside a point, where marks tell methods with settings apart."""
        return self.method if self.passes is None else f"{self.passes} × {self.samples}"


def tabulate_methods(tests: Tests, against: str) -> list[str]:
    """Two tables: figures of each method, and its differences from the method `against`."""
    done = {name: found for name, found in tests.items() if found}
    head = ("", "folds", *(m.title for m in MEASURES), COVERAGE.title)
    cost = ("risk by sigma", "ms an image", "training (s of a core)")
    lines = [table((*head, *cost), [_figures(name, found) for name, found in done.items()])]
    if against in done:
        others = {name: found for name, found in done.items() if name != against}
        lines += ["", *tabulate_differences(others, done[against], against)]
    return lines


def tabulate_differences(
    others: Tests,
    ours: Sequence[FoldResult],
    against: str,
    measures: Sequence[Measure] = MEASURES,
) -> list[str]:
    """How other methods differ from ours; p is Holm's over the methods of a column."""
    columns = []
    for measure in measures:
        own = scores(ours, measure)
        found = {name: scores(tests, measure) for name, tests in others.items()}
        columns.append(differences(found, own))
    rows = [
        (
            name,
            *(
                _difference(column.get(name), m)
                for column, m in zip(columns, measures, strict=True)
            ),
        )
        for name in others
    ]
    return [table((f"less {against}", *(m.title for m in measures)), rows)]


def tabulate_stages(tests: Tests) -> list[str]:
    """Each stage of each method, with its difference from the first stage."""
    rows = []
    for name, found in tests.items():
        stages = max(row["stage"] for row in found[0].rows)
        for stage in range(1, stages + 1):
            cells = []
            for measure in STAGE_MEASURES:
                first, own = scores(found, measure, 1), scores(found, measure, stage)
                cell = rounded(mean(own))
                if stage > 1 and (fall := difference(own, first)):
                    cell += f"; {_difference((fall, fall.p), measure)}"
                cells.append(cell)
            rows.append((f"{name}, stage {stage}", *cells))
    return [table(("", *(m.title for m in STAGE_MEASURES)), rows)]


def tabulate_quality(tests: Mapping[Setting, FoldResult]) -> list[str]:
    """Every setting with its time, fastest first; in bold those that none faster equals."""
    best: dict[str, float] = {}
    rows = []
    for setting, found in fastest_first(tests):
        cells = [f"{1000 * found.image_seconds:.1f}"]
        for measure in QUALITY_MEASURES:
            interval = mean(scores([found], measure))
            cell, value = rounded(interval), measure.better * (interval.value or 0.0)
            ahead = value > best.get(measure.title, -np.inf)
            best[measure.title] = max(value, best.get(measure.title, -np.inf))
            cells.append(f"**{cell}**" if ahead else cell)
        rows.append((setting.name, *cells))
    return [table(("", "ms an image", *(m.title for m in QUALITY_MEASURES)), rows)]


def fastest_first(tests: Mapping[Setting, FoldResult]) -> list[tuple[Setting, FoldResult]]:
    """By the time of an image."""
    return sorted(tests.items(), key=lambda item: item[1].image_seconds)


def rounded(interval: Interval, spec: str = ".3g") -> str:
    """A figure with its interval, short enough for a table."""
    return format(interval, spec)


def _figures(name: str, tests: Sequence[FoldResult]) -> tuple[str, ...]:
    means = [rounded(mean(scores(tests, measure))) for measure in (*MEASURES, COVERAGE)]
    image_ms = 1000 * np.median([test.image_seconds for test in tests])
    seconds = np.median([test.train_seconds for test in tests])
    cost = (f"{risk_area(tests):.2f}", f"{image_ms:.0f}", f"{seconds:.0f}")
    return name, str(len(tests)), *means, *cost


def _difference(found: tuple[Difference, float] | None, measure: Measure) -> str:
    """Says whether the other method is better or worse, where chance alone would hardly do so."""
    if found is None:
        return ""
    (each, p), sign = found, ""
    if p < _SIGNIFICANT and each.interval.value is not None:
        sign = " **better**" if each.interval.value * measure.better > 0 else " worse"
    return f"{rounded(each.interval, '+.3g')}, p {p:.2g}{sign}"
