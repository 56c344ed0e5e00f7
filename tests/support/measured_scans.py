"""Measured scans as their repositories lay them out, with figures that a test chooses."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DETECTOR = (90, 80)
# Animal → smoke or control, and the sum of -ln V over that of -ln T of its lobes.
ANIMALS: Mapping[str, tuple[str, tuple[float, ...]]] = {
    "KO202": ("control", (22.0, 22.0)),
    "WT223": ("control", (23.0, 25.0)),
    "WT224": ("control", (24.5, 24.5)),
    "WT353": ("smoke", (17.0, 17.0)),
    "KO373": ("smoke", (22.5, 22.5)),
}
REGIONS = ("LL", "RUL")


def lobe_mask(rng: np.random.Generator) -> NDArray[np.bool_]:
    """An ellipse somewhere on the detector, which holds a square of more than 17 pixels."""
    y, x = np.ogrid[: DETECTOR[0], : DETECTOR[1]]
    middle_y, middle_x = rng.uniform(35, 50), rng.uniform(32, 45)
    return ((y - middle_y) / 30) ** 2 + ((x - middle_x) / 20) ** 2 < 1


def write_pixels(path: Path, attenuation: NDArray[np.floating], ratio: float) -> None:
    """A CSV of pixels whose signal is `ratio` times their attenuation, each pixel's its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["A", "P", "B", "R", "v"])
        for value in attenuation:
            writer.writerow([np.exp(-value), -0.7, np.exp(-ratio * value), ratio, 0.12])


def write_listing(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """A table of scans; the first row names the columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_lobes(
    folder: Path, animals: Mapping[str, tuple[str, tuple[float, ...]]] = ANIMALS
) -> Path:
    """A checkout of dried lobes with these ratios; masks are saved in column order, as there."""
    rng = np.random.default_rng(5)
    rows = []
    for name, (smoke, ratios) in animals.items():
        for region, ratio in zip(REGIONS, ratios, strict=False):
            stem = f"data/series.{name}_series.{region}"
            mask = lobe_mask(rng)
            write_pixels(folder / f"{stem}.csv", rng.uniform(0.02, 0.05, mask.sum()), ratio)
            np.save(folder / f"{stem}.npy", np.asfortranarray(mask))
            rows.append(
                {
                    "name": name,
                    "smoke": smoke,
                    "region": region,
                    "sample": "/far/a.h5",
                    "flat": "/far/b.h5",
                    "reconstructed": "/far/a_b.h5",
                    "csv": f"{stem}.csv",
                    "roi": f"{stem}.npy",
                }
            )
    write_listing(folder / "reconstructed.csv", rows)
    return folder


def write_diluted(folder: Path, ratios: Mapping[float, float]) -> Path:
    """A checkout of diluted microspheres: diameter in µm → signal over attenuation."""
    rows = []
    for number, (size, ratio) in enumerate(ratios.items()):
        name = f"source/data/csv/series.{number}.csv"
        write_pixels(folder / name, np.linspace(1.0, 1.3, 20), ratio)
        rows.append({"size": size, "sample": "/far/a.h5", "flat": "/far/b.h5", "csv": name})
    write_listing(folder / "source/data/reconstructed.csv", rows)
    return folder


def write_packed(folder: Path, scans: Sequence[tuple[float, str, str, float]]) -> Path:
    """A checkout of packed microspheres: diameter in µm, thickness in mm, filter, ratio."""
    rows = []
    for number, (size, thickness, filtered, ratio) in enumerate(scans):
        name = f"source/data/rawdata/S{number:05d}.csv"
        write_pixels(folder / name, np.linspace(0.3, 0.4, 20), ratio)
        rows.append(
            {
                "particle_size": size,
                "sample_thickness": thickness,
                "filter": filtered,
                "csv": name,
            }
        )
    write_listing(folder / "data/build_summary.csv", rows)
    return folder
