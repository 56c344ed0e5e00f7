#!/usr/bin/env bash
# scikit-image: the gradient that structural_similarity returns is that of another number than the
# similarity that it returns beside it.
#
# Versions: scikit-image 0.26.0, scipy 1.17.1, numpy 2.4.6.
#
# Input: a smooth picture of 64 x 64 pixels and the same with noise, both of about 0 to 1, with the
# settings that the documentation names for those of Wang et al. (gaussian_weights, sigma 1.5,
# use_sample_covariance False, data_range), and with the default ones.
#
# Expected: gradient=True is documented to return the gradient with respect to the second picture
# too. A small step along it changes the similarity by the step times the gradient, in whatever part
# of the picture the step is taken.
#
# Seen: the similarity is the mean of the map of similarities without a strip along the edges, 5
# pixels wide (3 by default). The gradient is that of the mean of the whole map, as full=True
# returns it, to five digits. Inside the picture it is 0.71 of the slope, the share of the pixels
# that count; for the outermost ring of pixels, which the similarity hardly sees, it promises 456
# times the change. By default it also leaves out the factor 49/48 of the sample covariance.
#
# Output: as stated: along the gradient, the similarity of 64 x 64 pixels changes by 1/0.71 of what
# is promised inside and by 1/456 in the outermost ring (by default 1/0.80 and 1/5), the mean of the
# whole map by 1.00 in both (1.02 and 1.02)
#
# Why it matters: pictures are restored, and metrics compared, by climbing or descending SSIM.
# Optimisers that get a slope that is not the function's stop early or reject their steps, and the
# edges, where the gradient is large and the score hardly sees it, are changed for nothing: of a
# patch of 64 x 64 they are 29 % of the pixels. Weighed against another term, the balance depends on
# the size of the picture.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check scikit-image==0.26.0 \
    scipy==1.17.1 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys

import numpy as np
from skimage.metrics import structural_similarity

WANG = {"gaussian_weights": True, "use_sample_covariance": False, "sigma": 1.5, "data_range": 1}
DEFAULT = {"data_range": 1}
STEP = 1e-3
y, x = np.mgrid[:64, :64]
clean = np.sin(x / 5) * np.cos(y / 7) / 4 + 0.5
noisy = clean + np.random.default_rng(0).normal(0, 0.1, clean.shape)
inside, ring = np.zeros_like(clean), np.ones_like(clean)
inside[16:-16, 16:-16] = 1
ring[1:-1, 1:-1] = 0


def scores(picture, options):
    """What is returned as the similarity, and the mean of the whole map."""
    mean, similarity = structural_similarity(clean, picture, full=True, **options)
    return np.array([mean, similarity.mean()])


def promised(options, part):
    """The change that the gradient promises, as a multiple of that of each score."""
    _mean, gradient = structural_similarity(clean, noisy, gradient=True, **options)
    way = gradient * part
    way /= np.abs(way).max()
    change = scores(noisy + STEP * way, options) - scores(noisy - STEP * way, options)
    return (gradient * way).sum() / (change / (2 * STEP))


by_wang = [promised(WANG, part) for part in (inside, ring)]
by_default = [promised(DEFAULT, part) for part in (inside, ring)]
for name, factors, share, least, whole in (
    ("Wang et al.", by_wang, (54 / 64) ** 2, 100, 1),
    ("default", by_default, (58 / 64) ** 2 * 48 / 49, 4, 48 / 49),
):
    (inner, inner_whole), (outer, outer_whole) = factors
    if abs(inner - share) > 0.01 or outer < least:
        sys.exit(f"changed: {name}, {inner} of the slope inside and {outer} in the ring")
    if max(abs(inner_whole - whole), abs(outer_whole - whole)) > 0.001:
        sys.exit(f"changed: {name}, {inner_whole}, {outer_whole} of the slope of the whole map")
print(
    f"as stated: along the gradient, the similarity of 64 x 64 pixels changes by "
    f"1/{by_wang[0][0]:.2f} of what is promised inside and by 1/{by_wang[1][0]:.0f} in the "
    f"outermost ring (by default 1/{by_default[0][0]:.2f} and 1/{by_default[1][0]:.0f}), the mean "
    f"of the whole map by {1 / by_wang[0][1]:.2f} in both ({1 / by_default[0][1]:.2f} and "
    f"{1 / by_default[1][1]:.2f})"
)
PYTHON
