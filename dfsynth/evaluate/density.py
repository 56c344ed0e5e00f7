"""The predictive density by which a checkpoint is scored: one generalised Gaussian a pixel.

A Monte-Carlo prediction is a mixture of generalised Gaussians (Upadhyay et al., MICCAI 2021). The
density here has the mixture's mean, its total standard deviation (the root of aleatoric² +
epistemic²; Kendall & Gal, NeurIPS 2017) and the samples' mean shape beta; with one sample it is the
network's own. The functions are element by element: all arrays of a call have one shape and are
float64.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammainc, gammaincc, gammaln

from dfsynth.records import Float32Map

Array = NDArray[np.float64]

SIGMA_FLOOR: Final = 1e-6
"""Of the dark-field signal: a prediction without any spread still has a density [assumed]."""
GAUSSIAN: Final = 2.0
"""The shape beta of a Gaussian."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictiveDistribution:
    """What one stage predicts of an image: a density for every pixel; maps (y, x) float32."""

    mean: Float32Map
    """Of the dark-field signal, a dimensionless line integral."""
    sigma: Float32Map
    """Total standard deviation, same unit."""
    beta: Float32Map
    """Shape: 2 is a Gaussian, 1 a Laplacian."""


def scale_of(sigma: Array, beta: Array) -> Array:
    """The scale alpha whose standard deviation is sigma: sigma · sqrt(Gamma(1/b) / Gamma(3/b)).

    Of the shape of its arguments, in the unit of sigma.
    """
    ratio = np.exp(0.5 * (gammaln(1 / beta) - gammaln(3 / beta)))
    return np.maximum(sigma, SIGMA_FLOOR) * ratio


def negative_log_density(error: Array, sigma: Array, beta: Array) -> Array:
    """−ln p(error) in nats, with all constants: p is a density over the dark-field signal.

    p(r) = beta / (2 alpha Gamma(1/beta)) · exp(−(|r| / alpha)^beta); of the shape of its arguments.
    """
    alpha = scale_of(sigma, beta)
    constant = np.log(2 * alpha) + gammaln(1 / beta) - np.log(beta)
    return np.asarray((np.abs(error) / alpha) ** beta + constant)


def ranked_probability_score(error: Array, sigma: Array, beta: Array) -> Array:
    """Continuous ranked probability score of the same density, in the unit of the signal.

    Of the shape of its arguments.

    E|X − r| − E|X − X'| / 2 (Gneiting & Raftery, JASA 2007, equation 21), in closed form. With
    z = |r| / alpha and the regularised incomplete functions P, Q and I:
    alpha · (z P(1/b, z^b) + Gamma(2/b) / Gamma(1/b) · (Q(2/b, z^b) − I_½(1/b, 2/b))).
    """
    alpha = scale_of(sigma, beta)
    z = np.abs(error) / alpha
    power = z**beta
    mean_deviation = np.exp(gammaln(2 / beta) - gammaln(1 / beta))
    tails = gammaincc(2 / beta, power) - betainc(1 / beta, 2 / beta, 0.5)
    return np.asarray(alpha * (z * gammainc(1 / beta, power) + mean_deviation * tails))


def central_probability(error: Array, sigma: Array, beta: Array) -> Array:
    """Probability of the central interval that ends at ± |error|: below 0.9, the 90 % one holds it.

    P(1/beta, (|r| / alpha)^beta), with P the regularised lower incomplete gamma function; of the
    shape of its arguments.
    """
    return np.asarray(gammainc(1 / beta, (np.abs(error) / scale_of(sigma, beta)) ** beta))
