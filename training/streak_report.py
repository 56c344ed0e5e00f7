"""What `streak_table.py` found, in Markdown: the paper's two tables beside ours, and their cost.

A figure of a run is its median over the test slices; tables give medians and quartiles over seeds.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from streak_runs import Figures, LossConfiguration, Result, Run, Study

from dfsynth.checkpoint import CascadeConfig
from dfsynth.description.markdown import table
from dfsynth.evaluate.streaks import (
    Configuration,
    all_pairs,
    baseline_pairs,
    compare_configurations,
    seed_spread,
    tabulate_configurations,
    tabulate_tests,
)

_TRUTH_FIGURES: Final[Mapping[str, str]] = {
    "lung_relative_bias": "lung bias (share)",
    "rim_relative_bias": "bias at the lung's rim (share)",
    "rmse_per_m": "RMSE (1/m)",
    "streak_power_per_m2": "streak power (1/m²)",
    "line_spread_fwhm_mm": "line spread (mm)",
    "contrast_to_error": "contrast to error",
    "cnr": "CNR",
}
"""Name → head of a column: what smoothing costs, and what it gains beside it."""
_TESTED: Final = ("cnr", "edge_fwhm_px", "contrast_to_error")
_UNTRAINED: Final[Mapping[str, str]] = {"input": "one rotation", "target": "all rotations"}
_SIGNIFICANT: Final = 0.05


def report(study: Study, runs: Sequence[Run]) -> list[str]:
    """Lines of all tables over those of the runs that are done."""
    results = [found for run in runs if (found := study.result_of(run)) is not None]
    network = study.recipe.network
    assert isinstance(network, CascadeConfig)
    lines = [
        f"{len(results)} of {len(runs)} runs; {study.source.description}; {len(study.truths)} test "
        f"slices; {study.recipe.name}: widths {list(network.widths)}, patches of "
        f"{study.recipe.augmentation.crop}, batches of {study.recipe.batch}",
    ]
    if not results:
        return lines
    configurations = _configurations(results)
    for figure in ("cnr", "fwhm_px"):
        lines += ["", *tabulate_configurations(configurations, figure)]
    header = ("against the truth", *_TRUTH_FIGURES.values())
    lines += ["", table(header, _truth_rows(study, results))]
    for figure in _TESTED:
        lines += _tests(figure, results, configurations)
    return lines


def _by_configuration(
    results: Sequence[Result], figure: str
) -> Mapping[LossConfiguration, Mapping[int, float]]:
    """Configuration → seed → median over slices."""
    found: dict[LossConfiguration, dict[int, float]] = {}
    for result in results:
        run = result.run
        found.setdefault(run.configuration, {})[run.seed] = _median(result.slices, figure)
    return found


def _median(slices: Mapping[str, Figures], figure: str) -> float:
    values = np.array([figures[figure] for figures in slices.values()])
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _configurations(results: Sequence[Result]) -> list[Configuration]:
    widths = _by_configuration(results, "edge_fwhm_px")
    return [
        Configuration(
            name=configuration.title,
            loss="L2" if configuration.misfit == "l2" else "L1",
            amplified=configuration.kind != "none",
            cnr=cnr,
            fwhm_px=widths[configuration],
        )
        for configuration, cnr in _by_configuration(results, "cnr").items()
    ]


def _truth_rows(study: Study, results: Sequence[Result]) -> Iterator[list[str]]:
    """What the truth says of each configuration, and of slices without any network."""
    for name, title in _UNTRAINED.items():
        slices = study.untrained(name)
        yield [title, *(f"{_median(slices, figure):.3f}" for figure in _TRUTH_FIGURES)]
    slices = study.untrained("target")
    known = {"line_spread_fwhm_mm": "truth_line_spread_fwhm_mm", "cnr": "truth_cnr"}
    cells = [f"{_median(slices, known[f]):.3f}" if f in known else "–" for f in _TRUTH_FIGURES]
    yield ["truth", *cells]
    columns = [_by_configuration(results, figure) for figure in _TRUTH_FIGURES]
    for configuration in columns[0]:
        spreads = [seed_spread(column[configuration]) for column in columns]
        cells = [f"{s.median:.3f} ({s.p25:.3f} to {s.p75:.3f})" for s in spreads]
        yield [configuration.title, *cells]


def _tests(
    figure: str, results: Sequence[Result], configurations: Sequence[Configuration]
) -> list[str]:
    """Amplified losses against the plain ones by shared seeds, and all against all."""
    values = {c.title: seeds for c, seeds in _by_configuration(results, figure).items()}
    finite = {
        name: {seed for seed, value in seeds.items() if np.isfinite(value)}
        for name, seeds in values.items()
    }
    baselines = [(a, b) for a, b in baseline_pairs(configurations) if finite[a] & finite[b]]
    pairs = [(a, b) for a, b in all_pairs(list(values)) if finite[a] and finite[b]]
    lines = ["", f"{figure}: amplified against plain, signed ranks of shared seeds", ""]
    lines += tabulate_tests(compare_configurations(values, baselines, "signed-rank"))
    tests = compare_configurations(values, pairs, "rank-sum")
    apart = [test for test in tests if test.p_holm < _SIGNIFICANT]
    lines += ["", f"{figure}: {len(apart)} of all {len(tests)} pairs differ, rank sums", ""]
    return lines + (tabulate_tests(apart) if apart else [])
