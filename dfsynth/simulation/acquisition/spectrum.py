"""What a tube and a scintillator make of millimetres of tissue: polychromatic transmission.

The tables of `dfsynth/data/materials` hold mu(E) and tube spectra; `scripts/materials.py` made
them. A line integral through water and bone has two numbers, so everything polychromatic is one
table over both, looked up bilinearly.
"""

import csv
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dfsynth.errors import UsageError
from dfsynth.records import Float32Map
from dfsynth.resources import data_folder

Float64Array = NDArray[np.float64]

_WATER_STEP_MM, _WATER_MOST_MM = 2.5, 800.0
_BONE_STEP_MM, _BONE_MOST_MM = 0.5, 150.0
_METAL_BEHIND_WATER_MM = 150.0
_LEAST_LOG_TRANSMISSION = -40.0


@dataclass(frozen=True, slots=True)
class XrayTube:
    """An X-ray tube, its filter and an energy-integrating scintillator."""

    kvp: float
    """Tube voltage in kV, 40 to 150."""
    filter_aluminium_mm: float = 2.5
    """Thickness of the filter in mm."""
    caesium_iodide_um: float = 600.0
    """Thickness of the scintillator in µm."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """What the detector records by energy, behind nothing but the tube's own filter."""

    energy_kev: Float64Array
    """(energies), rising."""
    weight: Float64Array
    """(energies), recorded energy, sum 1."""


@cache
def attenuation_per_mm(substance: str) -> Float64Array:
    """mu(E) in 1/mm at the energies of the tables.

    `substance` is water, bone (cortical, ICRU 44), aluminium, iron or caesium_iodide.
    """
    return _columns("attenuation")[substance] / 10.0


def detected_spectrum(tube: XrayTube) -> Spectrum:
    """The tube's spectrum after its filter, times the energy the scintillator absorbs.

    Between tabulated voltages the spectra are mixed linearly.

    Raises:
        UsageError: a voltage outside the tables.
    """
    table = _columns("spectra")
    voltages = sorted(int(name) for name in table if name.isdigit())
    if not voltages[0] <= tube.kvp <= voltages[-1]:
        raise UsageError(
            f"no spectrum for {tube.kvp:g} kVp; choose {voltages[0]} to {voltages[-1]} kVp"
        )
    above = next(v for v in voltages if v >= tube.kvp)
    below = max(v for v in voltages if v <= tube.kvp)
    share = (tube.kvp - below) / (above - below) if above > below else 0.0
    emitted = (1 - share) * table[str(below)] + share * table[str(above)]
    energy_kev = table["energy_kev"]
    passed = np.exp(-tube.filter_aluminium_mm * attenuation_per_mm("aluminium"))
    thickness_mm = tube.caesium_iodide_um / 1000.0
    absorbed = -np.expm1(-thickness_mm * attenuation_per_mm("caesium_iodide"))
    weight = emitted * passed * absorbed * energy_kev
    return Spectrum(energy_kev, weight / weight.sum())


def log_transmission(water_mm: Float32Map, bone_mm: Float32Map, weight: Float64Array) -> Float32Map:
    """ln Σ w(E) exp(−mu_water(E) · water − mu_bone(E) · bone), (y, x) float32, ≤ 0 for Σ w = 1.

    `water_mm` and `bone_mm` (y, x) are ≥ 0; beyond 800 mm and 150 mm they count as just that.
    `weight` (energies) holds the weights of the tables' energies. Better than 1 % in T.
    """
    column = np.clip(bone_mm, 0, _BONE_MOST_MM) / np.float32(_BONE_STEP_MM)
    row = np.clip(water_mm, 0, _WATER_MOST_MM) / np.float32(_WATER_STEP_MM)
    # Only as much of the table as these maps look into.
    behind_water = _behind("water", _WATER_MOST_MM, _WATER_STEP_MM)[: int(row.max()) + 2]
    behind_bone = _behind("bone", _BONE_MOST_MM, _BONE_STEP_MM)[: int(column.max()) + 2]
    passed = (behind_water * weight) @ behind_bone.T
    table = np.log(np.maximum(passed, np.exp(_LEAST_LOG_TRANSMISSION))).astype(np.float32)
    return _bilinear(table, row, column)


def transmit(
    water_mm: Float32Map, bone_mm: Float32Map, tube: XrayTube, metal_mm: Float32Map | None = None
) -> Float32Map:
    """The primary transmission T in (0, 1], (y, x) float32, of line integrals in mm.

    Metal (as iron) is taken at the coefficient that the beam has behind 150 mm of water: a
    separate factor, right where it matters most, since little passes the devices met in chests.
    """
    spectrum = detected_spectrum(tube)
    log = log_transmission(water_mm, bone_mm, spectrum.weight)
    if metal_mm is not None:
        hardened = spectrum.weight * np.exp(-_METAL_BEHIND_WATER_MM * attenuation_per_mm("water"))
        thickness = np.linspace(0, 20, 401)
        behind = np.exp(-thickness[:, None] * attenuation_per_mm("iron")) @ hardened
        log = log + np.interp(metal_mm, thickness, np.log(behind / behind[0])).astype(np.float32)
    return np.exp(log).astype(np.float32)


def effective_water_per_cm(tube: XrayTube, behind_mm: float) -> float:
    """Mean coefficient −ln T / length of water in 1/cm; for 0 mm its limit, the thin layer."""
    spectrum, mu = detected_spectrum(tube), attenuation_per_mm("water")
    if behind_mm == 0:
        return float(10 * (spectrum.weight @ mu))
    return float(-10 * np.log(spectrum.weight @ np.exp(-behind_mm * mu)) / behind_mm)


def _bilinear(table: Float32Map, row: Float32Map, column: Float32Map) -> Float32Map:
    """Values of `table` between its nodes. OpenCV's own lookup rounds places to 1/32 of a node."""
    top = np.minimum(row.astype(np.int32), table.shape[0] - 2)
    left = np.minimum(column.astype(np.int32), table.shape[1] - 2)
    down, right = row - top, column - left
    flat, first = table.ravel(), top * table.shape[1] + left
    upper = flat[first] * (1 - right) + flat[first + 1] * right
    first = first + table.shape[1]
    lower = flat[first] * (1 - right) + flat[first + 1] * right
    return np.asarray(upper * (1 - down) + lower * down, np.float32)


@cache
def _behind(substance: str, most_mm: float, step_mm: float) -> Float64Array:
    """Transmission by thickness and energy, (thicknesses, energies), one step past the most."""
    thickness_mm = np.arange(0, most_mm + 1.5 * step_mm, step_mm)
    return np.asarray(np.exp(-thickness_mm[:, None] * attenuation_per_mm(substance)))


@cache
def _columns(name: str) -> dict[str, Float64Array]:
    with (data_folder("materials") / f"{name}.csv").open(encoding="utf-8") as file:
        names, *rows = list(csv.reader(file))
    values = np.array(rows, np.float64)
    return {column: values[:, index] for index, column in enumerate(names)}
