"""What leads from noise to a sample, given the velocities that a network predicts.

With a_t the share of the squared signal that is left at level t ("alpha bar" of Ho et al. 2020), a
noisy image is x_t = sqrt(a_t) x + sqrt(1 - a_t) e, and the velocity is v = sqrt(a_t) e -
sqrt(1 - a_t) x (Salimans & Ho, ICLR 2022), from which image and noise follow. MONAI has DDIM and
Euler steps. Its DDPM goes one level a step however few the steps are
(findings/monai-ddpm-fewer-steps.sh), and draws its noise for a whole batch; it has no DPM-Solver.
"""

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dfsynth.checkpoint import NOISE_LEVELS
from dfsynth.counted_nouns import counted
from dfsynth.extras import load_extra
from dfsynth.records import SamplerName

Velocity: TypeAlias = Callable[[Tensor, float], Tensor]
"""Noisy images (n, 1, H, W) and a time in [0, NOISE_LEVELS] → velocities, float32 of that shape."""
FreshNoise: TypeAlias = Callable[[Tensor], Tensor]
"""Images (n, 1, H, W) → standard normal noise of their shape, another one at every call."""
Sampler: TypeAlias = Callable[[Velocity, Tensor, int, FreshNoise], Tensor]
"""Velocity, noise to start from (n, 1, H, W), passes of the network, fresh noise → samples."""


def diffusion_schedule() -> Any:
    """Makes MONAI's DDIM scheduler of the levels that diffusion networks are trained on."""
    return scheduler("ddim", "DDIMScheduler")(
        NOISE_LEVELS, "linear_beta", clip_sample=False, prediction_type="v_prediction"
    )


def flow_schedule() -> Any:
    """Makes MONAI's scheduler of straight lines from noise to image."""
    return scheduler("rectified_flow", "RFlowScheduler")(NOISE_LEVELS, use_discrete_timesteps=False)


def scheduler(module: str, name: str) -> Any:
    """Finds a class of MONAI's schedulers.

    Raises:
        UsageError: MONAI is not installed.
    """
    found = load_extra(f"monai.networks.schedulers.{module}", "this network", "diffusion")
    return getattr(found, name)


def solver_levels(steps: int) -> list[int]:
    """The levels that DPM-Solver++ passes, `steps` + 1 of them, from the last level to level 0.

    Their log signal-to-noise ratios are spaced as equally as whole levels allow ("uniform logSNR",
    Lu et al. 2022, section 6); `steps` is below `NOISE_LEVELS`.
    """
    ratios = _half_log_ratios(diffusion_schedule().alphas_cumprod.double().numpy())
    wanted = np.linspace(ratios[-1], ratios[0], steps + 1)
    nearest = np.abs(ratios[:, None] - wanted).argmin(axis=0)
    # No level twice: pushed apart from the end of many steps, and from the start.
    passed = np.arange(steps + 1)
    apart = np.maximum.accumulate((nearest + passed)[::-1])[::-1] - passed
    return [int(level) for level in np.minimum(apart, NOISE_LEVELS - 1 - passed)]


def ddim_from(levels: int, velocity: Velocity, noisy: Tensor, steps: int) -> Tensor:
    """DDIM with eta 0: Song et al., ICLR 2021, equation (12).

    It starts at the last of `levels` and steps by equal numbers of levels (Lin et al., WACV 2024,
    "trailing"): MONAI's own choice of levels is spaced otherwise than its steps.

    Args:
        levels: a multiple of the levels of a step, up to all of them.
        velocity: of noisy images.
        noisy: (n, 1, H, W), with the noise of that level.
        steps: passes of the network from pure noise; from fewer levels there are fewer.
    """
    schedule = diffusion_schedule()
    schedule.set_timesteps(steps)
    sample = noisy
    for level in _trailing(steps):
        if level < levels:
            sample, _image = schedule.step(velocity(sample, level), level, sample)
    return sample


def _ddim(velocity: Velocity, noise: Tensor, steps: int, _: FreshNoise) -> Tensor:
    """`ddim_from` the last of all levels, which is noise."""
    return ddim_from(NOISE_LEVELS, velocity, noise, steps)


