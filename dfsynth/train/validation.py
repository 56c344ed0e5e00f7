"""How good the averaged network is on patients that it is not trained on."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dfsynth.datasets import PairBatch, PairInfo
from dfsynth.models import CascadeNetwork, Prediction, gennorm_nll
from dfsynth.train.losses import mean_over


@dataclass(frozen=True, slots=True)
class Scores(ABC):
    """What a validation found; the names of the fields are those in metrics.jsonl and cards."""

    @abstractmethod
    def summary(self) -> str:
        """Gives the figures of a line of progress."""


@dataclass(frozen=True, slots=True)
class ValidationScores(Scores):
    """Means over the validation pairs, of the last stage; of a cascade without dropout."""

    nll: float
    """Negative log-likelihood of the noisy target."""
    mae: float
    """Mean absolute error against the noisy target."""
    mse: float
    """Mean squared error against the noisy target."""
    lung_mae: float | None
    """In the lung, against the clean target where there is one."""
    stage_nll: tuple[float, ...]
    """Of each stage."""

    def summary(self) -> str:
        """Gives likelihood and absolute error."""
        return f"NLL {self.nll:.4f}, MAE {self.mae:.4f}"


@torch.inference_mode()
def validate(
    predict: Callable[[Tensor], list[Prediction]],
    batches: Iterable[PairBatch],
    device: torch.device,
) -> ValidationScores:
    """Scores what a network predicts, in float32, on batches of maps (n, 1, H, W), of any n each.

    Raises:
        ValueError: there is no batch.
    """
    totals, lung_totals, pairs, lungs = torch.zeros(1), torch.zeros(1), 0, 0
    for batch in batches:
        predictions = predict(batch.image.to(device))
        target = batch.target.to(device)
        content = None if batch.content is None else batch.content.to(device)
        maps = [gennorm_nll(p.mean, p.alpha, p.beta, target) for p in predictions]
        nlls = [mean_over(nll, content) for nll in maps]
        mean = predictions[-1].mean
        count = batch.image.shape[0]
        error = mean - target
        errors = [mean_over(error.abs(), content), mean_over(error.square(), content)]
        means = torch.stack([*errors, *nlls]).cpu()
        totals = totals + count * means
        pairs += count
        in_lungs = _lung_errors(mean.cpu(), batch)
        lung_totals = lung_totals + in_lungs.sum()
        lungs += len(in_lungs)
    if not pairs:
        raise ValueError("no pair to validate on")
    mae, mse, *stage_nll = (totals / pairs).tolist()
    lung_mae = float(lung_totals) / lungs if lungs else None
    return ValidationScores(stage_nll[-1], mae, mse, lung_mae, tuple(stage_nll))


def spread_over_patients(
    rows: Sequence[PairInfo], indices: Sequence[int], most: int
) -> tuple[int, ...]:
    """Chooses at most `most` of the pairs `indices` round-robin over their patients.

    One pair of each patient comes first, then a second of each, and so on.
    """
    seen: Counter[str] = Counter()
    rounds = []
    for index in indices:
        patient = rows[index].patient_id
        rounds.append((seen[patient], index))
        seen[patient] += 1
    return tuple(index for _, index in sorted(rounds)[:most])


def predict_without_dropout(network: CascadeNetwork, image: Tensor) -> list[Prediction]:
    """Predicts all stages for model inputs (n, 1, H, W), with every channel present.

    Images of any size are padded with 0 as the network needs it, and the maps cut again. The
    network is left in evaluation mode.
    """
    network.eval()
    masks = torch.ones(image.shape[0], network.mask_width, device=image.device)
    height, width = image.shape[-2:]
    return [_cut(found, height, width) for found in network(network.pad(image), masks)]


def _cut(prediction: Prediction, height: int, width: int) -> Prediction:
    """The first rows and columns of all maps."""

    def cut(maps: Tensor) -> Tensor:
        return maps[..., :height, :width]

    logit, widths = prediction.lung_logit, prediction.widths
    return Prediction(
        mean=cut(prediction.mean),
        alpha=cut(prediction.alpha),
        beta=cut(prediction.beta),
        lung_logit=None if logit is None else cut(logit),
        widths=None if widths is None else cut(widths),
    )


def _lung_errors(mean: Tensor, batch: PairBatch) -> Tensor:
    """Mean absolute error in the lung of each pair that has one."""
    if batch.lung is None:
        return torch.zeros(0)
    target = batch.target if batch.clean is None else batch.clean
    lung = batch.lung > 0.5
    area = lung.sum(dim=(1, 2, 3))
    errors = ((mean - target).abs() * lung).sum(dim=(1, 2, 3)) / area.clamp_min(1)
    return errors[area > 0]
