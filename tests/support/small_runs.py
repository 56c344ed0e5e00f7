"""Whole runs of toys, small enough to be stopped at many places."""

from pathlib import Path

from toy_generator import ToyMaker
from toy_simulator import ToyPairMaker

import dfsynth
from dfsynth.jobs.build import run_build
from dfsynth.jobs.engine import RunReport
from dfsynth.jobs.simulate import run_simulation
from dfsynth.options import BuildOptions, SimulateOptions
from dfsynth.progress import Silent


def run(images: str, out: Path) -> RunReport:
    """Builds a store of the images in a folder, or simulates one where `images` is "pairs"."""
    if images == "pairs":
        simulating = SimulateOptions(out=out, n=11, size=64, shard_size=4, workers=1)
        return run_simulation(simulating, ToyPairMaker(simulating), Silent())
    options = BuildOptions(source=images, out=out, shard_size=4, workers=1)
    return run_build(options, ToyMaker(batch_size=1), Silent())


def train_best(recipe: str, pairs: Path, folder: Path) -> Path:
    """The best checkpoint of the text of a recipe, trained in `folder` on a store of pairs."""
    (folder / "recipe.toml").write_text(recipe)
    dfsynth.train_generator(folder / "recipe.toml", pairs, folder / "run", progress=None)
    return folder / "run" / "best"