def _ancestral(velocity: Velocity, noise: Tensor, steps: int, fresh: FreshNoise) -> Tensor:
    """DDPM, of as many levels a step: Song et al., ICLR 2021, equations (12) and (16), eta 1.

    In 1000 steps it is algorithm 2 of Ho et al., NeurIPS 2020, with the smaller of their variances.
    The last step adds no noise.
    """
    signal = diffusion_schedule().alphas_cumprod.double()
    sample, stride = noise, NOISE_LEVELS // steps
    for level in _trailing(steps):
        here = float(signal[level])
        after = float(signal[level - stride]) if level >= stride else 1.0
        image, noise_found = _parts(velocity(sample, level), sample, here)
        variance = (1 - after) / (1 - here) * (1 - here / after)
        sample = math.sqrt(after) * image + math.sqrt(1 - after - variance) * noise_found
        if after < 1:
            sample = sample + math.sqrt(variance) * fresh(sample)
    return sample


def _dpm_solver(velocity: Velocity, noise: Tensor, steps: int, _: FreshNoise) -> Tensor:
    """DPM-Solver++ (2M): Lu et al. 2022, arXiv:2211.01095, algorithm 2; its first step of order 1.

    With alpha = sqrt(a), sigma = sqrt(1 - a), lambda = log(alpha / sigma), h the step in lambda and
    r the last step over this one, a step is

        D = (1 + 1 / 2r) x(t) - 1 / 2r x(t before)
        x_next = sigma_next / sigma x_t - alpha_next (exp(-h) - 1) D

    with x(t) the image that the network sees in x_t. It ends at level 0, as theirs does, whose
    noise is a hundredth of the half width of the span.
    """
    signal = diffusion_schedule().alphas_cumprod.double().numpy()
    ratios = _half_log_ratios(signal)
    levels = solver_levels(steps)
    sample, before, last_step = noise, None, 0.0
    for level, after in pairwise(levels):
        image, _noise = _parts(velocity(sample, level), sample, float(signal[level]))
        step = float(ratios[after] - ratios[level])
        towards = image
        if before is not None:
            weight = step / (2 * last_step)
            towards = (1 + weight) * image - weight * before
        shrunk = math.sqrt((1 - signal[after]) / (1 - signal[level]))
        sample = shrunk * sample - math.sqrt(signal[after]) * math.expm1(-step) * towards
        before, last_step = image, step
    return sample


def _euler(velocity: Velocity, noise: Tensor, steps: int, _: FreshNoise) -> Tensor:
    """Euler steps of equal length along the lines of flow matching."""
    schedule = flow_schedule()
    schedule.set_timesteps(steps)
    sample = noise
    for passed in range(steps):
        # Not the scheduler's times, which are rounded to half floats.
        time = NOISE_LEVELS * (1 - passed / steps)
        sample, _image = schedule.step(velocity(sample, time), time, sample)
    return sample


def _midpoint(velocity: Velocity, noise: Tensor, steps: int, _: FreshNoise) -> Tensor:
    """The midpoint rule (Runge-Kutta of order 2), two passes of the network a step of the line."""
    sample, length = noise, 2 / steps
    for passed in range(steps // 2):
        time = 1 - passed * length
        middle = sample + length / 2 * velocity(sample, NOISE_LEVELS * time)
        sample = sample + length * velocity(middle, NOISE_LEVELS * (time - length / 2))
    return sample


SAMPLERS_BY_NAME: Final[Mapping[SamplerName, Sampler]] = {
    "ddim": _ddim,
    "ancestral": _ancestral,
    "dpm-solver": _dpm_solver,
    "euler": _euler,
    "midpoint": _midpoint,
}
"""Those of `dfsynth.records.SAMPLERS`; a configuration says which are of its family."""


def no_fresh_noise(images: Tensor) -> Tensor:
    """Stands in where a sampler adds none.

    Raises:
        ValueError: it was asked for after all.
    """
    raise ValueError(
        f"the sampler adds noise to {counted(len(images), 'image')}; expected a source of it"
    )


def _trailing(steps: int) -> range:
    return range(NOISE_LEVELS - 1, -1, -(NOISE_LEVELS // steps))


def _parts(velocity: Tensor, sample: Tensor, signal: float) -> tuple[Tensor, Tensor]:
    """Image and noise of noisy images whose squared signal is `signal`, by their velocity."""
    kept, noise = math.sqrt(signal), math.sqrt(1 - signal)
    return kept * sample - noise * velocity, kept * velocity + noise * sample


def _half_log_ratios(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lambda, half the log of squared signal over squared noise, of each level; falling."""
    return np.log(signal / (1 - signal)) / 2
