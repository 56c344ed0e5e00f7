"""The stages joined: plan, one shard through all of them, resume, and a look at the result."""

from dfsynth.pipeline.build import BuildReport, build
from dfsynth.pipeline.generator import Generator, GeneratorMaker
from dfsynth.pipeline.pair_maker import PairMaker, Simulator
from dfsynth.pipeline.progress import Progress, Silent
from dfsynth.pipeline.run import RunReport
from dfsynth.pipeline.simulate import simulate
from dfsynth.pipeline.split import split_of

__all__ = [
    "BuildReport",
    "Generator",
    "GeneratorMaker",
    "PairMaker",
    "Progress",
    "RunReport",
    "Silent",
    "Simulator",
    "build",
    "simulate",
    "split_of",
]
