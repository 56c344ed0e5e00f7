"""Prints the effective attenuation coefficient of water by tube voltage, in 1/cm.

    python scripts/effective_water.py

2.5 mm of aluminium, 600 µm of caesium iodide, energy-integrating; no further dependencies.
"""

from dfsynth.simulation.acquisition import XrayTube, effective_water_per_cm

DEPTHS_MM = (0, 50, 100, 150, 200, 300)


def main() -> None:
    print("kVp  " + "".join(f"{f'{depth} mm':>9}" for depth in DEPTHS_MM))
    for kvp in (60, 70, 80, 90, 100, 110, 125, 140):
        row = (effective_water_per_cm(XrayTube(kvp), depth) for depth in DEPTHS_MM)
        print(f"{kvp:>4} " + "".join(f"{value:>9.3f}" for value in row))


if __name__ == "__main__":
    main()
