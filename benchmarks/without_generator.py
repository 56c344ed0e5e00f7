"""What stands for a checkpoint where a measurement is to hold none."""

from typing import NoReturn

from dfsynth.records import GeneratorFacts, IntensityWindow
from dfsynth.tasks import DEFAULT_TASK


class NoGenerator:
    """Implements `dfsynth.jobs.generator.GeneratorMaker`; has facts, and makes nothing."""

    def __init__(self, grid: tuple[int, int] = (256, 256)) -> None:
        self.facts = GeneratorFacts(
            name="none",
            sha256="0" * 64,
            grid=grid,
            intensity=IntensityWindow(),
            unit="1",
            window=(0.0, 1.0),
            has_lung=False,
            license="none",
            task=DEFAULT_TASK,
            has_learned_scores=False,
        )

    def resolve_precision(self, wanted: str) -> str:  # noqa: ARG002
        """Always fp32."""
        return "fp32"

    def make(self, precision: str, grid: tuple[int, int]) -> NoReturn:
        """Never to be called.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError
