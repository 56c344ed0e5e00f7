"""One step of training after the other, with all that must be kept to go on later.

Upadhyay et al. 2021, section 2.3: each stage is trained with the earlier ones frozen; then all
are fine-tuned by the sum of their losses with a much smaller learning rate.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from dfsynth.datasets import PairBatch
from dfsynth.devices import DTYPES
from dfsynth.errors import DfsynthError
from dfsynth.models import Cascade, Prediction
from dfsynth.models.discriminator import PatchDiscriminator
from dfsynth.train.objective import discriminator_loss, generator_terms
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import Optimiser, Phase, Recipe, steps_an_epoch
from dfsynth.training_state import averaged_model, join_state, part_of, restore_optimiser

MOST_BAD_STEPS = 8
"""In a row, after which a run ends: a loss that stays non-finite does not come back by itself."""
_JUDGE_BETAS = (0.5, 0.999)
"""Isola et al. 2017."""


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one step did."""

    terms: dict[str, float]
    """Weighted terms of the loss, summed over the stages, mean over the processes."""
    learning_rate: float
    finite: bool
    """False: nothing was learned from this batch."""


class Trainer:
    """A network in training, its discriminators, its moving average and its optimisers.

    All that is random in a step comes from (seed, phase, step), so that a restored trainer goes on
    to the weights of one that never stopped.
    """

    def __init__(
        self,
        recipe: Recipe,
        device: torch.device,
        precision: str,
        processes: Processes,
        training_pairs: int,
    ) -> None:
        """`precision` is fp32, bf16 or fp16, as `resolve_precision` gives it."""
        self.recipe = recipe
        self.device = device
        self._dtype = DTYPES[precision]
        self._processes = processes
        self.epoch_steps = steps_an_epoch(training_pairs, recipe.batch)
        with torch.random.fork_rng(devices=[]):
            # Layers draw their first weights from the global generator and take no other.
            torch.default_generator.manual_seed(recipe.seed)
            network = Cascade(recipe.network)
            judged = 2 if recipe.loss.conditional else 1
            judges = nn.ModuleList(
                PatchDiscriminator(channels_in=judged) for _ in range(recipe.network.stages)
            )
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.judges = judges.to(device)
        self._average = averaged_model(self.network, recipe.optimiser.ema_decay)
        self._scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")
        self.phase = 0
        self.step = 0
        """Within the phase."""
        self.steps_taken = 0
        """In all phases."""
        self.bad_steps = 0
        """Non-finite ones, all together."""
        self._bad_in_a_row = 0
        self.begin(0)

    @property
    def averaged(self) -> Cascade:
        """The network to validate and to keep."""
        if not self.recipe.optimiser.ema_decay:
            return self.network
        averaged = self._average.module
        assert isinstance(averaged, Cascade)
        return averaged

    @property
    def is_sound(self) -> bool:
        """Whether the last step had a finite loss and gradient."""
        return not self._bad_in_a_row

    @property
    def plan(self) -> Phase:
        """The phase under way."""
        return self.recipe.phase[self.phase]

    @property
    def phase_steps(self) -> int:
        """All steps of the phase under way."""
        return self.plan.total_steps(self.epoch_steps)

    @property
    def world_size(self) -> int:
        """Processes that train together."""
        return self._processes.world_size

    def begin(self, phase: int) -> None:
        """Starts a phase: what it trains is thawed, its optimisers are new."""
        self.phase, self.step = phase, 0
        stages = [m - 1 for m in self.plan.stages]
        if phase > 0 and self.recipe.optimiser.ema_decay:
            # Later stages learn on what will be kept.
            self.network.load_state_dict(self._average.module.state_dict())
        self.network.requires_grad_(False)
        self._trained = [p for m in stages for p in self.network.stage(m).parameters()]
        judges = [self.judges[m] for m in stages]
        for p in self._trained:
            p.requires_grad_(True)
        options, rate = self.recipe.optimiser, self.plan.learning_rate
        self._optimiser = _make_optimiser(options, self._trained, rate)
        weights = [p for judge in judges for p in judge.requires_grad_(True).parameters()]
        self._judge_optimiser = torch.optim.Adam(weights, rate, betas=_JUDGE_BETAS)
        self._shared = self._processes.share(self.network, self.device)
        self._shared_judges = [self._processes.share(j, self.device) for j in judges]

    def start_from(self, weights: Mapping[str, Tensor]) -> None:
        """Takes another network's weights for the first, before any step."""
        self.network.load_state_dict(weights)
        self._average.module.load_state_dict(weights)

    def step_rng(self) -> np.random.Generator:
        """Of the step to come: augmentation first, then dropout."""
        return np.random.default_rng([self.recipe.seed, self.phase, self.step])

    def learn(self, batch: PairBatch, rng: np.random.Generator) -> StepReport:
        """One step on this process's part of a batch.

        Raises:
            DfsynthError: a loss or gradient was not finite too often in a row.
        """
        rate = self._set_rates()
        stages = [m - 1 for m in self.plan.stages]
        masks = self._masks(rng, batch)
        with torch.autocast(self.device.type, self._autocast, enabled=self._mixed):
            predictions = self._shared(batch.image, masks, max(stages) + 1)
        terms = self._terms(predictions, stages, batch)
        loss = torch.stack(list(terms.values())).sum()
        finite = self._agree(bool(torch.isfinite(loss))) and self._descend(loss)
        if finite:
            self._average.update_parameters(self.network)
            finite = self._teach_judges([predictions[m].mean for m in stages], stages, batch)
        self.step += 1
        self.steps_taken += 1
        self._count(finite)
        means = self._processes.average(torch.stack(list(terms.values())).detach()).tolist()
        return StepReport(dict(zip(terms, means, strict=True)), rate, finite)

    @property
    def moments_to_come(self) -> int:
        """Numbers that the optimisers keep from their first step on; 0 where they do already."""
        if self._optimiser.state:
            return 0
        return 2 * sum(p.numel() for p in (*self.network.parameters(), *self.judges.parameters()))

    def rehearse(self, batch: PairBatch, rng: np.random.Generator) -> None:
        """Forward and backward of all stages on this process alone; nothing is learned."""
        masks = self._masks(rng, batch)
        stages = list(range(self.recipe.network.stages))
        frozen = [p for p in self.network.parameters() if not p.requires_grad]
        for p in frozen:
            p.requires_grad_(True)
        with torch.autocast(self.device.type, self._autocast, enabled=self._mixed):
            predictions = self.network(batch.image, masks)
        terms = self._terms(predictions, stages, batch)
        torch.stack(list(terms.values())).sum().backward()
        if self.recipe.loss.adversarial:
            # With the generators' gradients still there, as in a step.
            means = [p.mean for p in predictions]
            self.judges.requires_grad_(True)
            discriminator_loss(
                means, list(self.judges), batch, self.recipe.loss.conditional
            ).backward()
        self.network.zero_grad(set_to_none=True)
        self.judges.zero_grad(set_to_none=True)
        for p in frozen:
            p.requires_grad_(False)

    def state(self) -> dict[str, Tensor]:
        """All that `restore` needs besides the recipe, by name."""
        return join_state(
            {
                "network": self.network.state_dict(),
                "average": self._average.state_dict(),
                "judges": self.judges.state_dict(),
                "optimiser": self._optimiser.state_dict()["state"],
                "judge_optimiser": self._judge_optimiser.state_dict()["state"],
                "scaler": self._scaler.state_dict(),
                "place": {
                    "phase": self.phase,
                    "step": self.step,
                    "steps_taken": self.steps_taken,
                    "bad_steps": self.bad_steps,
                },
            }
        )

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Takes up the state of a trainer of the same recipe."""
        place = part_of(state, "place")
        self.network.load_state_dict(part_of(state, "network"))
        self._average.load_state_dict(part_of(state, "average"))
        self.judges.load_state_dict(part_of(state, "judges"))
        trained = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.begin(int(place["phase"]))
        # The beginning of a phase takes over the average; here the phase goes on.
        self.network.load_state_dict(trained)
        restore_optimiser(self._optimiser, part_of(state, "optimiser"))
        restore_optimiser(self._judge_optimiser, part_of(state, "judge_optimiser"))
        scale = part_of(state, "scaler")
        if scale:
            usual = self._scaler.state_dict()
            kinds = {k: type(v) for k, v in usual.items()}
            self._scaler.load_state_dict(usual | {k: kinds[k](v) for k, v in scale.items()})
        self.step = int(place["step"])
        self.steps_taken = int(place["steps_taken"])
        self.bad_steps = int(place["bad_steps"])

    def _terms(
        self, predictions: Sequence[Prediction], stages: list[int], batch: PairBatch
    ) -> dict[str, Tensor]:
        """The weighted terms of the loss, each summed over the stages that learn."""
        self.judges.requires_grad_(False)
        likelihood = self.recipe.network.likelihood
        terms: dict[str, Tensor] = {}
        for m in stages:
            judge = self.judges[m]
            found = generator_terms(predictions[m], batch, self.recipe.loss, likelihood, judge)
            for name, value in found.items():
                terms[name] = terms[name] + value if name in terms else value
        return terms

    def _descend(self, loss: Tensor) -> bool:
        """One step down, unless the gradient is not finite: that would stay in every weight.

        In fp16 the scaler leaves out steps whose scaled gradient is too large, and scales less; it
        is a failure only where there is nothing left to scale.
        """
        self._optimiser.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        self._scaler.unscale_(self._optimiser)
        finite = self._agree(_clip(self._trained, self.recipe.optimiser.clip_norm))
        if finite or self._scaler.is_enabled():
            self._scaler.step(self._optimiser)
            self._scaler.update()
        return finite or (self._scaler.is_enabled() and self._scaler.get_scale() >= 1)

    def _teach_judges(self, means: list[Tensor], stages: list[int], batch: PairBatch) -> bool:
        """One step of the discriminators; False where their gradient was not finite."""
        if not self.recipe.loss.adversarial:
            return True
        taught = [p for m in stages for p in self.judges[m].requires_grad_(True).parameters()]
        self._judge_optimiser.zero_grad(set_to_none=True)
        conditional = self.recipe.loss.conditional
        discriminator_loss(means, self._shared_judges, batch, conditional).backward()
        finite = self._agree(_clip(taught, 0.0))
        if finite:
            self._judge_optimiser.step()
        return finite

    def _agree(self, here: bool) -> bool:
        return self._processes.all_true(here, self.device)

    def _count(self, finite: bool) -> None:
        if finite:
            self._bad_in_a_row = 0
            return
        self.bad_steps += 1
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= MOST_BAD_STEPS:
            clip = self.recipe.optimiser.clip_norm
            clipping = "a smaller [optimiser] clip_norm" if clip else "[optimiser] clip_norm = 1"
            fp32 = " or --precision fp32" if self._mixed else ""
            raise DfsynthError(
                f"loss or gradient of phase {self.plan.name!r} was not finite in {MOST_BAD_STEPS} "
                f"steps in a row, the last being step {self.step}; the last good state is kept; "
                "begin from the run's best with --start-from in another --out, with a smaller "
                f"learning_rate, {clipping}{fp32}"
            )

    def _set_rates(self) -> float:
        rate = learning_rate(self.recipe.optimiser, self.plan, self.step, self.epoch_steps)
        for optimiser in (self._optimiser, self._judge_optimiser):
            for group in optimiser.param_groups:
                group["lr"] = rate
        return rate

    def _masks(self, rng: np.random.Generator, batch: PairBatch) -> Tensor:
        """(n, mask_width): those of this process's pairs among all of the batch."""
        keep = np.float32(1 - self.recipe.network.dropout)
        here = batch.image.shape[0]
        shape = (here * self._processes.world_size, self.network.mask_width)
        kept = rng.random(shape, np.float32)[batch.first : batch.first + here] < keep
        return torch.from_numpy(kept / keep).to(self.device)

    @property
    def _mixed(self) -> bool:
        return self._dtype != torch.float32

    @property
    def _autocast(self) -> torch.dtype:
        return self._dtype if self._mixed else torch.bfloat16


def learning_rate(options: Optimiser, phase: Phase, step: int, epoch_steps: int) -> float:
    """The rate of a step, a pure function of its place in the phase."""
    rise = min(1.0, (step + 1) / (options.warm_up_steps + 1))
    if options.schedule == "cosine":
        fall = 0.5 * (1 + math.cos(math.pi * step / phase.total_steps(epoch_steps)))
    elif options.schedule == "step":
        fall = options.schedule_gamma ** (step // (options.schedule_epochs * epoch_steps))
    else:
        fall = 1.0
    return phase.learning_rate * rise * fall


def _make_optimiser(
    options: Optimiser, weights: list[nn.Parameter], rate: float
) -> torch.optim.Optimizer:
    kind = torch.optim.Adam if options.name == "adam" else torch.optim.AdamW
    return kind(weights, rate, betas=options.betas, weight_decay=options.weight_decay)


def _clip(weights: Sequence[Tensor], most: float) -> bool:
    """Scales the gradients down to a norm of `most`, 0: not; whether the norm is finite."""
    gradients = [p.grad for p in weights if p.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    if most and bool(torch.isfinite(norm)):
        nn.utils.clip_grads_with_norm_(list(weights), most, norm)
    return bool(torch.isfinite(norm))
