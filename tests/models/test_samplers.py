"""Samplers of images whose pixels are drawn from a known Gaussian: what they give is known too."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from dfsynth.checkpoint import NOISE_LEVELS, DiffusionConfig, FlowConfig
from dfsynth.models import NO_INPUT, Denoiser, DiffusionNetwork, FlowNetwork
from dfsynth.models.samplers import (
    SAMPLERS_BY_NAME,
    Velocity,
    diffusion_schedule,
    flow_schedule,
    no_fresh_noise,
    scheduler,
    solver_levels,
)
from dfsynth.records import (
    DIFFUSION_SAMPLERS,
    FLOW_SAMPLERS,
    SAMPLERS,
    SamplerName,
    SamplerSettings,
)

MEAN = 0.3
GAUSSIANS = (0.05, 0.2, 0.5)
"""Standard deviations of the pixels."""


def start(seed: int = 0, count: int = 4) -> Tensor:
    return torch.randn(count, 1, 40, 40, generator=torch.Generator().manual_seed(seed))


def fresh(seed: int = 1) -> Callable[[Tensor], Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return lambda images: torch.randn(images.shape, generator=generator)


def diffusion_velocity(deviation: float) -> Velocity:
    """The exact one for pixels of N(MEAN, deviation²), by the mean of image given noisy image."""
    signal = diffusion_schedule().alphas_cumprod.double()

    def velocity(noisy: Tensor, level: float) -> Tensor:
        a = float(signal[int(level)])
        share = math.sqrt(a) * deviation**2 / (a * deviation**2 + 1 - a)
        image = MEAN + share * (noisy - math.sqrt(a) * MEAN)
        noise = (noisy - math.sqrt(a) * image) / math.sqrt(1 - a)
        return math.sqrt(a) * noise - math.sqrt(1 - a) * image

    return velocity


def diffusion_end(deviation: float, noise: Tensor) -> Tensor:
    """Where the ordinary differential equation leads, from the last level without error."""
    a = float(diffusion_schedule().alphas_cumprod.double()[-1])
    spread = math.sqrt(a * deviation**2 + 1 - a)
    return MEAN + deviation * (noise - math.sqrt(a) * MEAN) / spread


def flow_velocity(deviation: float) -> Velocity:
    """The exact one for pixels of N(MEAN, deviation²)."""

    def velocity(noisy: Tensor, time: float) -> Tensor:
        t = time / NOISE_LEVELS
        variance = (1 - t) ** 2 * deviation**2 + t**2
        away = (noisy - (1 - t) * MEAN) / variance
        return MEAN + ((1 - t) * deviation**2 - t) * away

    return velocity


def run(name: SamplerName, velocity: Velocity, noise: Tensor, steps: int) -> Tensor:
    return SAMPLERS_BY_NAME[name](velocity, noise, steps, fresh())


def error(found: Tensor, exact: Tensor) -> float:
    return float((found - exact).square().mean().sqrt())


def test_every_name_has_a_sampler() -> None:
    assert tuple(SAMPLERS_BY_NAME) == SAMPLERS
    assert set(DIFFUSION_SAMPLERS) | set(FLOW_SAMPLERS) == set(SAMPLERS)


@pytest.mark.parametrize("deviation", GAUSSIANS)
def test_fine_steps_end_where_the_equation_does(deviation: float) -> None:
    noise = start()
    exact = diffusion_end(deviation, noise)
    velocity = diffusion_velocity(deviation)
    assert error(run("ddim", velocity, noise, 1000), exact) < 0.003
    # It leaves the noise of level 0, a hundredth, of which the exact image is no part.
    assert error(run("dpm-solver", velocity, noise, 200), exact) < 0.01
    line = flow_velocity(deviation)
    for name in FLOW_SAMPLERS:
        assert error(run(name, line, noise, 1000), MEAN + deviation * noise) < 0.005


@pytest.mark.parametrize("deviation", GAUSSIANS)
@pytest.mark.parametrize("steps", [1, 2, 4, 5, 10, 20, 50])
def test_the_solver_is_nearer_to_the_end_than_as_many_steps_of_ddim(
    deviation: float, steps: int
) -> None:
    noise = start()
    exact, velocity = diffusion_end(deviation, noise), diffusion_velocity(deviation)
    ddim, solver = (
        error(run(name, velocity, noise, steps), exact) for name in ("ddim", "dpm-solver")
    )
    assert solver < (ddim if steps < 4 else 0.4 * ddim)


def test_the_solver_sees_each_step_once_from_pure_noise() -> None:
    seen: list[float] = []

    def velocity(noisy: Tensor, level: float) -> Tensor:
        seen.append(level)
        return torch.zeros_like(noisy)

    run("dpm-solver", velocity, start(), 4)
    assert seen == solver_levels(4)[:-1]


@pytest.mark.parametrize("steps", [10, 300, 700])
def test_the_solver_leads_an_image_on_to_the_middle_of_each_step(steps: int) -> None:
    """One that moves evenly with the log ratio, in steps that are not equally long.

    (1 + 1 / 2r) x(t) - x(t before) / 2r is then where x is half a step on.
    """
    signal = diffusion_schedule().alphas_cumprod.double()
    ratio = (signal / (1 - signal)).log() / 2

    def velocity(noisy: Tensor, level: float) -> Tensor:
        kept, noise = float(signal[int(level)].sqrt()), float((1 - signal[int(level)]).sqrt())
        image = float(ratio[int(level)])
        return kept * (noisy - kept * image) / noise - noise * image

    sample = start().double()
    expected, levels = sample.clone(), solver_levels(steps)
    for passed, (level, after) in enumerate(pairwise(levels)):
        towards = (ratio[level] + ratio[after]) / 2 if passed else ratio[level]
        length = ratio[after] - ratio[level]
        kept = ((1 - signal[after]) / (1 - signal[level])).sqrt()
        expected = kept * expected - signal[after].sqrt() * torch.expm1(-length) * towards
    torch.testing.assert_close(run("dpm-solver", velocity, sample, steps), expected)


@pytest.mark.parametrize("steps", [1, 2, 4, 37, 38, 50, 250, 800, 998, 999])
def test_levels_of_the_solver_fall_from_the_last_to_the_first(steps: int) -> None:
    levels = solver_levels(steps)
    assert (len(levels), levels[0], levels[-1]) == (steps + 1, 999, 0)
    assert all(a > b for a, b in pairwise(levels))


def test_levels_of_the_solver_are_equal_steps_of_the_log_ratio() -> None:
    signal = diffusion_schedule().alphas_cumprod.double()
    ratios = (signal / (1 - signal)).log() / 2
    steps = ratios[solver_levels(8)].diff()
    torch.testing.assert_close(steps, torch.full_like(steps, steps.mean()), rtol=0.05, atol=0)


def ancestral_deviation(deviation: float, steps: int) -> float:
    """What the steps make of the deviation 1 of the start: each is linear and adds some noise."""
    signal = diffusion_schedule().alphas_cumprod.double().tolist()
    variance, stride = 1.0, 1000 // steps
    for level in range(999, -1, -stride):
        a, after = signal[level], signal[level - stride] if level >= stride else 1.0
        added = (1 - after) / (1 - a) * (1 - a / after)
        image = math.sqrt(a) * deviation**2 / (a * deviation**2 + 1 - a)
        noise = (1 - math.sqrt(a) * image) / math.sqrt(1 - a)
        kept = math.sqrt(after) * image + math.sqrt(1 - after - added) * noise
        variance = kept**2 * variance + added
    return math.sqrt(variance)


@pytest.mark.parametrize("deviation", GAUSSIANS)
@pytest.mark.parametrize("steps", [5, 50, 500])
def test_ancestral_samples_have_the_moments_that_follow(deviation: float, steps: int) -> None:
    """They near those of the pixels from below: the smaller of the variances of DDPM is used."""
    found = run("ancestral", diffusion_velocity(deviation), start(count=16), steps)
    assert float(found.mean()) == pytest.approx(MEAN, abs=4 * deviation / 160 + 1e-3)
    assert float(found.std()) == pytest.approx(ancestral_deviation(deviation, steps), rel=0.02)
    assert ancestral_deviation(deviation, 1000) == pytest.approx(deviation, rel=0.08)


def test_ancestral_steps_of_every_level_are_those_of_ddpm() -> None:
    velocity, noise, added = diffusion_velocity(0.2), start(count=1), fresh()
    found = SAMPLERS_BY_NAME["ancestral"](velocity, noise, 1000, added)
    schedule = scheduler("ddpm", "DDPMScheduler")(
        1000, "linear_beta", clip_sample=False, prediction_type="v_prediction"
    )
    sample, generator = noise, torch.Generator().manual_seed(1)
    for level in range(999, -1, -1):
        sample, _ = schedule.step(velocity(sample, level), level, sample, generator)
    torch.testing.assert_close(found, sample, rtol=0, atol=1e-3)


def test_ancestral_samples_follow_from_both_noises() -> None:
    velocity, noise = diffusion_velocity(0.2), start()
    ancestral = SAMPLERS_BY_NAME["ancestral"]
    same = [ancestral(velocity, noise, 10, fresh(seed)) for seed in (1, 1, 2)]
    torch.testing.assert_close(same[0], same[1], rtol=0, atol=0)
    assert error(same[0], same[2]) > 0.05
    with pytest.raises(ValueError, match="the sampler adds noise to 4 images"):
        ancestral(velocity, noise, 10, no_fresh_noise)
    # One step goes to the image that is seen in noise, which is certain.
    torch.testing.assert_close(
        ancestral(velocity, noise, 1, no_fresh_noise), run("ddim", velocity, noise, 1)
    )


def test_midpoint_is_of_the_second_order_and_euler_of_the_first() -> None:
    noise, line = start(), flow_velocity(0.5)
    exact = MEAN + 0.5 * noise
    ratios = []
    for name in FLOW_SAMPLERS:
        coarse, fine = (error(run(name, line, noise, n), exact) for n in (20, 40))
        ratios.append(coarse / fine)
    assert ratios[0] == pytest.approx(2, rel=0.15)
    assert ratios[1] > 3.5
    for steps in (4, 10, 20):
        euler, midpoint = (error(run(n, line, noise, steps), exact) for n in FLOW_SAMPLERS)
        assert midpoint < 0.6 * euler


def networks() -> list[Denoiser]:
    span = (-1.0, 3.0)
    return [
        DiffusionNetwork(DiffusionConfig((8, 16), 1, span, 4, drop_condition=0.1)),
        FlowNetwork(FlowConfig((8, 16), 1, span, 4, drop_condition=0.1)),
    ]


def test_what_was_drawn_before_there_was_a_choice_is_drawn_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DDIM with eta 0 and Euler, as the networks' own loops were written; to the bit."""
    noise, given = start(), start(5)

    def forward(_: Denoiser, noisy: Tensor, image: Tensor, times: Tensor) -> Tensor:
        return torch.sin(3 * noisy) + 0.3 * image - times[:, None, None, None] / NOISE_LEVELS

    monkeypatch.setattr(Denoiser, "forward", forward)
    diffusion, flow = networks()
    schedule, sample = diffusion_schedule(), noise
    schedule.set_timesteps(4)
    for level in (999, 749, 499, 249):
        now = torch.full((4,), float(level))
        sample, _ = schedule.step(diffusion(sample, given, now), level, sample)
    assert torch.equal(diffusion.draw(given, noise), diffusion.restore(sample, given))
    schedule, sample = flow_schedule(), noise
    schedule.set_timesteps(4)
    for time in (1000.0, 750.0, 500.0, 250.0):
        velocity = flow(sample, given, torch.full((4,), time))
        sample, _ = schedule.step(velocity, time, sample)
    assert torch.equal(flow.draw(given, noise), flow.restore(sample, given))


