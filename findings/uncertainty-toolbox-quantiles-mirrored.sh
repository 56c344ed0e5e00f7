#!/usr/bin/env bash
# Uncertainty Toolbox: recalibrated quantiles move the wrong way: predictions that are too low
# become lower still.
#
# Versions: uncertainty-toolbox 0.1.1, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1,
# matplotlib 3.11.2, tqdm 4.70.1.
#
# Input: 1000 predictions with a standard deviation of 4; truths that are distributed normally with
# that deviation, once around the predictions and once one deviation above them.
#
# Expected: get_proportion_under_quantile is documented as the part of the data below the predicted
# quantile, prop_type="quantile" of the calibration metrics likewise, and get_quantile_recalibrator
# learns from that part at each level, and returns the recalibrated quantile. Of the data that it
# has learned from 90 % lie below the quantile of 90 %, and half below the median.
#
# Seen: the residual is taken as prediction minus truth, and compared with the quantile of truth
# minus prediction: counted are the truths above the quantile of 10 %, not those below that of
# 90 %. What is too low is taken for too high. Recalibration doubles the bias: the median goes from
# one deviation below that of the truths to two, and below the 90 % quantile lie 24 % instead of
# 61 % before. Handed truth and prediction in exchange, the same function learns rightly. Where the
# errors are symmetric around 0, and for centred intervals, both ways are the same; skewed errors
# without a bias go from 90 % to 85 %. The calibration error is the same either way, since the curve
# is only mirrored. There is no warning.
#
# Output: as stated: below the 90 % quantile lie 61 % of the truths, after recalibration 24 %, with
# truth and prediction exchanged 90 %; the median goes from 1.0 to 2.0 deviations too low
#
# Why it matters: volumes, ages, doses and scores are predicted with an uncertainty, and on another
# scanner or hospital with a bias; errors in lesions are skewed. An upper bound, or a share to be
# sent to a reader, is a quantile. It is recalibrated on the new site's cases to repair what is
# made worse, and a calibration error computed before and after does not tell the direction.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check uncertainty-toolbox==0.1.1 \
    numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 matplotlib==3.11.2 tqdm==4.70.1
MPLCONFIGDIR="$work" venv/bin/python - <<'PYTHON'
import sys
import warnings

import numpy as np
from scipy.stats import expon, norm
from uncertainty_toolbox import metrics_calibration as calibration
from uncertainty_toolbox import recalibration

warnings.simplefilter("error")

CASES, DEVIATION, LEVEL = 1000, 4.0, 0.9
at = (np.arange(CASES) + 0.5) / CASES
predicted = 50 + 30 * np.sin(np.arange(CASES))
deviation = np.full(CASES, DEVIATION)
symmetric = predicted + DEVIATION * norm.ppf(at)
biased = symmetric + DEVIATION
skewed = predicted + DEVIATION * (expon.ppf(at) - 1)


def below(truth, bound):
    return float(np.mean(truth <= bound))


def recalibrated(truth, exchanged=False):
    """The part of the truths below their quantile, and the median's distance from theirs."""
    learned = (truth, deviation, predicted) if exchanged else (predicted, deviation, truth)
    quantile = recalibration.get_quantile_recalibrator(*learned)
    median = np.mean(quantile(predicted, deviation, 0.5) - predicted)
    return (
        below(truth, quantile(predicted, deviation, LEVEL)),
        float(np.median(truth - predicted) - median) / DEVIATION,
    )


def by_hand(truth):
    """The same with the levels at which the raw quantiles have the wanted part below them."""
    levels = np.linspace(0.001, 0.999, 999)
    parts = [below(truth, predicted + DEVIATION * norm.ppf(level)) for level in levels]
    bound, median = norm.ppf(np.interp((LEVEL, 0.5), parts, levels))
    return (
        below(truth, predicted + DEVIATION * bound),
        float(np.median(truth - predicted)) / DEVIATION - float(median),
    )


def check(what, seen, expected):
    if not np.allclose(seen, expected, atol=0.005):
        sys.exit(f"changed: {what} is {seen}; it was {expected}")
    return seen


bound = predicted + DEVIATION * norm.ppf(LEVEL)
raw = check("the raw quantile", below(biased, bound), 0.611)
wrong = check("what is recalibrated", recalibrated(biased), (0.236, 2))
right = check("what is learned in exchange", recalibrated(biased, exchanged=True), (0.9, 0))
check("by hand", by_hand(biased), (0.9, 0))
check("what is symmetric", recalibrated(symmetric), (0.9, 0))
parts = below(skewed, bound), recalibrated(skewed)[0], recalibrated(skewed, exchanged=True)[0]
check("what is skewed", (*parts, by_hand(skewed)[0]), (0.898, 0.85, 0.9, 0.9))
interval = recalibration.get_interval_recalibrator(predicted, deviation, biased)(
    predicted, deviation, LEVEL
)
inside = below(biased, interval.upper) - below(biased, np.nextafter(interval.lower, -np.inf))
check("the centred interval", inside, 0.9)

# The counts themselves: the truths above the quantile of 10 % for those below that of 90 %.
counted = calibration.get_proportion_under_quantile(predicted, deviation, biased, LEVEL)
above = 1 - below(biased, predicted + DEVIATION * norm.ppf(1 - LEVEL))
check("what is counted", (counted, above), (0.989, 0.989))
far = calibration.get_proportion_under_quantile(predicted, deviation, biased + 99, LEVEL)
check("the part of truths far above all that is below", far, 1)
errors = [
    calibration.mean_absolute_calibration_error(first, deviation, second, prop_type="quantile")
    for first, second in ((predicted, biased), (biased, predicted))
]
check("the calibration error, both ways", errors, (0.2575, 0.2575))
print(
    f"as stated: below the {100 * LEVEL:.0f} % quantile lie {100 * raw:.0f} % of the truths, after "
    f"recalibration {100 * wrong[0]:.0f} %, with truth and prediction exchanged "
    f"{100 * right[0]:.0f} %; the median goes from "
    f"{float(np.median(biased - predicted)) / DEVIATION:.1f} to {wrong[1]:.1f} deviations too low"
)
PYTHON
