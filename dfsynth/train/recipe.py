"""What a training is asked to do: one frozen record, checked before anything is loaded."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal, Self, TypeAlias

from dfsynth.checkpoint import (
    CascadeConfig,
    DiffusionConfig,
    FlowConfig,
    Likelihood,
    MunitConfig,
    is_degrader,
    leave_out_later,
)
from dfsynth.datasets.augmentation import DeviceAugmentation
from dfsynth.errors import UsageError
from dfsynth.files.toml_record import record_entries
from dfsynth.models.discriminator import DISCRIMINATOR_WIDTHS
from dfsynth.records import IntensityRange
from dfsynth.records.grid import LARGEST_SIDE
from dfsynth.tasks import DEFAULT_TASK, Task, task_of
from dfsynth.train.amplification import Amplification

Misfit = Literal["l1", "l2"]
MISFIT_LIKELIHOODS: Final[frozenset[Likelihood]] = frozenset({"point", "quantile"})
"""Those whose mean is trained by `misfit`."""
TrainedNetwork: TypeAlias = CascadeConfig | DiffusionConfig | FlowConfig | MunitConfig
"""What `[network]` of a recipe may be, by its key `name`; a cascade without one."""


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weights of the terms of a generator's loss; a term of weight 0 is not computed.

    Raises:
        UsageError: a weight or the box is out of its range.
    """

    fidelity: float = 1.0
    """Negative log-likelihood of the noisy target; its `misfit` for `point` and `quantile`."""
    fidelity_end: float | None = None
    """What `fidelity` rises to within a phase, by the same factor in every step; None: it stays. In
    the published code of Upadhyay et al. 2021 it rises a thousandfold beside that of `absolute`."""
    misfit: Misfit = "l1"
    """Of the likelihoods `point` and `quantile`: absolute or squared errors."""
    beta_nll: float = 0.0
    """From 0 to 1: pixels of a likelihood weigh sigma to the power of twice this (Seitzer et al.
    2022). 0: all alike, as published; 0.5 fits means better where errors are large."""
    absolute: float = 0.0
    """Of the mean absolute error beside a likelihood, as the published code of Upadhyay et al. 2021
    has it: the mean then follows its error, also where sigma is large or learned by heart."""
    adversarial: float = 0.001
    """Least squares of a patch discriminator a stage (Upadhyay et al. 2021, equation 6)."""
    conditional: bool = False
    """Whether discriminators see the radiograph beside its dark-field image (Isola et al. 2017)."""
    discriminator: tuple[int, ...] = DISCRIMINATOR_WIDTHS
    """Channels of a discriminator's hidden layers, each half as fine as the one before."""
    discriminator_every: int = 1
    """Steps of the generator for each step of its discriminators."""
    perceptual: tuple[float, ...] = ()
    """Of the L1 distance between a discriminator's features of generated and measured images, layer
    by layer, fine first (Wang et al. 2018)."""
    margin: float = 0.0
    """Perceptual distance up to which discriminators look for features that differ; 0: they do not
    (Wang et al. 2018)."""
    style: float = 0.0
    """Of the distance between Gram matrices of these features (Armanious et al. 2020)."""
    residual: float = 0.2
    """Residual consistency (Felsner et al. 2026)."""
    residual_box: int = 9
    """Side of its box filter in pixels, odd."""
    lung: float = 0.3
    """Cross-entropy of the lung output, where pairs have a lung mask."""
    amplification: Amplification = field(default_factory=Amplification)

    def __post_init__(self) -> None:
        for name in ("fidelity", "absolute", "adversarial", "residual", "lung"):
            if getattr(self, name) < 0:
                raise UsageError(f"[loss] {name} = {getattr(self, name)}: expected 0 or more")
        if self.fidelity == 0 and not self.perceptual:
            raise UsageError(
                "[loss] fidelity = 0: expected more, or perceptual weights, or nothing says what "
                "is right"
            )
        if self.fidelity_end is not None and not min(self.fidelity, self.fidelity_end) > 0:
            raise UsageError(
                f"[loss] fidelity_end = {self.fidelity_end:g}, fidelity = {self.fidelity:g}: "
                "expected both above 0, for one rises to the other by a factor a step"
            )
        if not 0 <= self.beta_nll <= 1:
            raise UsageError(f"[loss] beta_nll = {self.beta_nll:g}: expected 0 to 1")
        if self.amplification.kind != "none":
            if self.beta_nll:
                raise UsageError(
                    "[loss] beta_nll and [loss.amplification] both weigh the pixels; expected one"
                )
            if self.absolute:
                raise UsageError(
                    "[loss] absolute is not amplified, so that [loss.amplification] would act on a "
                    "part of the loss alone; expected one of them"
                )
        self._check_features()
        if self.residual_box < 3 or self.residual_box % 2 == 0:
            raise UsageError(
                f"[loss] residual_box = {self.residual_box}: expected an odd number from 3"
            )

    def after(self, share: float) -> Self:
        """The weights after a share of a phase's steps, from 0 to 1."""
        if self.fidelity_end is None:
            return self
        grown = self.fidelity * (self.fidelity_end / self.fidelity) ** share
        return replace(self, fidelity=grown)

    def _check_features(self) -> None:
        """Features are those of a discriminator that is trained to tell images apart."""
        for name in ("margin", "style"):
            if getattr(self, name) < 0:
                raise UsageError(f"[loss] {name} = {getattr(self, name)}: expected 0 or more")
        layers = len(self.discriminator)
        if not layers or min(self.discriminator) < 1:
            raise UsageError(
                f"[loss] discriminator = {list(self.discriminator)}: expected channels of 1 or more"
            )
        if self.discriminator_every < 1:
            raise UsageError(
                f"[loss] discriminator_every = {self.discriminator_every}: expected 1 or more"
            )
        given = list(self.perceptual)
        if len(given) > layers or (given and (min(given) < 0 or not any(given))):
            raise UsageError(
                f"[loss] perceptual = {given}: expected at most {layers} weights of 0 or more, one "
                "a layer of [loss] discriminator, and not 0 alone"
            )
        if self.margin and not given:
            raise UsageError("[loss] margin is one of perceptual distances; expected weights too")
        if (given or self.style) and not self.adversarial:
            raise UsageError(
                "[loss] perceptual and style need a discriminator that learns; expected "
                "adversarial above 0"
            )


