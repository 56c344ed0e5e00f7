"""The methods that are compared: packaged recipes, brought to one size, one budget and one task."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from dfsynth.checkpoint import CascadeConfig
from dfsynth.datasets.augmentation import DeviceAugmentation
from dfsynth.records import IntensityRange
from dfsynth.tasks import DEFAULT_TASK, Task, task_named
from dfsynth.train import Recipe, read_recipe, recipe_path
from dfsynth.train.recipe import Phase, ValidationSettings
from dfsynth.train.recipe_fit import fit_recipe

NARROW, WIDE = (16, 32, 64, 96), (24, 56, 112, 168)
"""Three narrow stages have about as many parameters as one wide stage."""
_CASNET, _DENOISER = (16, 32, 56, 80), (24, 48, 96)
"""So do these networks."""
_VALIDATIONS: Final = 6


@dataclass(frozen=True, slots=True)
class Leg:
    """A phase: which stages it trains, its share of the steps and of the learning rate."""

    stages: tuple[int, ...]
    steps: float = 1.0
    rate: float = 1.0


SINGLE: Final = (Leg((1,)),)
TOGETHER: Final = (Leg((1, 2, 3)),)
"""All stages from the first step on, each by its own loss: the package's way."""
STAGE_BY_STAGE: Final = (
    Leg((1,), 0.5),
    Leg((2,), 0.2, 0.5),
    Leg((3,), 0.15, 0.5),
    Leg((1, 2, 3), 0.15, 0.1),
)
"""As published: each stage with those before it frozen, then all of them gently."""


@dataclass(frozen=True, slots=True)
class Method:
    """A row of the tables."""

    name: str
    recipe: str
    """Packaged."""
    network: Mapping[str, Any]
    """What differs in `[network]`."""
    loss: Mapping[str, Any] = field(default_factory=dict)
    """What differs in `[loss]`."""
    legs: tuple[Leg, ...] = SINGLE
    members: int = 1
    """Trainings from other seeds that are joined; the first is that of `single`."""
    single: "Method | None" = None
    """The method of one member; None where there is one alone."""
    samples: int = 20
    """Of an image in tests. Networks without dropout need one, and take one."""
    validated_pairs: int = 32
    """At most."""

    @property
    def slug(self) -> str:
        """In names of files."""
        return self.name.replace(",", "").replace(" ", "-").lower()

    @property
    def trained(self) -> "Method":
        """What one training of it is."""
        return self.single or self


_BETA_NLL: Final = {"beta_nll": 0.5}
_ABSOLUTE: Final = {"absolute": 1.0, "fidelity": 0.01, **_BETA_NLL}


def _cascade(
    name: str, guidance: str, legs: tuple[Leg, ...], loss: Mapping[str, Any] = _ABSOLUTE
) -> Method:
    return Method(name, "compact-256", {"widths": NARROW, "guidance": guidance}, loss, legs)


