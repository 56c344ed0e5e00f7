"""How good the averaged network is on patients that it is not trained on."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dfsynth.datasets import PairBatch, PairInfo
from dfsynth.models import CascadeNetwork, Prediction, gennorm_nll
from dfsynth.train.losses import mean_over


@dataclass(frozen=True, slots=True)
class ValidationScores:
    """Means over the validation pairs, of the last stage; without dropout.

    The names of the fields are those in metrics.jsonl and in a card's `metrics`.
    """

    nll: float
    """Negative log-likelihood of the noisy target: what the best checkpoint has least of."""
    mae: float
    """Mean absolute error against the noisy target."""
    lung_mae: float | None
    """In the lung, against the clean target where there is one."""
    stage_nll: tuple[float, ...]
    """Of each stage."""


@torch.inference_mode()
def validate(
    network: CascadeNetwork, batches: Iterable[PairBatch], device: torch.device
) -> ValidationScores:
    """Scores a network in float32 on batches of maps (n, 1, H, W), of any n each.

    Raises:
        ValueError: there is no batch.
    """
    totals, lung_totals, pairs, lungs = torch.zeros(1), torch.zeros(1), 0, 0
    for batch in batches:
        predictions = predict_without_dropout(network, batch.image.to(device))
        target = batch.target.to(device)
        content = None if batch.content is None else batch.content.to(device)
        maps = [gennorm_nll(p.mean, p.alpha, p.beta, target) for p in predictions]
        nlls = [mean_over(nll, content) for nll in maps]
        mean = predictions[-1].mean
        count = batch.image.shape[0]
        means = torch.stack([mean_over((mean - target).abs(), content), *nlls]).cpu()
        totals = totals + count * means
        pairs += count
        errors = _lung_errors(mean.cpu(), batch)
        lung_totals = lung_totals + errors.sum()
        lungs += len(errors)
    if not pairs:
        raise ValueError("no pair to validate on")
    mae, *stage_nll = (totals / pairs).tolist()
    lung_mae = float(lung_totals) / lungs if lungs else None
    return ValidationScores(stage_nll[-1], mae, lung_mae, tuple(stage_nll))


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
    """Predicts all stages for images (n, 1, H, W), dense bright, with every channel present."""
    masks = torch.ones(image.shape[0], network.mask_width, device=image.device)
    predictions: list[Prediction] = network(image, masks)
    return predictions


def _lung_errors(mean: Tensor, batch: PairBatch) -> Tensor:
    """Mean absolute error in the lung of each pair that has one."""
    if batch.lung is None:
        return torch.zeros(0)
    target = batch.target if batch.clean is None else batch.clean
    lung = batch.lung > 0.5
    area = lung.sum(dim=(1, 2, 3))
    errors = ((mean - target).abs() * lung).sum(dim=(1, 2, 3)) / area.clamp_min(1)
    return errors[area > 0]
