"""Configurations over seeds: tables beside published figures, and tests."""

import numpy as np
import pytest

from dfsynth.evaluate.streaks import (
    Configuration,
    all_pairs,
    baseline_pairs,
    compare_configurations,
    tabulate_configurations,
    tabulate_tests,
)


def figures(mean: float, seed: int, count: int = 10) -> dict[int, float]:
    return dict(enumerate(np.random.default_rng(seed).normal(mean, 0.1, count).tolist()))


@pytest.fixture
def configurations() -> list[Configuration]:
    return [
        Configuration("L1", "L1", False, figures(1.8, 0), figures(54, 1)),
        Configuration("L1 S linear", "L1", True, figures(2.3, 2), figures(54, 3)),
        Configuration("L2", "L2", False, figures(1.9, 4), figures(53, 5)),
        Configuration("L2 S+F linear", "L2", True, figures(1.9, 6), figures(53, 7)),
    ]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_ours_stand_beside_what_was_published_of_other_data(configurations) -> None:
    lines = tabulate_configurations(configurations, "cnr")
    assert "other data" in cells(lines[0])[-1]
    assert [cells(line)[0] for line in lines[2:]] == [c.name for c in configurations]
    assert [cells(line)[-1] for line in lines[2:]] == ["1.78", "up to 2.21", "1.89", "up to 2.52"]
    low, middle, high = np.percentile(list(configurations[0].cnr.values()), [25, 50, 75])
    assert cells(lines[2])[1:3] == [f"{middle:.2f} ({low:.2f} to {high:.2f})", "10"]
    widths = tabulate_configurations(configurations, "fwhm_px")
    assert {cells(line)[-1] for line in widths[2:]} == {"52 to 56"}
    assert float(cells(widths[2])[1].split()[0]) == pytest.approx(54, abs=0.2)


def test_seeds_without_a_figure_are_left_out(configurations) -> None:
    gaps = {0: float("nan"), 1: 2.0}
    one = Configuration("gap", "L1", False, gaps, {0: float("nan")})
    assert cells(tabulate_configurations([one], "cnr")[2])[1:3] == ["2.00 (2.00 to 2.00)", "1"]
    assert cells(tabulate_configurations([one], "fwhm_px")[2])[1:3] == ["undefined", "0"]
    with pytest.raises(ValueError, match="different names"):
        tabulate_configurations([one, one], "cnr")


def test_baselines_are_compared_with_the_losses_of_their_kind(configurations) -> None:
    assert baseline_pairs(configurations) == [("L1", "L1 S linear"), ("L2", "L2 S+F linear")]


@pytest.mark.parametrize("method", ["rank-sum", "signed-rank"])
def test_a_gain_is_found_and_none_is_not(configurations, method) -> None:
    values = {c.name: c.cnr for c in configurations}
    gain, none = compare_configurations(values, baseline_pairs(configurations), method)
    assert gain.difference == pytest.approx(0.5, abs=0.1)
    assert gain.p_holm < 0.01
    assert gain.p_holm == gain.least_p_holm == 2 * gain.p
    assert none.p_holm == none.p > 0.05
    lines = tabulate_tests([gain, none])
    assert cells(lines[2])[:4] == ["L1", "L1 S linear", "10 / 10", f"{gain.difference:+.3f}"]


def test_ten_seeds_are_too_few_for_signed_ranks_of_all_eighteen() -> None:
    """And enough for rank sums: why the latter are the default."""
    values = {str(n): figures(n, n) for n in range(18)}
    pairs = all_pairs(list(values))
    assert len(pairs) == 153
    signed = compare_configurations(values, pairs, "signed-rank")
    assert all(test.p_holm > 0.05 for test in signed)
    assert signed[0].least_p_holm == pytest.approx(153 * 2 / 1024)
    assert all(test.p_holm < 0.01 for test in compare_configurations(values, pairs))


def test_signed_ranks_pair_seeds_and_rank_sums_do_not() -> None:
    """A small gain at every seed, far under the spread between seeds."""
    first = {seed: float(seed) for seed in range(10)}
    second = {seed: value + 0.1 + seed / 1000 for seed, value in first.items()}
    values = {"a": first, "b": second | {99: 5.0}}
    (paired,) = compare_configurations(values, [("a", "b")], "signed-rank")
    (apart,) = compare_configurations(values, [("a", "b")])
    assert (paired.seeds, apart.seeds) == ((10, 10), (10, 11))
    assert paired.p == pytest.approx(2 / 1024)
    assert apart.p > 0.5


@pytest.mark.parametrize("method", ["rank-sum", "signed-rank"])
def test_equal_figures_do_not_differ(method) -> None:
    same = {0: 1.0, 1: 2.0, 2: 3.0}
    (found,) = compare_configurations({"a": same, "b": dict(same)}, [("a", "b")], method)
    assert (found.difference, found.p) == (0.0, 1.0)


def test_pairs_without_common_seeds_are_refused() -> None:
    values = {"a": {0: 1.0}, "b": {1: 2.0}, "c": {0: float("nan")}}
    with pytest.raises(ValueError, match=r"a against b.*same seeds"):
        compare_configurations(values, [("a", "b")], "signed-rank")
    with pytest.raises(ValueError, match="a against c"):
        compare_configurations(values, [("a", "c")])
