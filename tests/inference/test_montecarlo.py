"""Statistics over samples, against float64."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from dfsynth.inference import MonteCarlo
from dfsynth.inference.montecarlo import RunningMoments, pool
from dfsynth.models import Moments


def maps_of(statistics: MonteCarlo) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, aleatoric and epistemic standard deviation."""
    return statistics.mean(), statistics.aleatoric_variance().sqrt(), statistics.spread()


def run(
    means: NDArray[np.float32], sigmas: NDArray[np.float32], cuts: list[int]
) -> list[NDArray[np.float32]]:
    statistics = MonteCarlo()
    for part_b, part_s in zip(
        np.split(means, cuts, axis=1), np.split(sigmas, cuts, axis=1), strict=True
    ):
        statistics.add(torch.from_numpy(part_b), torch.from_numpy(part_s))
    return [m.numpy() for m in maps_of(statistics)]


@st.composite
def sampled(draw: st.DrawFn) -> tuple[NDArray[np.float32], NDArray[np.float32], list[int]]:
    """(n, T, H, W) maps with a large common offset, and where to cut them into portions."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    samples = draw(st.integers(1, 25))
    shape = (draw(st.integers(1, 3)), samples, 3, 2)
    offset = draw(st.sampled_from([0.0, 0.3, -20.0, 1000.0]))
    spread = draw(st.sampled_from([1e-2, 0.3, 5.0]))
    means = (offset + spread * rng.standard_normal(shape)).astype(np.float32)
    sigmas = (rng.uniform(0.5, 2, shape) * draw(st.sampled_from([1e-3, 0.1, 30.0]))).astype(
        np.float32
    )
    most = max(samples - 1, 0)
    cuts = draw(st.lists(st.integers(1, samples - 1), unique=True, max_size=most)) if most else []
    return means, sigmas, sorted(cuts)


@settings(deadline=None, max_examples=60)
@given(sampled())
def test_the_three_maps_are_exact(
    case: tuple[NDArray[np.float32], NDArray[np.float32], list[int]],
) -> None:
    means, sigmas, cuts = case
    mean, aleatoric, epistemic = run(means, sigmas, cuts)
    b, s = means.astype(np.float64), sigmas.astype(np.float64)
    np.testing.assert_allclose(mean, b.mean(axis=1), rtol=0, atol=3e-7 * np.abs(b).max())
    np.testing.assert_allclose(aleatoric, np.sqrt((s**2).mean(axis=1)), rtol=2e-6)
    # The population's: divided by T. Sums of squares would lose 0.01 beside 1000 altogether.
    np.testing.assert_allclose(epistemic, b.std(axis=1), rtol=1e-4, atol=1e-7)


@settings(deadline=None, max_examples=40)
@given(sampled())
def test_portions_change_no_bit(
    case: tuple[NDArray[np.float32], NDArray[np.float32], list[int]],
) -> None:
    means, sigmas, cuts = case
    for whole, cut in zip(run(means, sigmas, []), run(means, sigmas, cuts), strict=True):
        assert np.array_equal(whole, cut)


def test_known_variances() -> None:
    """Mean over average, root of the average of squares, and the spread of b: no other mix."""
    means = torch.tensor([1.0, 3.0]).view(1, 2, 1, 1)
    sigmas = torch.tensor([0.3, 0.4]).view(1, 2, 1, 1)
    statistics = MonteCarlo()
    statistics.add(means, sigmas)
    mean, aleatoric, epistemic = (float(m) for m in maps_of(statistics))
    assert mean == pytest.approx(2.0)
    assert aleatoric == pytest.approx((0.5 * (0.09 + 0.16)) ** 0.5)
    assert epistemic == pytest.approx(1.0)


def test_one_sample_has_no_epistemic_spread() -> None:
    flat = np.full((2, 1, 2, 2), 0.7, np.float32)
    mean, aleatoric, epistemic = run(flat, flat, [])
    assert (mean == np.float32(0.7)).all()
    np.testing.assert_allclose(aleatoric, 0.7, rtol=1e-6)
    assert (epistemic == 0).all()


def test_equal_samples_have_no_spread_however_many() -> None:
    means = np.full((1, 37, 2, 2), 123.456, np.float32)
    assert (run(means, means, [5, 6, 20])[2] == 0).all()


def test_half_samples_are_summed_in_float32() -> None:
    statistics = MonteCarlo()
    halves = torch.full((1, 300, 1, 1), 0.1, dtype=torch.bfloat16)
    statistics.add(halves, halves)
    mean, aleatoric, _ = maps_of(statistics)
    assert mean.dtype == aleatoric.dtype == torch.float32
    assert float(mean) == pytest.approx(float(halves[0, 0].float()), rel=1e-5)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    shares=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    offset=st.sampled_from([0.0, 0.3, 100.0]),
)
def test_pooled_moments_are_those_of_all_samples(
    seed: int, shares: list[int], offset: float
) -> None:
    rng = np.random.default_rng(seed)
    means = [offset + rng.standard_normal((2, n, 3, 2)) + rng.standard_normal() for n in shares]
    variances = [rng.uniform(0.1, 2, (2, n, 3, 2)) for n in shares]

    def moments(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> list[Tensor]:
        maps = (mean.mean(1, keepdims=True), variance.mean(1, keepdims=True))
        return [torch.from_numpy(m).float() for m in (*maps, mean.std(1, keepdims=True))]

    parts = [Moments(*moments(m, v)) for m, v in zip(means, variances, strict=True)]
    found = pool(parts, shares)
    mean, variance, spread = moments(np.concatenate(means, 1), np.concatenate(variances, 1))
    torch.testing.assert_close(found.mean, mean, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(found.variance, variance, rtol=1e-5, atol=0)
    torch.testing.assert_close(found.spread, spread, rtol=2e-4, atol=2e-4)


def test_one_member_alone_keeps_every_bit() -> None:
    only = Moments(*torch.rand(3, 1, 1, 4, 4))
    assert pool([only], [3]) is only


def test_members_that_agree_but_for_their_means_spread_by_those() -> None:
    flat = torch.ones(1, 1, 2, 2)
    found = pool([Moments(flat, flat, 0 * flat), Moments(4 * flat, 3 * flat, 0 * flat)], [2, 1])
    assert torch.equal(found.mean, 2 * flat)
    torch.testing.assert_close(found.variance, flat * 5 / 3)
    torch.testing.assert_close(found.spread, flat * 2**0.5)


def test_nothing_added_is_an_error() -> None:
    with pytest.raises(ValueError, match="no Monte-Carlo sample"):
        maps_of(MonteCarlo())
    with pytest.raises(ValueError, match="no Monte-Carlo sample"):
        RunningMoments().mean()
