#!/usr/bin/env bash
# SciPy: the paired t-test of two unsigned images finds each of them brighter than the other, with
# p = 0.
#
# Versions: scipy 1.17.1, numpy 2.4.6.
#
# Input: an image of 64 x 64 pixels of 60 to 139, and the same with noise whose mean is 0, as
# float64, int16, uint8 and uint16; 4001 values of -1000 to 1000 HU as float64 and int16.
#
# Expected: the test is documented for anything like an array and returns floats; equal numbers have
# equal statistics. ttest_ind, wilcoxon and most of scipy.stats keep to it, and numpy takes the mean
# and the variance of integers in float64.
#
# Seen: ttest_rel subtracts pixel by pixel in the type of the images and turns the result into
# floats after that. As uint8 every difference below 0 becomes one near 255: for images that do not
# differ, t is 65 where it is -0.7, p is 0 where it is 0.51, and the mean difference is said to lie
# between 118 and 125 grey values. Exchanged, the images give 66, not 0.7. As uint16 it is the same;
# int16 is right here. tmean, without limits, adds up in the type of the data, a mean of 3.8 as
# uint16 for one of 99.8, and kstat takes powers in it: for the HU in int16 the second k-statistic,
# which is the variance, is 1120 for 333584. None of them warns.
#
# Output: as stated: two noisy images have t = -0.7, p = 0.51, and exchanged 0.7; as uint8 64.8,
# p = 0, and 66.5, as uint16 60.9 and 62.4; tmean is 3.8 for 99.8, kstat 1120 for 333584
#
# Why it matters: two reconstructions, or two readers' scores, are compared by a paired test, and
# pixels and scores are stored in as few bits as hold them. A small p is what was hoped for, and is
# not doubted. A test of the code on floats, on unpaired images or by wilcoxon shows nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys
import warnings

import numpy as np
from scipy import stats

warnings.simplefilter("error")
random = np.random.default_rng(0)
image = random.integers(60, 140, 64 * 64)
noisy = np.round(image + random.normal(0, 10, image.size))
units = np.round(np.linspace(-1000, 1000, 4001))


def paired(kind, test=stats.ttest_rel):
    """The statistics of image against noisy image, and of noisy image against image."""
    one, other = image.astype(kind), noisy.astype(kind)
    if not (np.array_equal(one, image) and np.array_equal(other, noisy)):
        sys.exit(f"{kind} does not hold the images")
    return test(one, other), test(other, one)


def check(what, seen, wanted, tolerance):
    if not np.allclose(seen, wanted, atol=tolerance, rtol=0):
        sys.exit(f"changed: {what} is {seen}")


(real, real_back), (byte, byte_back), (word, word_back) = map(
    paired, ("float64", "uint8", "uint16")
)
check("t of float64", [real.statistic, real_back.statistic], [-0.66, 0.66], 0.01)
for kind in ("int16", "int64"):
    found, back = paired(kind)
    wanted = [real.statistic, real_back.statistic]
    check(f"t of {kind}", [found.statistic, back.statistic], wanted, 1e-9)
for test in (stats.ttest_ind, stats.wilcoxon):
    seen, wanted = (paired(kind, test)[0].pvalue for kind in ("uint8", "float64"))
    check(f"p of {test.__name__}", seen, wanted, 1e-9)
check("t of uint8", [byte.statistic, byte_back.statistic], [64.8, 66.5], 0.1)
check("t of uint16", [word.statistic, word_back.statistic], [60.9, 62.4], 0.1)
check("p", [one.pvalue for one in (byte, byte_back, word, word_back)], 0, 1e-99)
check("the interval", byte.confidence_interval(), [118, 125], 0.5)
mean, wrong_mean = (stats.tmean(image.astype(kind)) for kind in ("float64", "uint16"))
variance, wrong_variance = (stats.kstat(units.astype(kind), 2) for kind in ("float64", "int16"))
check("the mean", [mean, wrong_mean], [image.mean(), image.sum() % 2**16 / image.size], 1e-9)
check("the variance", variance, units.var(ddof=1), 1e-3)
check("the variance of int16", wrong_variance, 1120, 1)
print(
    f"as stated: two noisy images have t = {real.statistic:.1f}, p = {real.pvalue:.2f}, and "
    f"exchanged {real_back.statistic:.1f}; as uint8 {byte.statistic:.1f}, p = {byte.pvalue:.0f}, "
    f"and {byte_back.statistic:.1f}, as uint16 {word.statistic:.1f} and "
    f"{word_back.statistic:.1f}; tmean is {wrong_mean:.1f} for {mean:.1f}, kstat "
    f"{wrong_variance:.0f} for {variance:.0f}"
)
PYTHON
