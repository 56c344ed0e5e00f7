#!/usr/bin/env bash
# scoringrules: with numba, the scores of a picture of integers are cut to integers.
#
# Versions: scoringrules 0.10.0, numba 0.68.1, scipy 1.17.1, numpy 2.4.6.
#
# Input: 8-bit pictures of 64 x 64 pixels with noise of 1, 2 and 4 grey levels, and a forecast of
# each that is right about it: the normal distribution from which the pixels were drawn before they
# were rounded, as nine quantiles in float64. They are scored as uint8 and as the same numbers in
# float64.
#
# Expected: observations are documented as array_like, and the result as an array of scores; numba
# as what makes numpy fast. Equal numbers have equal scores, of whatever type they are, as they have
# with backend="numpy", and with crps_ensemble.
#
# Seen: with numba, which is used as soon as it is installed, crps_quantile and
# weighted_interval_score return the type of the observations. What lies behind the point is lost:
# not rounded, cut. So do gksuv_ensemble, dssuv_ensemble, owcrps_ensemble, vrcrps_ensemble and
# error_spread_score where backend="numba" is given. float32 and float64 are right.
#
# Output: as stated: mean scores of 0.64, 1.26 and 2.45 of the three pictures as float64 are 0.20,
# 0.71 and 2.05 as uint8; every Gaussian kernel score becomes 0
#
# Why it matters: radiographs, CT and photographs are integers, and the scores of a good forecast
# are small: two thirds of that of the sharpest one here are lost, and less of the others, so that a
# forecast twice as sharp looks 3.6 times as good. A machine without numba, and the same picture in
# float, give other numbers.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check \
    scoringrules==0.10.0 numba==0.68.1 scipy==1.17.1 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys
from statistics import NormalDist

import numpy as np
import scoringrules

LEVELS = np.arange(1, 10) / 10
STEPS = np.array([NormalDist().inv_cdf(level) for level in LEVELS])
GIVEN = {"backend": "numba"}
generator = np.random.default_rng(0)
y, x = np.mgrid[:64, :64]
scene = 128 + 60 * np.sin(x / 5) * np.cos(y / 7)


def quantile(picture, quantiles, **backend):
    return scoringrules.crps_quantile(picture, quantiles, LEVELS, **backend)


def interval(picture, quantiles, **backend):
    """Quantiles as median and intervals; their score is that of crps_quantile."""
    parts = (quantiles[..., 4], quantiles[..., :4], quantiles[..., :4:-1], 2 * LEVELS[:4])
    return scoringrules.weighted_interval_score(picture, *parts, **backend)


def weighted(function):
    return lambda picture, members, **backend: function(picture, members, a=0.0, **backend)


members_scores = (
    scoringrules.gksuv_ensemble,
    scoringrules.dssuv_ensemble,
    scoringrules.error_spread_score,
    weighted(scoringrules.owcrps_ensemble),
    weighted(scoringrules.vrcrps_ensemble),
)
right, seen = [], []
for noise in (1, 2, 4):
    numbers = np.rint(generator.normal(scene, noise))
    picture, forecast = numbers.astype(np.uint8), scene[..., None] + noise * STEPS
    scores = quantile(numbers, forecast, backend="numpy")
    for name, same in {
        "float64": quantile(numbers, forecast),
        "float32": quantile(numbers.astype(np.float32), forecast),
        "uint8 without numba": quantile(picture, forecast, backend="numpy"),
        "intervals, float64": interval(numbers, forecast),
    }.items():
        if not np.allclose(same, scores, rtol=1e-5):
            sys.exit(f"changed: {name}, {same.mean()} rather than {scores.mean()}")
    for function in (quantile, interval):
        cut = function(picture, forecast)
        if cut.dtype != np.uint8 or not np.array_equal(cut, np.floor(scores)):
            sys.exit(f"changed: {function.__name__}, {cut.dtype}, mean {cut.mean()}")
    right.append(f"{scores.mean():.2f}")
    seen.append(f"{cut.mean():.2f}")

pixels = np.rint(generator.normal(scene, 1)).ravel()
members = generator.normal(scene.ravel()[:, None], 1, (pixels.size, 20))
for function in members_scores:
    scores = function(pixels, members, backend="numpy")
    if not np.allclose(function(pixels, members, **GIVEN), scores):
        sys.exit(f"changed: {function} of float64 by numba")
    cut = function(pixels.astype(np.int16), members, **GIVEN)
    if cut.dtype != np.int16 or not np.array_equal(cut, np.trunc(scores)):
        sys.exit(f"changed: {function}, {cut.dtype}, mean {cut.mean()}")
if scoringrules.gksuv_ensemble(pixels.astype(np.int16), members, **GIVEN).any():
    sys.exit("changed: a Gaussian kernel score of integers is not 0")
by_members = [
    scoringrules.crps_ensemble(kind, members, **GIVEN)
    for kind in (pixels, pixels.astype(np.int16), pixels.astype(np.uint8))
]
if not all(np.array_equal(scores, by_members[0]) for scores in by_members):
    sys.exit("changed: crps_ensemble depends on the type")


def words(numbers):
    return f"{numbers[0]}, {numbers[1]} and {numbers[2]}"


print(
    f"as stated: mean scores of {words(right)} of the three pictures as float64 are {words(seen)} "
    "as uint8; every Gaussian kernel score becomes 0"
)
PYTHON
