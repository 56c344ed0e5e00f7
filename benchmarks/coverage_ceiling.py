"""What 90 % intervals can hold for whoever knows all but the patient's own coefficient.

    python benchmarks/coverage_ceiling.py --pairs pairs.zarr

An oracle that knows the clean dark-field signal up to a factor, the noise, and how the coefficient
is spread over training patients predicts, for each lung pixel of the test patients, the mixture
shape x coefficient + noise. Its central 90 % interval is right over all patients; how much of one
patient it holds shows what no generator can do better without wider intervals.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import zarr
from machine import describe_machine
from numpy.typing import NDArray
from pyarrow import dataset
from scipy.stats import norm

_DRAWS = 200
_LEVELS = 60
_TAIL = 0.05
_MIN_PIXELS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True)
    arguments = parser.parse_args()
    print(json.dumps({**describe_machine(), **ceiling(arguments.pairs)}, indent=2))


def ceiling(pairs: Path) -> dict[str, float]:
    """Coverage of the oracle in the lungs of test patients: of all pixels, and over images."""
    table = dataset.dataset(pairs / "manifest").to_table()
    rows = table.select(["row", "split", "eps_bar_per_m"]).to_pylist()
    known = np.log([r["eps_bar_per_m"] for r in rows if r["split"] == "train"])
    draws = np.exp(known.mean() + known.std() * norm.ppf(_midpoints(_DRAWS)))
    arrays = zarr.open_group(pairs, mode="r")
    coverage = []
    for row in (r for r in rows if r["split"] == "test"):
        lung = arrays["lung_mask"][row["row"]] > 0
        if lung.sum() >= _MIN_PIXELS:
            clean, noisy = (arrays[n][row["row"]][lung] for n in ("dark_field_clean", "dark_field"))
            shape = clean / row["eps_bar_per_m"]
            low, high = interval(shape, draws, float((noisy - clean).std()))
            coverage.append(float(((noisy >= low) & (noisy <= high)).mean()))
    return {
        "images": len(coverage),
        "log_coefficient_sd": float(known.std()),
        "mean": float(np.mean(coverage)),
        "median": float(np.median(coverage)),
        "p5": float(np.percentile(coverage, 5)),
    }


def interval(
    shape: NDArray[np.float64], draws: NDArray[np.float64], noise: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the central 90 % interval of shape x coefficient + noise, for each pixel (n,)."""
    levels = np.linspace(shape.min(), shape.max(), _LEVELS)
    scatter = noise * norm.ppf(_midpoints(_DRAWS))
    mixtures = levels[:, None, None] * draws[None, :, None] + scatter
    ends = np.quantile(mixtures.reshape(_LEVELS, -1), (_TAIL, 1 - _TAIL), axis=1)
    return np.interp(shape, levels, ends[0]), np.interp(shape, levels, ends[1])


def _midpoints(count: int) -> NDArray[np.float64]:
    return (np.arange(count) + 0.5) / count


if __name__ == "__main__":
    main()
