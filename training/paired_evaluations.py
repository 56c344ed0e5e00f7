"""Whether one checkpoint is better than another: their evaluations on the same pairs, paired.

    dfsynth evaluate mixture-256 --data pairs.zarr --calibration card --out runs/old
    dfsynth evaluate default --data pairs.zarr --calibration card --out runs/new
    python training/paired_evaluations.py runs/old runs/new

In the lung, after the last stage: the mean of each measure in both, and of the difference with its
95 % interval over patients. Below 0, the second is better.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from evaluated_lungs import lung_rows

from dfsynth.statistics import resample_patients

_MEASURES = ("mae", "nll")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", type=Path, help="what `dfsynth evaluate --out` wrote")
    parser.add_argument("second", type=Path)
    arguments = parser.parse_args()
    found = {t: compare(arguments.first, arguments.second, t) for t in ("clean", "noisy")}
    print(json.dumps(found, indent=2))


def compare(first: Path, second: Path, target: str) -> dict[str, dict[str, float | str]]:
    """Both means and the difference of each measure against the clean or the noisy target."""
    one, other = lung_rows(first, target), lung_rows(second, target)
    if one.keys() != other.keys():
        raise SystemExit(f"{first} and {second} are not of the same pairs")
    resamples = resample_patients([row["patient_id"] for row in one.values()], seed=0)
    result: dict[str, dict[str, float | str]] = {}
    for name in _MEASURES:
        before = np.array([float(row[name]) for row in one.values()])
        after = np.array([float(other[key][name]) for key in one])
        result[name] = {
            "first": float(before.mean()),
            "second": float(after.mean()),
            "difference": f"{resamples.mean(after - before):.4f}",
        }
    return result


if __name__ == "__main__":
    main()
