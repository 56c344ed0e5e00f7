"""Builds a store from the packaged radiographs, simulates a few pairs, and draws both.

python examples/demo.py demo-out
"""

import subprocess
import sys
from pathlib import Path

from dfsynth.resources import data_folder


def main() -> None:
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out")
    table = str(data_folder("samples") / "samples.csv")
    store, image = str(out / "demo.zarr"), str(out / "demo.png")
    run("build", "--source", table, "--out", store, "--maps", "dark_field,aleatoric,epistemic,lung")
    run("info", store)
    run("show", store, "--source", table, "--out", image)
    run("filter", store, "--keep", "0.75", "--out", str(out / "kept.parquet"))
    pairs, pairs_image = str(out / "pairs.zarr"), str(out / "pairs.png")
    run("simulate", "--out", pairs, "--n", "6", "--seed", "3")
    run("show", pairs, "--out", pairs_image)
    print(f"\nThe images are {image} and {pairs_image}.")
    print("Synthetic and simulated images, not for diagnosis.")


def run(*arguments: str) -> None:
    print("\n$ dfsynth", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "dfsynth", *arguments], check=True)


if __name__ == "__main__":
    main()