CASCADE: Final = _cascade("cascade", "attention", TOGETHER)
"""What all others are compared with."""
RISING: Final = _cascade(
    "cascade, rising likelihood", "attention", TOGETHER, _ABSOLUTE | {"fidelity_end": 1.0}
)
"""Its likelihood weighs a hundred times as much in the last update as in the first."""
WITHOUT_ABSOLUTE: Final = _cascade("cascade, beta-NLL", "attention", TOGETHER, _BETA_NLL)
"""Trained by a likelihood alone, in which pixels weigh by their sigma."""
LIKELIHOOD_ALONE: Final = _cascade("cascade, likelihood", "attention", TOGETHER, {"beta_nll": 0.0})
"""Trained by the likelihood as it is published, in which pixels are not weighed."""
UNET: Final = Method("U-Net L1", "unet-l1", {"widths": WIDE})
PIX2PIX: Final = Method("pix2pix", "pix2pix", {"widths": WIDE})
PAN: Final = Method("PAN", "pan", {"widths": WIDE})
MEDGAN: Final = Method("MedGAN", "medgan", {"widths": _CASNET})
HETEROSCEDASTIC: Final = Method("heteroscedastic U-Net", "heteroscedastic-unet", {"widths": WIDE})
BETA_NLL: Final = replace(HETEROSCEDASTIC, name="heteroscedastic U-Net, beta-NLL", loss=_BETA_NLL)
ABSOLUTE: Final = replace(HETEROSCEDASTIC, name="heteroscedastic U-Net, L1", loss=_ABSOLUTE)
"""The cascade's loss without the cascade."""
ENSEMBLE: Final = replace(
    HETEROSCEDASTIC, name="deep ensemble of 3", members=3, single=HETEROSCEDASTIC
)
QUANTILE: Final = Method("quantile U-Net", "quantile-unet", {"widths": WIDE})
DIFFUSION: Final = Method(
    "diffusion",
    "diffusion-64",
    {"widths": _DENOISER, "steps": 10},
    samples=4,
    validated_pairs=6,
)
FLOW: Final = Method(
    "flow", "flow-64", {"widths": _DENOISER, "steps": 4}, samples=8, validated_pairs=6
)
METHODS: Final = (
    *(CASCADE, RISING, UNET, PIX2PIX, PAN, MEDGAN, WITHOUT_ABSOLUTE, LIKELIHOOD_ALONE),
    *(ABSOLUTE, BETA_NLL, HETEROSCEDASTIC, ENSEMBLE, QUANTILE, DIFFUSION, FLOW),
)
"""Of the table."""
GUIDANCE: Final = (
    CASCADE,
    _cascade("cascade, concat", "concat", TOGETHER),
    _cascade("cascade, none", "none", TOGETHER),
)
"""The ablation of what one stage tells the next."""
PROGRESSIVE: Final = tuple(
    _cascade(f"stage by stage, {guidance}", guidance, STAGE_BY_STAGE)
    for guidance in ("attention", "concat", "none")
)
"""The same with the schedule as published."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What every training of a comparison gets."""

    size: int = 64
    """Side of the images in pixels."""
    batch: int = 8
    steps: int = 400
    """Updates of the generator."""
    full_width: bool = False
    """Whether networks are as wide as their recipes say."""
    residual: float = 0.0
    """Of every method's `[network]`, in tasks whose output is the input's quantity: how much of
    what it computes is added to the input. 0: images are computed whole."""


ON_GPU: Final = Budget(size=256, batch=16, steps=20_000, full_width=True)
"""What a day on one GPU may be spent on."""


def recipe_of(method: Method, task_name: str, budget: Budget, rate: float, seed: int) -> Recipe:
    """The method's packaged recipe at the size and budget, for the task.

    Augmentation and the moving average are one for all methods; what a paper says of its network,
    loss and optimiser is the method's own.
    """
    task = task_named(task_name)
    base = fit_recipe(read_recipe(recipe_path(method.recipe)), task, budget.size)
    loss, every = base.loss, max(budget.steps // _VALIDATIONS, 1)
    if task.name != DEFAULT_TASK and isinstance(base.network, CascadeConfig):
        # Residual consistency is of dark-field alone (Felsner et al. 2026); Upadhyay et al. 2021,
        # equation 6, and the baselines have none.
        loss = replace(loss, residual=0.0)
    loss = replace(loss, **method.loss)
    phases = tuple(
        Phase(
            name="only" if len(method.legs) == 1 else f"part-{number}",
            stages=leg.stages,
            learning_rate=rate * leg.rate,
            steps=max(round(leg.steps * budget.steps), 1),
        )
        for number, leg in enumerate(method.legs, 1)
    )
    network = {k: v for k, v in method.network.items() if k != "widths" or not budget.full_width}
    if task.output.quantity == "input":
        network["residual"] = budget.residual
    warm_up = min(base.optimiser.warm_up_steps, budget.steps // 10)
    return replace(
        base,
        name=f"{method.slug}-{task.name}",
        batch=budget.batch,
        seed=seed,
        checkpoint_every=every,
        network=replace(base.network, **network),
        augmentation=_augmentation(task),
        loss=loss,
        optimiser=replace(base.optimiser, ema_decay=0.99, warm_up_steps=warm_up),
        validation=ValidationSettings(every, method.validated_pairs, 0, base.validation.score),
        phase=phases,
        provenance={},
    )


def _augmentation(task: Task) -> DeviceAugmentation:
    positions = DeviceAugmentation(scale=(0.85, 1.15), shift=0.05, contrast=0.0)
    if isinstance(task.input.convention, IntensityRange):
        return positions
    # As the recipes of the baselines have it.
    return replace(positions, gamma=0.3, noise=0.02)
