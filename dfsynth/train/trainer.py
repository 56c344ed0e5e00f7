"""One step of training after the other, with all that must be kept to go on later.

Upadhyay et al. 2021, section 2.3: each stage is trained with the earlier ones frozen; then all
are fine-tuned by the sum of their losses with a much smaller learning rate.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from dfsynth.datasets import PairBatch
from dfsynth.devices import mixed_precision
from dfsynth.errors import DfsynthError
from dfsynth.models import Prediction, TrainableNetwork
from dfsynth.optimisation import average_weights, flatten_state, restore_optimiser, state_part
from dfsynth.train import stored_keys
from dfsynth.train.families import family_of
from dfsynth.train.gradients import clip_gradients
from dfsynth.train.objective import Objective
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import Optimiser, Phase, Recipe, steps_an_epoch
from dfsynth.train.schedule import learning_rate
from dfsynth.train.validation import Scores

MOST_BAD_STEPS: Final = 8
"""In a row, after which a run ends: a loss that stays non-finite does not come back by itself."""


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one step did."""

    terms: dict[str, float]
    """Weighted terms of the loss, summed over the stages, mean over the processes."""
    learning_rate: float
    finite: bool
    """Whether loss and gradients were finite; where they were not, the step moved no weight."""


class Trainer:
    """A network in training, its objective, its moving average and its optimiser.

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
        """Builds the networks of a recipe with initial weights and starts its first phase.

        `precision` is fp32, bf16 or fp16, as `resolve_precision` gives it.
        """
        self.recipe = recipe
        self.device = device
        self._precision = precision
        self._processes = processes
        self.epoch_steps = steps_an_epoch(training_pairs, recipe.batch)
        with torch.random.fork_rng(devices=[]):
            # Layers draw their first weights from the global generator and take no other.
            torch.default_generator.manual_seed(recipe.seed)
            family = family_of(recipe.network)
            network = family.build(recipe.network)
            self.objective: Objective[Any] = family.objective(recipe, network, device, processes)
        self.objective.discriminators.to(device)
        self.network: TrainableNetwork = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._average = average_weights(self.network, recipe.optimiser.ema_decay)
        self._scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")
        self.phase_index = 0
        self.step = 0
        """Steps taken in the phase in hand."""
        self.steps_taken = 0
        """Steps taken in all phases."""
        self.bad_steps = 0
        """Those of them whose loss or gradient was not finite."""
        self._bad_in_a_row = 0
        self.start_phase(0)

    @property
    def averaged(self) -> TrainableNetwork:
        """The network to validate and to keep."""
        if not self.recipe.optimiser.ema_decay:
            return self.network
        averaged = self._average.module
        assert isinstance(averaged, TrainableNetwork)
        return averaged

    @property
    def is_sound(self) -> bool:
        """Whether the last step had a finite loss and gradient."""
        return not self._bad_in_a_row

    @property
    def phase(self) -> Phase:
        """The phase in hand."""
        return self.recipe.phase[self.phase_index]

    @property
    def phase_steps(self) -> int:
        """All steps of the phase in hand."""
        return self.phase.total_steps(self.epoch_steps)

    @property
    def world_size(self) -> int:
        """Processes that train together."""
        return self._processes.world_size

    def start_phase(self, index: int) -> None:
        """Starts a phase (from 0): the stages that it trains are thawed, its optimisers are new."""
        self.phase_index, self.step = index, 0
        if index > 0 and self.recipe.optimiser.ema_decay:
            # Later phases start from what will be kept.
            self.network.load_state_dict(self._average.module.state_dict())
        self.network.requires_grad_(False)
        self._trained = [p for m in self._stages for p in self.network.stage(m).parameters()]
        for p in self._trained:
            p.requires_grad_(True)
        options, rate = self.recipe.optimiser, self.phase.learning_rate
        self._optimiser = _make_optimiser(options, self._trained, rate)
        self.objective.start_phase(self._stages, rate)
        self._shared = self._processes.share(self.network, self.device)

    def load_initial_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Replaces the initial weights by others of the same names and shapes, before any step."""
        self.network.load_state_dict(weights)
        self._average.module.load_state_dict(weights)

    def step_rng(self) -> np.random.Generator:
        """Makes the generator of the step to come: augmentation draws first, then the objective."""
        return np.random.default_rng([self.recipe.seed, self.phase_index, self.step])

    def predict(self, image: Tensor) -> list[Prediction]:
        """Predicts all stages by the network to keep, for model inputs (n, 1, H, W) of any size."""
        return self.objective.predict(self.averaged, image)

    def validate(self, batches: Iterable[PairBatch]) -> Scores:
        """Scores the network to keep on batches of maps (n, 1, H, W), of any n each.

        Raises:
            ValueError: there is no batch.
        """
        return self.objective.validate(self.averaged, batches, self.device)

    def train_step(self, batch: PairBatch, rng: np.random.Generator) -> StepReport:
        """Takes one step on this process's part of a batch, maps (n, 1, H, W) on the device.

        Raises:
            DfsynthError: a loss or gradient was not finite too often in a row.
        """
        rate = self._set_learning_rate()
        self.objective.set_progress(self.step / self.phase_steps)
        stages = self._stages
        self._normalise_by_batches(stages)
        statistics = self._running_statistics()
        with mixed_precision(self.device, self._precision):
            outputs = self.objective.run(self._shared, batch, rng, stages)
        terms = self.objective.terms(outputs, batch, stages)
        loss = torch.stack(list(terms.values())).sum()
        finite = self._everywhere(bool(torch.isfinite(loss)))
        finite = finite and self._step_generator(loss, statistics)
        if finite:
            self._average.update_parameters(self.network)
            if self.step % self.objective.discriminator_interval == 0:
                finite = self.objective.step_discriminators(outputs, batch, stages)
        else:
            self._put_back(statistics)
        self.step += 1
        self.steps_taken += 1
        self._count(finite)
        means_of_terms = self._processes.average(torch.stack(list(terms.values())).detach())
        named = dict(zip(terms, means_of_terms.tolist(), strict=True))
        return StepReport(named, rate, finite)

    @property
    def moments_to_come(self) -> int:
        """Numbers that the optimisers keep from their first step on; 0 where they do already."""
        if self._optimiser.state:
            return 0
        modules = (self.network, self.objective.discriminators)
        return 2 * sum(p.numel() for module in modules for p in module.parameters())

    def try_step(self, batch: PairBatch, rng: np.random.Generator) -> None:
        """Runs forward and backward of all stages in this process alone and changes nothing.

        Maps of the batch are (n, 1, H, W) on the device. It needs the memory of a step.
        """
        stages = list(range(self.recipe.network.stages))
        frozen = [p for p in self.network.parameters() if not p.requires_grad]
        for p in frozen:
            p.requires_grad_(True)
        self._normalise_by_batches(stages)
        statistics = self._running_statistics()
        with mixed_precision(self.device, self._precision):
            outputs = self.objective.run(self.network, batch, rng, stages)
        terms = self.objective.terms(outputs, batch, stages)
        torch.stack(list(terms.values())).sum().backward()
        # With the generator's gradients still there, as in a step.
        self.objective.try_discriminators(outputs, batch)
        self.network.zero_grad(set_to_none=True)
        self.objective.discriminators.zero_grad(set_to_none=True)
        for p in frozen:
            p.requires_grad_(False)
        self._put_back(statistics)

    def state(self) -> dict[str, Tensor]:
        """Gives all that `restore` needs besides the recipe: tensors of any shape, on the CPU."""
        return flatten_state(
            {
                "network": self.network.state_dict(),
                "average": self._average.state_dict(),
                "optimiser": self._optimiser.state_dict()["state"],
                **self.objective.state(),
                "scaler": self._scaler.state_dict(),
                stored_keys.POSITION: {
                    "phase": self.phase_index,
                    "step": self.step,
                    "steps_taken": self.steps_taken,
                    "bad_steps": self.bad_steps,
                },
            }
        )

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Takes up the state of a trainer of the same recipe, tensors in their shapes."""
        position = state_part(state, stored_keys.POSITION)
        self._average.load_state_dict(state_part(state, "average"))
        self.start_phase(int(position["phase"]))
        # The start of a phase takes over the average; here the phase goes on.
        self.network.load_state_dict(state_part(state, "network"))
        restore_optimiser(self._optimiser, state_part(state, "optimiser"))
        self.objective.restore(state)
        scale = state_part(state, "scaler")
        if scale:
            usual = self._scaler.state_dict()
            kinds = {k: type(v) for k, v in usual.items()}
            self._scaler.load_state_dict(usual | {k: kinds[k](v) for k, v in scale.items()})
        self.step = int(position["step"])
        self.steps_taken = int(position["steps_taken"])
        self.bad_steps = int(position["bad_steps"])

    @property
    def _stages(self) -> list[int]:
        """The stages that the phase in hand trains, from 0."""
        return [m - 1 for m in self.phase.stages]

    def _normalise_by_batches(self, stages: list[int]) -> None:
        """Batch norm follows the batch in these stages (from 0), its running statistics elsewhere.

        Validation leaves the whole network in evaluation mode.
        """
        self.network.eval()
        for m in stages:
            self.network.stage(m).train()

    def _running_statistics(self) -> list[Tensor]:
        return [buffer.clone() for buffer in self.network.buffers()]

    def _put_back(self, statistics: list[Tensor]) -> None:
        """Undoes what a forward pass has left in batch norm: one bad image would stay for ever."""
        for buffer, kept in zip(self.network.buffers(), statistics, strict=True):
            buffer.copy_(kept)

    def _step_generator(self, loss: Tensor, statistics: list[Tensor]) -> bool:
        """One step of the weights, unless the gradient is not finite: that would stay in them.

        The running statistics are then put back too.

        In fp16 a gradient that scaling made too large is scaled less in the next step: that is a
        failure only where there is nothing left to scale.
        """
        self._optimiser.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        self._scaler.unscale_(self._optimiser)
        clip_norm = self.recipe.optimiser.clip_norm
        if self._everywhere(clip_gradients(self._trained, clip_norm)):
            self._scaler.step(self._optimiser)
            self._scaler.update()
            return True
        self._put_back(statistics)
        scale = self._scaler.get_scale()
        self._scaler.update()
        return 1 <= self._scaler.get_scale() < scale

    def _everywhere(self, here: bool) -> bool:
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
            fp32 = "" if self._precision == "fp32" else " or --precision fp32"
            raise DfsynthError(
                f"loss or gradient of phase {self.phase.name!r} was not finite in "
                f"{MOST_BAD_STEPS} steps in a row, the last being step {self.step}; the last good "
                "state is kept; start from the run's best with --start-from in another --out, "
                f"with a smaller learning_rate, {clipping}{fp32}"
            )

    def _set_learning_rate(self) -> float:
        rate = learning_rate(self.recipe.optimiser, self.phase, self.step, self.epoch_steps)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self.objective.set_learning_rate(rate)
        return rate


def _make_optimiser(
    options: Optimiser, weights: list[nn.Parameter], rate: float
) -> torch.optim.Optimizer:
    kind = torch.optim.Adam if options.name == "adam" else torch.optim.AdamW
    return kind(weights, rate, betas=options.betas, weight_decay=options.weight_decay)
