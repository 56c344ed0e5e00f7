"""The ways in which the predictive distribution of an image is sampled."""

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from dfsynth.counted_nouns import counted

MonteCarloMode: TypeAlias = Literal["full", "fast"]
"""`full`: every sample goes through every stage. `fast`: one pass of each member, no dropout."""
MONTE_CARLO_MODES: Final[tuple[MonteCarloMode, ...]] = get_args(MonteCarloMode)

DiffusionSampler: TypeAlias = Literal["ddim", "ancestral", "dpm-solver"]
"""What leads from noise to a sample of a diffusion network; `dfsynth.models.samplers` says how."""
FlowSampler: TypeAlias = Literal["euler", "midpoint"]
"""The same of flow matching."""
SamplerName: TypeAlias = DiffusionSampler | FlowSampler
DIFFUSION_SAMPLERS: Final[tuple[DiffusionSampler, ...]] = get_args(DiffusionSampler)
FLOW_SAMPLERS: Final[tuple[FlowSampler, ...]] = get_args(FlowSampler)
SAMPLERS: Final[tuple[SamplerName, ...]] = (*DIFFUSION_SAMPLERS, *FLOW_SAMPLERS)


@dataclass(frozen=True, slots=True)
class SamplerChoice:
    """How samples shall be drawn out of noise; what is None is as the checkpoint's card says."""

    sampler: SamplerName | None = None
    steps: int | None = None
    """Passes of the network to a sample, without those that guidance adds."""
    guidance: float | None = None
    """Weight of classifier-free guidance, 0 or more; 0 is none."""

    @property
    def given(self) -> dict[str, Any]:
        """What is not None, by its name."""
        entries = ("sampler", self.sampler), ("steps", self.steps), ("guidance", self.guidance)
        return {name: value for name, value in entries if value is not None}


AS_THE_CARD_SAYS: Final = SamplerChoice()


@dataclass(frozen=True, slots=True)
class SamplerSettings:
    """How samples are drawn out of noise."""

    sampler: SamplerName
    steps: int
    """Passes of the network to a sample, without those that guidance adds."""
    guidance: float
    """Weight of classifier-free guidance, 0 or more; 0 is none."""

    @property
    def words(self) -> str:
        """A few words for people, such as `dpm-solver of 4 steps, guidance 1.5`."""
        guided = f", guidance {self.guidance:g}" if self.guidance else ""
        return f"{self.sampler} of {counted(self.steps, 'step')}{guided}"
