"""Trains a trial generator on a few simulated pairs, and asks how far it can be trusted.

    python examples/train_and_evaluate.py trial

Far too few pairs and steps for images that are worth anything: it shows the way.
"""

import argparse
from pathlib import Path

import dfsynth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    pairs = folder / "pairs.zarr"
    dfsynth.simulate_pairs(pairs, 12, size=64)
    report = dfsynth.train_generator("tiny-cpu", pairs, folder / "run")
    print(f"{report.steps} steps, best validation NLL {report.best_score:.3f}")
    scores = dfsynth.evaluate_checkpoint(
        report.best, pairs, split="all", mc_samples=4, out=folder / "evaluation"
    )
    print(scores.notice)
    lung = scores.stages[-1].lung
    if lung is not None:
        covered = lung.noisy.coverage
        print(f"90 % intervals cover {covered.value:.0%} of the lung ({covered.low:.0%} up)")


if __name__ == "__main__":
    main()
