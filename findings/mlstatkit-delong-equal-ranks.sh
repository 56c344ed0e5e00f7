#!/usr/bin/env bash
# MLstatkit: DeLong's test of two models that rank all patients alike gives z = 0 and p = 0: the
# same model before and after calibration differs significantly from itself.
#
# Versions: MLstatkit 0.1.91, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, tqdm 4.70.1.
#
# Input: scores of 16 ill and 16 healthy patients; the probabilities that two temperatures make of
# them, as before and after calibration; and two models without a mistake that rank the ill
# patients in different orders.
#
# Expected: Delong_test documents z as the difference of the AUCs in standard errors, a two-sided
# p-value, and a bootstrap in place of DeLong's formula where the variance of the difference is 0.
# Where the AUCs are equal, and equal again in each resample, nothing speaks for a difference: p is
# 1, as is twice the normal tail above z = 0.
#
# Seen: p is 0. The bootstrap takes twice the smaller of two shares of its differences, those of at
# most 0 and those above 0. Differences of exactly 0 are counted in the first only, and the second
# is empty. It is asked only where the variance is 0, and there all differences are 0. Nothing is
# said; the method is named "bootstrap" in what is returned last. A model of the same AUC whose
# ranks are others has a variance and p = 1, any other the p of DeLong's formula, and
# Permutation_test of the same package gives 1 for the calibrated one.
#
# Output: as stated: an AUC of 0.824 before and after calibration has z = 0 and p = 0, as have two
# models without a mistake; with the same AUC and other ranks p = 1, and Permutation_test gives 1
#
# Why it matters: temperature and Platt scaling, other links and units change no rank, and whether
# they change discrimination is what the test is asked; so it is for a model converted to another
# runtime, and for two that make no mistake in a small test set. p < 0.001 is what goes into the
# table.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check mlstatkit==0.1.91 numpy==2.4.6 \
    scipy==1.17.1 scikit-learn==1.9.1 tqdm==4.70.1
TQDM_DISABLE=1 venv/bin/python - <<'PYTHON'
import sys
import warnings

import numpy as np
from MLstatkit import Delong_test, Permutation_test
from scipy.stats import norm

warnings.simplefilter("error")

EACH = 16  # a power of two: all means and variances are exact
ill = np.repeat([1, 0], EACH)
steps = np.arange(EACH) / 4
scores = np.concatenate([steps - 0.375, steps - 2])


def probabilities(temperature):
    return 1 / (1 + np.exp(-scores / temperature))


def tested(first, second):
    """z, p, both AUCs and the method, with the defaults of the package."""
    z, p, _, _, *aucs, info = Delong_test(ill, first, second)
    return z, p, *aucs, info["method"]


def by_hand(first, second):
    """z, p and both AUCs from all pairs of an ill and a healthy patient; 1 where none differs."""
    wins = [np.sign(s[ill == 1][:, None] - s[ill == 0]) / 2 + 0.5 for s in (first, second)]
    gain = wins[1] - wins[0]
    z = 0.0
    if gain.any():
        variance = sum(np.var(gain.mean(axis), ddof=1) for axis in (0, 1)) / EACH
        z = gain.mean() / np.sqrt(variance)
    return z, 2 * norm.sf(abs(z)), wins[0].mean(), wins[1].mean()


def check(what, first, second, method, p, right_p):
    """What is seen, if it is by this method, with this p instead of the right one."""
    seen, right = tested(first, second), by_hand(first, second)
    if seen[4] != method or not np.allclose([seen[0], *seen[2:4]], [right[0], *right[2:]]):
        sys.exit(f"changed: {what} is {seen}, by hand {right}")
    if not np.allclose((seen[1], right[1]), (p, right_p), rtol=0, atol=1e-5):
        sys.exit(f"changed: {what} has p = {seen[1]}, by hand {right[1]}")
    return seen


before, after = probabilities(1), probabilities(2.5)
if not np.array_equal(np.argsort(before), np.argsort(after)) or np.array_equal(before, after):
    sys.exit("changed: the calibration is none")
calibrated = check("the calibrated model", before, after, "bootstrap", 0, 1)
check("a model and itself", before, before, "bootstrap", 0, 1)
# Without a mistake, once with the ill patients in the opposite order.
faultless = ill + 0.0
perfect = faultless * 8 + scores
reverse = faultless * 8 + np.concatenate([scores[:EACH][::-1], scores[EACH:]])
both = check("the two without a mistake", perfect, reverse, "bootstrap", 0, 1)
# The same scores among the ill, those of the first given to the last.
exchanged = np.concatenate([before[:EACH][::-1], before[EACH:]])
same_auc = check("the one of other ranks", before, exchanged, "delong", 1, 1)
# Every second score lowered: an ordinary comparison.
lowered = scores - np.where(np.arange(2 * EACH) % 2, 1, 0)
check("the other model", scores, lowered, "delong", 0.823640, 0.823640)
permuted = Permutation_test(ill, before, after, "roc_auc")[2]
if both[2:4] != (1, 1) or permuted != 1 or 2 * norm.sf(0) != 1:
    sys.exit(f"changed: AUCs of {both[2:4]}, p = {permuted} by permutation")
print(
    f"as stated: an AUC of {calibrated[2]:.3f} before and after calibration has "
    f"z = {calibrated[0]:.0f} and p = {calibrated[1]:.0f}, as have two models without a mistake; "
    f"with the same AUC and other ranks p = {same_auc[1]:.0f}, and Permutation_test gives "
    f"{permuted:.0f}"
)
PYTHON
