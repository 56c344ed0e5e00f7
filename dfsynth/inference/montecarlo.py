"""Statistics over Monte-Carlo dropout samples, accumulated in float32.

Kendall & Gal, NeurIPS 2017, equation 9, with the generalised Gaussian's variance: the mean is the
average of b; the aleatoric variance the average of sigma²; the epistemic variance the variance of
b over the samples, (1/T) Σ b² − ((1/T) Σ b)².
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from dfsynth.models import Moments


class RunningMoments:
    """Mean and standard deviation over samples that come in portions; maps are (n, H, W).

    Sums of deviations from the first sample: sums of squares themselves would lose a small
    spread to rounding.
    """

    def __init__(self) -> None:
        self._count = 0
        self._origin = self._shift = self._square = torch.zeros(())

    def add(self, samples: Tensor) -> None:
        """Takes in samples (n, samples, H, W)."""
        samples = samples.float()
        if self._count == 0:
            self._origin = samples[:, 0].clone()
        # One by one, so that how samples are split into portions does not change the sums.
        for sample in samples.unbind(dim=1):
            deviation = sample - self._origin
            self._shift = self._shift + deviation
            self._square = self._square + deviation.square()
        self._count += samples.shape[1]

    def mean(self) -> Tensor:
        """Gives the mean over the samples, (n, H, W) float32.

        Raises:
            ValueError: no sample was added.
        """
        if self._count == 0:
            raise ValueError("no Monte-Carlo sample was added")
        return self._origin + self._shift / self._count

    def standard_deviation(self) -> Tensor:
        """Gives the standard deviation over the samples, (n, H, W) float32.

        It is that of the samples themselves (divided by T, not T − 1).
        """
        shift = self._shift / self._count
        return (self._square / self._count - shift.square()).clamp_min(0).sqrt()


class MonteCarlo:
    """Mean, aleatoric variance and epistemic spread from samples of (b, sigma)."""

    def __init__(self) -> None:
        self._means = RunningMoments()
        self._variances = RunningMoments()

    def add(self, means: Tensor, sigmas: Tensor) -> None:
        """Takes in samples (n, samples, H, W) of b, and (n, samples, h, w) of its deviation."""
        self._means.add(means)
        self._variances.add(sigmas.float().square())

    def mean(self) -> Tensor:
        """Gives the mean over the samples, (n, H, W) float32.

        Raises:
            ValueError: no sample was added.
        """
        return self._means.mean()

    def aleatoric_variance(self) -> Tensor:
        """Gives the mean of sigma² over the samples, (n, h, w) float32, at least 0.

        Raises:
            ValueError: no sample was added.
        """
        return self._variances.mean().clamp_min(0)

    def spread(self) -> Tensor:
        """Gives the epistemic standard deviation, (n, H, W) float32."""
        return self._means.standard_deviation()


def pool(moments: Sequence[Moments], samples: Sequence[int]) -> Moments:
    """Pools the moments of members that drew `samples` samples each, as of one mixture.

    The mean is that of all samples; the aleatoric variance likewise; the epistemic variance is what
    members have within, and the variance of their means.
    """
    if len(moments) == 1:
        return moments[0]
    weights = [count / sum(samples) for count in samples]

    def average(maps: Iterable[Tensor]) -> Tensor:
        return torch.stack([w * m for w, m in zip(weights, maps, strict=True)]).sum(dim=0)

    mean = average(m.mean for m in moments)
    between = average((m.mean - mean).square() for m in moments)
    within = average(m.spread.square() for m in moments)
    return Moments(mean, average(m.variance for m in moments), (between + within).sqrt())
