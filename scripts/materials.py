"""Makes the tables in `dfsynth/data/materials`; needs xraydb and spekpy, which dfsynth does not.

    python scripts/materials.py dfsynth/data/materials

`attenuation.csv`: linear attenuation coefficients mu in 1/cm, total with coherent scattering, by
energy (Elam, Ravel and Sieber, Radiation Physics and Chemistry 63, 2002, as xraydb holds them).
`spectra.csv`: photons by energy of a tungsten tube without filters, 12° anode, by tube voltage
(spekpy's casim model: Omar, Andreo and Poludniowski, Medical Physics 47, 2020), each column
scaled to a sum of 1.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import spekpy
import xraydb

ENERGIES_KEV = np.arange(10.5, 150.0, 1.0)
TUBE_VOLTAGES_KVP = range(40, 151, 5)
ANODE_DEGREES = 12

CORTICAL_BONE = {  # ICRU report 44, mass fractions
    "H": 0.034,
    "C": 0.155,
    "N": 0.042,
    "O": 0.435,
    "Na": 0.001,
    "Mg": 0.002,
    "P": 0.103,
    "S": 0.003,
    "Ca": 0.225,
}
WATER = {"H": 0.1119, "O": 0.8881}
CAESIUM_IODIDE = {"Cs": 0.5115, "I": 0.4885}
SUBSTANCES = {  # name: (mass fractions, density in g/cm³)
    "water": (WATER, 1.0),
    "bone": (CORTICAL_BONE, 1.92),
    "aluminium": ({"Al": 1.0}, 2.699),
    "iron": ({"Fe": 1.0}, 7.874),
    "caesium_iodide": (CAESIUM_IODIDE, 4.51),
}


def attenuation_per_cm(fractions: dict[str, float], density: float) -> np.ndarray:
    mass = sum(
        share * xraydb.mu_elam(element, ENERGIES_KEV * 1000) for element, share in fractions.items()
    )
    return density * mass


def photons(kvp: int) -> np.ndarray:
    energies, fluence = spekpy.Spek(
        kvp=kvp, th=ANODE_DEGREES, dk=1.0, physics="casim", shift=0.0
    ).get_spectrum()
    on_grid = np.interp(ENERGIES_KEV, energies, fluence, right=0.0)
    return on_grid / on_grid.sum()


def write(path: Path, columns: dict[str, np.ndarray]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([f"{value:.5g}" for value in row])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    table = {"energy_kev": ENERGIES_KEV}
    table |= {name: attenuation_per_cm(*made_of) for name, made_of in SUBSTANCES.items()}
    write(folder / "attenuation.csv", table)
    spectra = {"energy_kev": ENERGIES_KEV}
    spectra |= {f"{kvp}": photons(kvp) for kvp in TUBE_VOLTAGES_KVP}
    write(folder / "spectra.csv", spectra)


if __name__ == "__main__":
    main()