@dataclass(frozen=True, slots=True)
class Optimiser:
    """The optimiser of the generator, its learning rates and its moving average.

    Raises:
        UsageError: a number is out of its range.
    """

    name: Literal["adam", "adamw"] = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    """Of Adam or AdamW as torch defines it, without unit, at least 0."""
    clip_norm: float = 1.0
    """Largest norm of a step's gradients; 0 clips nothing."""
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    """Of the learning rate over a phase."""
    schedule_epochs: int = 3
    """Of `step`: passes over the pairs after which the rate is multiplied by `schedule_gamma`."""
    schedule_gamma: float = 0.9
    """Of `step`: the factor."""
    warm_up_steps: int = 0
    """Linear rise at the start of each phase."""
    ema_decay: float = 0.995
    """Of the moving average of the weights, which is what is validated and kept; 0: none."""

    def __post_init__(self) -> None:
        if not (0 <= self.betas[0] < 1 and 0 <= self.betas[1] < 1):
            raise UsageError(f"[optimiser] betas = {list(self.betas)}: expected numbers in [0, 1)")
        if not 0 <= self.ema_decay < 1:
            raise UsageError(f"[optimiser] ema_decay = {self.ema_decay}: expected one in [0, 1)")
        for name in ("weight_decay", "clip_norm", "warm_up_steps", "schedule_gamma"):
            if getattr(self, name) < 0:
                raise UsageError(f"[optimiser] {name} = {getattr(self, name)}: expected 0 or more")
        if self.schedule_epochs < 1:
            raise UsageError(f"[optimiser] schedule_epochs = {self.schedule_epochs}: expected 1 up")


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of progressive training: some stages are trained, those before them frozen.

    Raises:
        UsageError: there is no stage, no learning rate, or not just one of steps and epochs.
    """

    name: str
    stages: tuple[int, ...]
    """From 1."""
    learning_rate: float
    steps: int | None = None
    epochs: int | None = None
    """Passes over the training pairs."""

    def __post_init__(self) -> None:
        where = f"[[phase]] {self.name!r}"
        if (self.steps is None) == (self.epochs is None):
            raise UsageError(f"{where}: expected either steps or epochs")
        if (self.steps or self.epochs or 0) < 1:
            raise UsageError(f"{where}: expected at least one step or epoch")
        if not self.learning_rate > 0:
            raise UsageError(f"{where}: learning_rate = {self.learning_rate}: expected more than 0")
        if not self.stages or list(self.stages) != sorted(set(self.stages)):
            raise UsageError(f"{where}: stages = {list(self.stages)}: expected rising numbers")

    def total_steps(self, epoch_steps: int) -> int:
        """Counts the steps of the phase, where a pass over the pairs takes `epoch_steps`."""
        return self.steps or (self.epochs or 0) * epoch_steps


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """How often and on what a run is validated.

    Raises:
        UsageError: a number is out of its range.
    """

    every_steps: int = 500
    most_pairs: int = 64
    """Of the validation patients' pairs."""
    panel_pairs: int = 4
    """Of these, how many are drawn."""
    score: Literal["nll", "mae", "mse", "domain"] = "nll"
    """What the best checkpoint has least of: the negative log-likelihood, or for networks that
    predict a mean alone the mean absolute or squared error, whichever they are trained by; of
    unpaired recipes `domain`, how far degraded images are from the domain and from themselves."""
    patience: int | None = None
    """Validations in a row without a better one, after which a phase ends early."""

    def __post_init__(self) -> None:
        for name in ("every_steps", "most_pairs"):
            if getattr(self, name) < 1:
                raise UsageError(f"[validation] {name} = {getattr(self, name)}: expected 1 or more")
        if self.panel_pairs < 0 or (self.patience is not None and self.patience < 1):
            raise UsageError("[validation] panel_pairs or patience: expected a positive number")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole training: the record of a recipe file.

    Raises:
        UsageError: a value is out of its range, or values do not fit each other.
    """

    name: str
    size: int
    """Side of the square grid in pixels."""
    batch: int
    """Pairs a step, over all processes together."""
    phase: tuple[Phase, ...]
    task: str = DEFAULT_TASK
    """What the network is for, by the name of the task; in a recipe file also the path, from its
    folder, of a TOML file that defines one."""
    unpaired: bool = False
    """Whether it is trained on two collections that are no pairs, and makes a degrader."""
    seed: int = 0
    window: tuple[float, float] = (0.0, 1.0)
    """Display window of the output's values; integer target files are read into it."""
    checkpoint_every: int = 500
    """Steps between two states from which the same command goes on."""
    network: TrainedNetwork = field(default_factory=CascadeConfig)
    augmentation: DeviceAugmentation = field(default_factory=DeviceAugmentation)
    loss: LossWeights = field(default_factory=LossWeights)
    optimiser: Optimiser = field(default_factory=Optimiser)
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    provenance: dict[str, str] = field(default_factory=dict)
    """Dotted key → `paper` or `assumed`, each with a word on where it stands."""
    own_task: Task | None = None
    """The task itself where it does not come with dfsynth."""

    @property
    def task_record(self) -> Task:
        """What the network is for."""
        return task_of(self.task, self.own_task)

    def __post_init__(self) -> None:
        if self.task_record.name != self.task:
            raise UsageError(
                f"task = {self.task!r}, but its definition is {self.task_record.name!r}"
            )
        if not 16 <= self.size <= LARGEST_SIDE:
            raise UsageError(f"size = {self.size}: expected 16 to {LARGEST_SIDE}")
        for name in ("batch", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} = {getattr(self, name)}: expected 1 or more")
        if not self.window[0] < self.window[1]:
            raise UsageError(f"window = {list(self.window)}: expected a low and a higher number")
        if not self.phase:
            raise UsageError("a recipe needs at least one [[phase]]")
        self._check_loss()
        self._check_unpaired()
        self._check_appearance()
        self._check_residual()
        names = [phase.name for phase in self.phase]
        if len(set(names)) < len(names):
            raise UsageError(f"[[phase]]: two have the same name, among {', '.join(names)}")
        highest = max(max(phase.stages) for phase in self.phase)
        lowest = min(min(phase.stages) for phase in self.phase)
        if lowest < 1 or highest > self.network.stages:
            raise UsageError(
                f"[[phase]]: stages {lowest} to {highest}, but the network has stages "
                f"1 to {self.network.stages}"
            )

    def _check_loss(self) -> None:
        """Refuses what the losses of the network do not know, which would change nothing."""
        network = self.network
        if not isinstance(network, CascadeConfig):
            if self.loss != LossWeights():
                raise UsageError(
                    f"[loss] is of the network {CascadeConfig.name!r}, but [network] name = "
                    f"{network.name!r}, whose loss has nothing to choose; leave [loss] out"
                )
        elif self.loss.misfit != "l1" and network.likelihood not in MISFIT_LIKELIHOODS:
            raise UsageError(
                f"[loss] misfit = {self.loss.misfit!r} belongs to [network] likelihood = 'point' "
                f"or 'quantile', found {network.likelihood!r}; leave misfit out, or choose one of "
                "them"
            )
        elif self.loss.beta_nll and network.likelihood in MISFIT_LIKELIHOODS:
            raise UsageError(
                f"[loss] beta_nll = {self.loss.beta_nll:g} weighs a likelihood, but [network] "
                f"likelihood = {network.likelihood!r} trains its mean by its misfit; leave it out"
            )
        elif self.loss.absolute and network.likelihood in MISFIT_LIKELIHOODS:
            raise UsageError(
                f"[loss] absolute = {self.loss.absolute:g} stands beside a likelihood, but "
                f"[network] likelihood = {network.likelihood!r} has such a term as its misfit; "
                "leave it out"
            )
        elif not self.loss.fidelity and network.likelihood != "point":
            raise UsageError(
                f"[loss] fidelity = 0 leaves no likelihood; expected [network] likelihood = "
                f"'point', found {network.likelihood!r}"
            )

    def _check_unpaired(self) -> None:
        """What learns from pairs and what learns from collections know nothing of each other."""
        if is_degrader(self.network) != self.unpaired:
            expected, found = (
                ("true", "is a degrader") if not self.unpaired else ("false", "is none")
            )
            raise UsageError(
                f"[network] {self.network.name!r} as it stands {found}: expected unpaired = "
                f"{expected}"
            )
        if (self.validation.score == "domain") != self.unpaired:
            expected = "'domain'" if self.unpaired else "'nll', 'mae' or 'mse'"
            raise UsageError(
                f"[validation] score = {self.validation.score!r}, but unpaired = "
                f"{str(self.unpaired).lower()}: expected {expected}"
            )

    def _check_appearance(self) -> None:
        """What changes the appearance clips to [0, 1]: values in a unit would be lost."""
        convention = self.task_record.input.convention
        if not isinstance(convention, IntensityRange):
            return
        for name in ("contrast", "brightness", "gamma", "noise", "shadows", "shifts"):
            found = getattr(self.augmentation, name)
            if found:
                raise UsageError(
                    f"[augmentation] {name} = {found:g} changes grey values in [0, 1], but inputs "
                    f"of {self.task} are values in {convention.unit}; set {name} = 0"
                )

    def _check_residual(self) -> None:
        """An input of another quantity is nothing to start from."""
        residual = 0.0 if isinstance(self.network, MunitConfig) else self.network.residual
        if residual and self.task_record.output.quantity != "input":
            raise UsageError(
                f"[network] residual = {residual:g} adds what is computed to the input, but the "
                f"task {self.task} does not say that its output is the same quantity in the same "
                "range; set residual = 0, or task to one that says so, such as 'mri-motion', or "
                "[output] quantity = 'input' in a task of your own"
            )


def recipe_entries(recipe: Recipe) -> dict[str, Any]:
    """Gives a recipe as nested entries, without the table that its network has no use for.

    What recipes could not say before is there only where it says something else than before.

    A task that does not come with dfsynth is among them, as `own_task`.
    """
    entries = asdict(recipe)
    del entries["own_task"]
    if recipe.own_task is not None:
        entries["own_task"] = record_entries(recipe.own_task)
    if not isinstance(recipe.network, CascadeConfig):
        del entries["loss"]
    if not recipe.unpaired:
        # Recipes of before come back byte for byte.
        del entries["unpaired"]
    leave_out_later(recipe.network, entries["network"])
    return entries


def steps_an_epoch(pairs: int, batch: int) -> int:
    """Counts the steps of a pass over all pairs; what fills no batch waits for the next pass."""
    return max(pairs // batch, 1)
