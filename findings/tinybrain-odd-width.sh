#!/usr/bin/env bash
# tinybrain: halved by averaging, a picture of odd width ends in a black column, and its last column
# stands where the two before it belong.
#
# Versions: tinybrain 1.7.0, numpy 2.4.6.
#
# Input: a picture with columns of 0, 20, 40, 60 and 80, and a volume of 511 x 64 x 3 voxels that
# are all 100; the first axis is x. Averaged by (2,2), (2,2,1) and (2,2,2), one level at a time and
# several at once.
#
# Expected: downsample_with_averaging is documented as average pooling of patches of the size of the
# factor. Where the width is odd the last patch is one column wide: the picture becomes 10, 50, 80.
# What is uniform stays uniform, and a level does not depend on how many are asked for: num_mips is
# documented as a matter of memory and of rounding by less than one.
#
# Seen: with num_mips=1, the default, and (2,2) or (2,2,1), the picture becomes 10, 80, 0: the last
# column of the result is never written, and what belongs there overwrites the column before it, for
# all types of numbers. With num_mips=2 the same first level is right, and so is (2,2,2). Of the
# volume, level by level, the last column is 0 and then 50, 75, 87 and 93, as each level averages
# the black of the one before.
#
# Output: as stated: 0 20 40 60 80 becomes 10 80 0, with num_mips=2 and by (2,2,2) 10 50 80; five
# levels of a uniform 100 end in 0 50 75 87 93, asked for at once in 100 100 100 100 100
#
# Why it matters: pyramids of histology, light-sheet and electron microscopy are made by it, where
# a slide or a tile has the size that it has. The column lies at the edge and is one pixel wide in
# the finest level, but as wide as 2, 4, 8 pixels of it in the coarser ones, which people see first
# and from which tissue is found, stains are normalised and tiles are stitched.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check tinybrain==1.7.0 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys

import numpy as np
from tinybrain import downsample_with_averaging as halve

LEVELS = 5


def words(numbers):
    return " ".join(f"{number:.0f}" for number in numbers)


for kind in ("uint8", "uint16", "int16", "float32", "float64"):
    columns = np.array([0, 20, 40, 60, 80], dtype=kind)
    volume = np.broadcast_to(columns[:, None, None], (5, 4, 2))
    seen = halve(volume[..., 0], (2, 2))[0][:, 0]
    for what, levels in (
        ("of a volume", halve(volume, (2, 2, 1))),
        ("of one slice", halve(volume[..., :1], (2, 2, 1))),
    ):
        if not np.array_equal(levels[0][:, 0, 0], seen):
            sys.exit(f"changed: {kind} {what} becomes {levels[0][:, 0, 0]}, a picture {seen}")
    if seen.tolist() != [10, 80, 0]:
        sys.exit(f"changed: {kind} becomes {words(seen)}")
    two_levels = halve(volume, (2, 2, 1), num_mips=2)[0][:, 0, 0]
    in_depth = halve(volume, (2, 2, 2))[0][:, 0, 0]
    if two_levels.tolist() != [10, 50, 80] or in_depth.tolist() != [10, 50, 80]:
        sys.exit(f"changed: {kind} by other ways becomes {two_levels}, {in_depth}")

values = np.random.default_rng(0).integers(0, 4000, (101, 20, 3)).astype("float64")
seen = halve(values, (2, 2, 1))[0]
pairs = values[:-1].reshape(50, 2, 10, 2, 3).mean(axis=(1, 3))
last = values[-1].reshape(10, 2, 3).mean(axis=1)
if not (np.array_equal(seen[:-2], pairs[:-1]) and np.array_equal(seen[-2], last)):
    sys.exit("changed: not only the last two columns differ, or they hold something else")
if seen[-1].any():
    sys.exit("changed: the last column is not 0")

level = np.full((511, 64, 3), 100, dtype=np.uint16)
at_once = [level[-1, 0, 0] for level in halve(level, (2, 2, 1), num_mips=LEVELS)]
one_by_one = []
for _ in range(LEVELS):
    (level,) = halve(level, (2, 2, 1))
    one_by_one.append(level[-1, 0, 0])
if words(one_by_one) != "0 50 75 87 93" or words(at_once) != "100 100 100 100 100":
    sys.exit(f"changed: a uniform 100 ends in {words(one_by_one)}, {words(at_once)}")
print(
    f"as stated: {words(columns)} becomes {words([10, 80, 0])}, with num_mips=2 and by (2,2,2) "
    f"{words(two_levels)}; five levels of a uniform 100 end in {words(one_by_one)}, asked for at "
    f"once in {words(at_once)}"
)
PYTHON
