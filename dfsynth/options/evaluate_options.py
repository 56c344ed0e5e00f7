"""What `dfsynth evaluate` is asked to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from dfsynth.errors import UsageError
from dfsynth.options.build_options import DEFAULT_MC_SAMPLES
from dfsynth.options.checks import require_inputs_on_disk, require_one_of, require_sampler
from dfsynth.options.coercion import to_optional_path, to_path
from dfsynth.options.given import GivenOptions
from dfsynth.records import MONTE_CARLO_MODES, MonteCarloMode, SamplerChoice, SamplerName

SPLIT_CHOICES: Final = ("train", "val", "calibration", "test", "all")
CALIBRATION_CHOICES: Final = ("auto", "pairs", "controlled", "card", "none")


@dataclass(frozen=True, slots=True)
class EvaluationOptions(GivenOptions):
    """What `dfsynth evaluate` was asked for.

    Raises:
        UsageError: a value out of its range.
    """

    _coercions: ClassVar = {
        "checkpoint": str,
        "data": to_path,
        "targets": to_optional_path,
        "ood": to_optional_path,
    }

    checkpoint: str
    data: Path
    targets: Path | None = None
    split: str = "test"
    """train, val, calibration, test or all."""
    ood: Path | None = None
    limit: int | None = None
    """At most so many pairs of each split, and images of `ood`, evenly spaced."""
    calibration: str = "auto"
    """pairs: the calibration patients of `data`; controlled: the same, wider, so that the risk is
    guaranteed over patients; card: the checkpoint's own; none: the density's quantiles; auto:
    pairs, card or none, the first that there is."""
    mc_samples: int = DEFAULT_MC_SAMPLES
    mc: MonteCarloMode = "full"
    """`full`: every sample through every stage; `fast`: one pass of each member."""
    sampler: SamplerName | None = None
    """What leads from noise to a sample, of a checkpoint that draws them; that of its card by
    default, as of the two below."""
    sampler_steps: int | None = None
    """Passes of the network to a sample."""
    guidance: float | None = None
    """Weight of classifier-free guidance, 0 or more."""
    device: str = "auto"
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        require_inputs_on_disk(data=self.data, targets=self.targets, ood=self.ood)
        require_one_of("--split", self.split, SPLIT_CHOICES)
        require_one_of("--mc", self.mc, MONTE_CARLO_MODES)
        require_sampler(self.sampler_choice)
        require_one_of("--calibration", self.calibration, CALIBRATION_CHOICES)
        for name, value in (("--limit", self.limit), ("--mc-samples", self.mc_samples)):
            if value is not None and value < 1:
                raise UsageError(f"{name} {value}: expected 1 or more")

    @property
    def sampler_choice(self) -> SamplerChoice:
        """How samples are drawn out of noise, as far as it is not as the card says."""
        return SamplerChoice(self.sampler, self.sampler_steps, self.guidance)
