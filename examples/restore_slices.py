"""Simulates slices of dark-field CT, trains on them, and restores slices that it never saw.

    python examples/restore_slices.py folder

Far too few slices and steps for images that are worth anything: it shows the way.
"""

import argparse
from pathlib import Path

import numpy as np

import dfsynth

RECIPE = """
name = "trial"
task = "dark-field-ct"
size = 64
batch = 4
window = [0.0, 4.0]
[network]
backbone = "residual-unet"
stages = 1
widths = [8, 16, 16, 16, 16]
dropout = 0.0
lung_head = false
likelihood = "point"
[augmentation]
rotation_deg = 0.0
contrast = 0.0
[loss]
misfit = "l2"
adversarial = 0.0
residual = 0.0
lung = 0.0
[validation]
every_steps = 20
score = "mse"
[[phase]]
name = "only"
stages = [1]
steps = 40
learning_rate = 3e-3
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    simulate(folder / "pairs.zarr", 12, seed=4)
    (folder / "trial.toml").write_text(RECIPE)
    report = dfsynth.train_generator(folder / "trial.toml", folder / "pairs.zarr", folder / "run")

    scanned = simulate(folder / "scanned.zarr", 2, seed=11)
    slices = folder / "slices"
    slices.mkdir(exist_ok=True)
    for line in scanned.manifest.to_pylist():
        # Floating-point numbers in 1/m: what the checkpoint's card asks for.
        np.save(slices / f"{line['image_id']}.npy", scanned.read("single_rotation", line["row"]))
    dfsynth.build(slices, folder / "restored.zarr", checkpoint=str(report.best), mc_samples=2)

    restored = dfsynth.open_store(folder / "restored.zarr")
    print(restored.provenance["notice"])
    for row in range(2):
        truth, lung = scanned.read("truth", row), scanned.read("lung_mask", row) == 1
        given = scanned.read("single_rotation", row)
        made = restored.read("dark_field_coefficient", row)
        off = (float(np.abs(image - truth)[lung].mean()) for image in (given, made))
        print("mean error in the lung: {:.2f} 1/m given, {:.2f} 1/m restored".format(*off))


def simulate(out: Path, slices: int, seed: int) -> dfsynth.Store:
    """Fewer shots and rotations than a scanner takes, so that it is done in seconds."""
    dfsynth.simulate_pairs(
        out,
        slices,
        task="dark-field-ct",
        size=64,
        shots=400,
        rotations=6,
        window_shots=21,
        seed=seed,
    )
    return dfsynth.open_store(out)


if __name__ == "__main__":
    main()
