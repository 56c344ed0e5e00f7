#!/usr/bin/env bash
# krippendorff: the agreement of readers depends on the type in which their grades are stored: as
# uint8, grades that are one too low count as 255 too high.
#
# Versions: krippendorff 0.9.0, numpy 2.4.6.
#
# Input: the grades, 0 to 4, that three readers gave to ten radiographs, of which one reader is one
# grade away from the others in three; and those of a reader and one who has the scale the wrong way
# round. As float64, int64, uint8 and uint16.
#
# Expected: alpha takes anything like an array, its code names unsigned integers beside signed ones,
# and its parameter dtype, float64 by default, is documented as that of the result and of the
# computation. Equal grades have equal agreement.
#
# Seen: the difference of two grades is taken in their own type and only then turned into float64.
# As uint8, 1 - 2 is 255. Each pair counts in both orders, so that all distances but 0 become nearly
# the same: what is returned for the interval level, the default one, comes near the alpha of grades
# without an order, 0.75 for 0.94. Of the readers of opposite order the alpha is positive as uint8
# and negative as float64. The ratio level errs too; nominal and ordinal ones are right. There is no
# warning, as numpy gives none for arrays.
#
# Output: as stated: three readers agree by 0.940 as float64 and int64, and by 0.753 as uint8, 0.755
# as uint16; opposite ones by -0.900 and 0.160
#
# Why it matters: grades come as uint8 from label images, from Parquet and HDF5 files that save
# space, and from one-byte columns. 0.8 is the bound that is asked for before labels are trusted,
# and 0.67 the one below which they are not used: data sets fail it, or pass it, by their storage.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check krippendorff==0.9.0 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys
import warnings

import numpy as np
from krippendorff import alpha

warnings.simplefilter("error")
readers = np.array(
    [
        [0, 1, 2, 3, 4, 1, 2, 0, 3, 2],
        [0, 1, 2, 4, 4, 1, 2, 1, 3, 2],
        [0, 1, 3, 3, 4, 1, 2, 0, 3, 2],
    ]
)
opposite = np.array([[0, 1, 2, 3, 4, 1, 2, 0, 3, 2], [4, 3, 2, 1, 0, 3, 2, 4, 1, 2]])


def by_definition(grades):
    """One minus the mean squared difference within radiographs over that of all pairs."""
    count, total = grades.shape[0], grades.size
    within = sum(((one[:, None] - one) ** 2).sum() / (count - 1) for one in grades.T) / total
    every = grades.ravel()
    return 1 - within / (((every[:, None] - every) ** 2).sum() / (total * (total - 1)))


def seen(grades, kind, level="interval"):
    return float(alpha(grades.astype(kind), level_of_measurement=level))


for grades in (readers, opposite):
    for kind in ("float64", "int64", "int8"):
        if abs(seen(grades, kind) - by_definition(grades)) > 1e-9:
            sys.exit(f"changed: {kind} has an alpha of {seen(grades, kind)}")
    for level in ("nominal", "ordinal"):
        if seen(grades, "uint8", level) != seen(grades, "float64", level):
            sys.exit(f"changed: {level} alpha depends on the type")
    if seen(grades, "uint8", "ratio") == seen(grades, "float64", "ratio"):
        sys.exit("changed: the ratio alpha does not depend on the type")
right, wrong, wide = (seen(readers, kind) for kind in ("float64", "uint8", "uint16"))
right_opposite, wrong_opposite = (seen(opposite, kind) for kind in ("float64", "uint8"))
shown = (
    f"three readers agree by {right:.3f} as float64 and int64, and by {wrong:.3f} as uint8, "
    f"{wide:.3f} as uint16; opposite ones by {right_opposite:.3f} and {wrong_opposite:.3f}"
)
if not (right > 0.9 and max(wrong, wide) < 0.8 and right_opposite < 0 < wrong_opposite):
    sys.exit(f"changed: {shown}")
print(f"as stated: {shown}")
PYTHON
