"""What the patient's factor of simulated pairs is made of, by origin.

    python benchmarks/patient_factor.py --out runs/factor --ct FOLDER --cxr FOLDER

A patient's factor is the best one between the clean dark-field and a prediction that knows only the
length of lung along each beam, at 2.5 1/m. The same patients are made with all layers of tissue and
with fewer; what a layer adds to the factor's logarithm is the difference between two. No imaging
takes part: the clean dark-field has none of it. Stores are kept in --out and gone on with.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from lung_error import best_factor
from machine import describe_machine
from numpy.typing import NDArray

import dfsynth
from dfsynth.datasets import open_pairs
from dfsynth.datasets.store_pairs import StorePairs
from dfsynth.score.lung import LEAST_LUNG
from dfsynth.statistics import bootstrap_percentiles

_SIZE: Final = 128
_SEED: Final = 11
_HEALTHY_PER_M: Final = 2.5
_DENSITY_EXPONENT: Final = 0.82
_IMAGING: Final = ("hardening", "scatter", "noise", "stripes", "moire", "blur", "motion")
_WITHOUT: Final[Mapping[str, tuple[str, ...]]] = {
    "all": (),
    "dry": ("opacities",),
    "even": ("opacities", "heterogeneity"),
    "well": ("opacities", "emphysema"),
}
"""The layers of tissue that each making of the same patients goes without."""
_PUBLISHED: Final = ((0.0, 0.1, 0.3, 0.6, 1.0), (1.0, 0.95, 0.88, 0.70, 0.50))
"""Severity, and the mean coefficient over the healthy one: none, trace, mild, moderate,
confluent."""
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Made:
    """One pair as one of the makings has it."""

    log_factor: float
    row: Mapping[str, Any]
    """Its line of the manifest."""

    @property
    def is_healthy(self) -> bool:
        """Nothing was drawn that lowers the signal; what a CT volume shows is not known here."""
        return self.row["severity"] == 0 and self.row["opacity"] in (None, "none")

    @property
    def drawn(self) -> float:
        """Logarithm of the drawn healthy coefficient over the mean one."""
        return float(np.log(self.row["eps_healthy_per_m"] / _HEALTHY_PER_M))

    @property
    def breath(self) -> float:
        """What a breath less than full adds to it; 0 where it is not drawn."""
        return -_DENSITY_EXPONENT * float(np.log(self.row["inspiration"] or 1.0))

    @property
    def published(self) -> float:
        """What emphysema of this severity should add to it."""
        return float(np.log(np.interp(self.row["severity"], *_PUBLISHED)))


def make_store(out: Path, origin: str, inputs: dict[str, Any], n: int, making: str) -> Path:
    """The pairs of one making: equal seeds draw equal patients whatever layers are off."""
    # Radiographs are what they are; only the origins with voxels have a display to leave out.
    display = () if origin == "cxr" else ("display",)
    store = out / f"{origin}-{making}.zarr"
    without = (*_WITHOUT[making], *_IMAGING, *display)
    dfsynth.simulate_pairs(
        store, n, size=_SIZE, origin=origin, seed=_SEED, without=without, **inputs
    )
    return store


def read_factors(store: Path) -> dict[int, Made]:
    """By row, the pairs whose lung field is large enough to measure."""
    source = open_pairs(store, None, _SIZE, (0.0, 1.0))
    assert isinstance(source, StorePairs)
    found = {}
    for index, row in enumerate(source.manifest.to_pylist()):
        pair = source.read(index)
        assert pair.lung is not None
        assert pair.clean is not None
        field = pair.lung == 1
        if field.mean() < LEAST_LUNG:
            continue
        thickness_mm = source.arrays.read("lung_thickness_mm", row["row"])[field]
        predicted = thickness_mm.astype(np.float64) * _HEALTHY_PER_M / 1000
        factor = best_factor(predicted, pair.clean[field].astype(np.float64))
        found[row["row"]] = Made(float(np.log(factor)), row)
    return found


def spread(values: Values, patients: Sequence[str]) -> str:
    """Standard deviation with its 95 % interval, resampled by whole patients."""
    groups = [values[np.array(patients) == name] for name in sorted(set(patients))]
    low, high = bootstrap_percentiles(groups, lambda g: float(np.std(np.concatenate(g))), _SEED)
    return f"{values.std():.3f} ({low:.3f} to {high:.3f})"


def take_apart(makings: Mapping[str, dict[int, Made]]) -> dict[str, object]:
    """The factor's spread, and that of each part of it, over the pairs that all makings have."""
    rows = sorted(set.intersection(*(set(found) for found in makings.values())))
    logs = {
        name: np.array([found[row].log_factor for row in rows]) for name, found in makings.items()
    }
    pairs = [makings["all"][row] for row in rows]
    patients = [str(pair.row["patient_id"]) for pair in pairs]
    healthy = np.array([pair.is_healthy for pair in pairs])
    drawn, breath, published = (
        np.array([getattr(pair, name) for pair in pairs])
        for name in ("drawn", "breath", "published")
    )
    parts = {
        "coefficient as drawn": drawn,
        "depth of breath": breath,
        "rest of the healthy lung": logs["well"] - drawn - breath,
        "emphysema": logs["even"] - logs["well"],
        "emphysema, published ratios": published,
        "unevenness": logs["dry"] - logs["even"],
        "opacities": logs["all"] - logs["dry"],
    }
    return {
        "pairs": len(rows),
        "patients": len(set(patients)),
        "share without drawn disease": round(float(healthy.mean()), 2),
        "mean of the logarithm": round(float(logs["all"].mean()), 3),
        "SD, all": spread(logs["all"], patients),
        "SD, no disease drawn": spread(
            logs["all"][healthy], [p for p, well in zip(patients, healthy, strict=True) if well]
        ),
        "SD, the same patients, diseases off": spread(logs["well"], patients),
        "SD of the coefficient and the published ratios": spread(drawn + published, patients),
        "SD of its parts": {name: round(float(part.std()), 3) for name, part in parts.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the stores")
    parser.add_argument("--ct", type=Path, required=True)
    parser.add_argument("--cxr", type=Path, required=True)
    parser.add_argument("--n", type=int, default=56, help="pairs of each origin")
    arguments = parser.parse_args()
    result: dict[str, object] = dict(describe_machine())
    inputs: dict[str, dict[str, Any]] = {
        "phantom": {},
        "ct": {"ct": arguments.ct},
        "cxr": {"cxr": arguments.cxr},
    }
    for origin, given in inputs.items():
        stores = {
            making: make_store(arguments.out, origin, given, arguments.n, making)
            for making in _WITHOUT
        }
        result[origin] = take_apart({name: read_factors(path) for name, path in stores.items()})
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
