#!/usr/bin/env bash
# scoringrules: without numba, the weighted interval score counts the median itself, not how far it
# is from what was observed.
#
# Versions: scoringrules 0.10.0, scipy 1.17.1, numpy 2.4.6; then numba 0.68.1 in addition.
#
# Input: forecasts of voxels in HU: the median and nine central intervals, alpha 0.1 to 0.9, of
# normal distributions with a standard deviation of 50 HU, scored with the weights of Bracher et al.
# (alpha / 2, and 1 / 2 for the median). Water, lung and bone (0, -700 and 1000 HU) are forecast
# equally well: the median is what is observed. One more forecast of lung has the same intervals and
# a median of -780 HU.
#
# Expected: the documentation gives the score as a sum in which the median m counts by |y - m|, and
# says that it comes near the CRPS. It knows distances only: equally good forecasts of bright and of
# dark voxels score the same. numba is documented as what makes numpy fast, and is an extra that pip
# does not install unless asked to.
#
# Seen: without numba, m stands in the place of |y - m|. The same forecast scores 12.1 for water,
# -24.7 for lung and 64.8 for bone, and of the two for lung the one with the wrong median is the
# better one, as lower is better, and the lower the median the more so. With numba the scores are
# those of the formula; backend="numpy" stays wrong, and torch, jax and tensorflow share its code.
#
# Output: as stated: by the formula 12.1 for water, lung and bone, and 16.3 for a wrong median; with
# numba the same; without it 12.1, -24.7, 64.8, and -28.9 for the wrong median
#
# Why it matters: a map of these scores is a map of the picture: bone looks badly forecast, and lung
# better than perfect. Where intervals agree, models are ranked by how dark their medians are;
# results change with what else is installed; and a network that is trained on the score by torch is
# drawn to ever lower medians.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check \
    scoringrules==0.10.0 scipy==1.17.1 numpy==2.4.6
cat > score.py <<'PYTHON'
import sys
from statistics import NormalDist

import numpy as np
from scoringrules import weighted_interval_score

WATER, LUNG, BONE, WRONG = (0.0, 0.0), (-700.0, -700.0), (1000.0, 1000.0), (-700.0, -780.0)
ALPHA = np.arange(1, 10) / 10
BELOW = 50 * np.array([NormalDist().inv_cdf(alpha / 2) for alpha in ALPHA])


def by_formula(observed, median, lower, upper):
    outside = np.maximum(lower - observed, 0) + np.maximum(observed - upper, 0)
    intervals = (ALPHA / 2 * (upper - lower + 2 / ALPHA * outside)).sum()
    return (abs(observed - median) / 2 + intervals) / (len(ALPHA) + 0.5)


def by_scoringrules(observed, median, lower, upper, **backend):
    weights = {"w_median": 0.5, "w_alpha": ALPHA / 2}
    return weighted_interval_score(observed, median, lower, upper, ALPHA, **weights, **backend)


def scores(function, **backend):
    """Those of water, lung, bone, and of the wrong median; the intervals are always right."""
    return [
        round(float(function(observed, median, observed + BELOW, observed - BELOW, **backend)), 1)
        for observed, median in (WATER, LUNG, BONE, WRONG)
    ]


def words(numbers):
    return f"{', '.join(map(str, numbers[:3]))}, and {numbers[3]} for the wrong median"


right, seen = scores(by_formula), scores(by_scoringrules)
if right != [12.1, 12.1, 12.1, 16.3]:
    sys.exit(f"changed: by the formula {right}")
if sys.argv[1] == "with":
    numpy = scores(by_scoringrules, backend="numpy")
    if seen != right or words(numpy) != sys.argv[2]:
        sys.exit(f"changed: with numba {seen}, and {numpy} by numpy")
    print(
        "as stated: by the formula 12.1 for water, lung and bone, and 16.3 for a wrong median; "
        f"with numba the same; without it {sys.argv[2]}"
    )
elif seen != [12.1, -24.7, 64.8, -28.9]:
    sys.exit(f"changed: without numba {seen}")
else:
    print(words(seen))
PYTHON
without=$(venv/bin/python score.py without)
venv/bin/python -m pip install -qq --disable-pip-version-check numba==0.68.1
venv/bin/python score.py with "$without"
