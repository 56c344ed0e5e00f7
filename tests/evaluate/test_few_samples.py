"""Intervals of a card hold what they say, however many samples an image is drawn of."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import norm

from dfsynth.checkpoint import (
    CascadeConfig,
    DenoiserMembersConfig,
    FlowConfig,
    NetworkConfig,
    read_checkpoint,
)
from dfsynth.evaluate import EvaluatedCheckpoint, Evaluation, evaluate_pairs
from dfsynth.evaluate.calibration import LEVELS
from dfsynth.evaluate.few_samples import factors_at
from dfsynth.inference import MapBatch
from dfsynth.inference.sampling import sample_moments
from dfsynth.options import DEFAULT_MC_SAMPLES, EvaluationOptions
from dfsynth.progress import Silent

FLOW = FlowConfig((8, 16), 1, (0.0, 1.0), 4)
NORMAL = {str(level): float(norm.ppf(0.5 + level / 2)) for level in LEVELS}


@dataclass(frozen=True)
class Drawing:
    """Draws samples around the radiograph, of a deviation that is `share` of the noise's, 0.2."""

    samples: int
    members: int = 1
    share: float = 1.0

    def auto_batch_size(self, grid: tuple[int, int]) -> int:
        return 1 if grid else 0

    def stages(
        self, images: NDArray[np.float32], image_ids: list[str], contents: object
    ) -> list[MapBatch]:
        assert contents
        rng = np.random.default_rng([5, int(image_ids[0].split()[1])])
        noise = rng.standard_normal((len(images), self.samples, *images.shape[1:]))
        drawn = torch.from_numpy(images[:, None] + 0.2 * self.share * noise).float()
        parts = [drawn[:, m :: self.members] for m in range(self.members)]
        found = sample_moments(parts, (0.0, 1.0))
        sigma = found.within.numpy()
        beta = np.full_like(sigma, 2.0)
        return [MapBatch(found.mean.numpy(), sigma, np.zeros_like(sigma), None, beta)]


@pytest.fixture
def measured(tiny_checkpoint: Path, make_pairs: Callable[..., Any]) -> Callable[..., Evaluation]:
    """Evaluates a generator that draws samples, on pairs whose noise is the same everywhere."""
    files = read_checkpoint(tiny_checkpoint)

    class EvenPairs(type(make_pairs())):  # type: ignore[misc]
        """The noise has a deviation of 0.2."""

        def read(self, index: int) -> Any:
            pair = super().read(index)
            noise = 0.2 * np.random.default_rng([6, index]).standard_normal(pair.image.shape)
            return replace(pair, target=(pair.image + noise).astype(np.float32))

    def run(
        generator: Any, arguments: NetworkConfig, factors: Any = None, **options: Any
    ) -> Evaluation:
        card = replace(files.card, arguments=arguments, calibration=dict(factors or {}))
        checkpoint = EvaluatedCheckpoint(replace(files, card=card), generator, "cpu", "fp32")
        wanted = EvaluationOptions("x", Path("y"), mc_samples=generator.samples, **options)
        return evaluate_pairs(wanted, checkpoint, EvenPairs(16), Silent()).scores

    return run


@pytest.mark.parametrize(("share", "members"), [(1.0, 1), (0.5, 1), (1.0, 2)])
def test_a_card_that_was_calibrated_with_many_samples_holds_with_few(
    measured: Callable[..., Evaluation], share: float, members: int
) -> None:
    """Of as good samples as the target itself, and of samples that differ half as much."""
    arguments = FLOW if members == 1 else DenoiserMembersConfig(members, FLOW)
    many = Drawing(DEFAULT_MC_SAMPLES, members, share)
    factors = measured(many, arguments, calibration="pairs").calibration.stages[-1]
    for samples in (4, 50):
        few = Drawing(samples, members, share)
        found = measured(few, arguments, factors, calibration="card").stages[-1].whole.noisy
        by_level = found.coverage_50, found.coverage_80, found.coverage, found.coverage_95
        held = [interval.value for interval in by_level]
        assert held == pytest.approx(list(LEVELS), abs=0.025)


@pytest.mark.parametrize(("stages", "said"), [(1, 0), (2, 1)])
def test_a_card_is_said_to_know_the_last_of_several_stages_alone(
    measured: Callable[..., Evaluation], stages: int, said: int
) -> None:
    found = measured(Drawing(4), CascadeConfig(stages, (8, 16)), NORMAL, calibration="card")
    assert sum("stages but the last" in warning for warning in found.warnings) == said


def test_factors_of_normal_samples_are_those_of_a_prediction_interval() -> None:
    """Of five values, tables have 2.335 for 90 %; what very many give is the normal quantile."""
    found = factors_at(NORMAL, FLOW, 10**6, 5)
    assert found["0.9"] == pytest.approx(2.335, abs=2e-3)


def test_factors_change_only_where_the_deviation_is_that_of_samples() -> None:
    assert factors_at(NORMAL, CascadeConfig(1, (8, 16)), DEFAULT_MC_SAMPLES, 4) == NORMAL
    assert factors_at(NORMAL, FLOW, DEFAULT_MC_SAMPLES, DEFAULT_MC_SAMPLES) == NORMAL
    there = factors_at(NORMAL, FLOW, DEFAULT_MC_SAMPLES, 4)
    assert all(there[level] > factor for level, factor in NORMAL.items())
    assert factors_at(there, FLOW, 4, DEFAULT_MC_SAMPLES) == pytest.approx(NORMAL)