@pytest.mark.parametrize("network", networks())
def test_guidance_leads_away_from_what_is_drawn_without_an_input(
    network: Denoiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []

    def forward(_: Denoiser, noisy: Tensor, image: Tensor, times: Tensor) -> Tensor:
        assert noisy.shape == image.shape
        assert times.shape == image.shape[:1]
        passes.append(len(image))
        return image - 0.1 * noisy

    monkeypatch.setattr(Denoiser, "forward", forward)
    given, noise, plain = start(5), start(), network.config.sampling
    first = plain.sampler

    def draw(guidance: float, image: Tensor = given) -> Tensor:
        return network.draw(image, noise, SamplerSettings(first, 4, guidance))

    assert torch.equal(draw(0), network.draw(given, noise))
    assert passes == [4] * 8
    passes.clear()
    guided = draw(1.5)
    assert passes == [8] * 4
    # Velocities are linear here, so the guided one is that of an image moved in the same way.
    moved = 2.5 * given - 1.5 * torch.full_like(given, NO_INPUT)
    torch.testing.assert_close(guided, draw(0, moved), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("network", networks())
def test_a_network_is_sampled_by_each_of_its_family(network: Denoiser) -> None:
    drawn: dict[str, Any] = {}
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.02)
        for name in network.config.samplers:
            settings = SamplerSettings(name, 2, 0.5)
            drawn[name] = network.draw(start(5), start(), settings, fresh())
            assert drawn[name].shape == (4, 1, 40, 40)
            assert drawn[name].isfinite().all()
    names = list(drawn)
    assert all(not torch.equal(drawn[a], drawn[b]) for a, b in pairwise(names))
