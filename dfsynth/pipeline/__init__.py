"""The stages joined: plan, one shard through all of them, resume, and a look at the result."""

from dfsynth.pipeline.build import BuildReport, build
from dfsynth.pipeline.generator import Generator, GeneratorMaker
from dfsynth.pipeline.progress import Progress, Silent

__all__ = ["BuildReport", "Generator", "GeneratorMaker", "Progress", "Silent", "build"]
