"""What a generator is known by, and what it gives for one image."""

from collections.abc import Mapping
from dataclasses import dataclass

from dfsynth.records.intensity import Intensity
from dfsynth.records.maps import Float32Map
from dfsynth.records.sampling import SamplerSettings
from dfsynth.records.task import Task


@dataclass(frozen=True, slots=True)
class GeneratorFacts:
    """What the other stages and the store must know of a generator."""

    name: str
    sha256: str
    """Of the checkpoint: its weights, its `model.json`, and its heads where it has any."""
    grid: tuple[int, int]
    """(height, width) that it was trained at."""
    intensity: Intensity
    unit: str
    """Of the output."""
    window: tuple[float, float]
    """Display window of the output."""
    has_lung: bool
    license: str
    task: str
    """What it is for, by the name of the task."""
    has_learned_scores: bool = False
    """Whether it fills `Generated.learned`."""
    own_task: Task | None = None
    """The task itself where it does not come with dfsynth."""
    members: int = 1
    """Networks among which samples are shared out."""
    has_dropout: bool = True
    """Whether samples of one network differ by dropped channels."""
    sampling: SamplerSettings | None = None
    """How samples are drawn out of noise; None where none are."""
    card_sampling: SamplerSettings | None = None
    """The same, where nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What the generator gives for one image; every map (y, x) of the grid, float32."""

    mean: Float32Map
    """Mean over the Monte-Carlo samples, in the unit of the generator."""
    aleatoric: Float32Map
    """Standard deviation, same unit."""
    epistemic: Float32Map
    """Standard deviation, same unit."""
    lung: Float32Map | None
    """Probability of lung in [0, 1]; null where the checkpoint has no lung output."""
    learned: Mapping[str, float] | None = None
    """What the checkpoint's heads for trust say of the image, by the name of the manifest's column,
    finite; null where the checkpoint has none. A column that they leave out is not known."""
    learned_flags: tuple[str, ...] = ()
    """Flags of the same heads, of `LEARNED_FLAGS`."""
