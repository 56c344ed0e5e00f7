"""How good the averaged network is on patients that it does not learn from."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dfsynth.datasets import PairBatch, PairRow
from dfsynth.models import Cascade, Prediction, gennorm_nll
from dfsynth.train.losses import mean_over


@dataclass(frozen=True, slots=True)
class Score:
    """Means over the validation pairs, of the last stage; without dropout."""

    nll: float
    """Negative log-likelihood of the noisy target: what the best checkpoint has least of."""
    mae: float
    """Mean absolute error against the noisy target."""
    lung_mae: float | None
    """In the lung, against the clean target where there is one."""
    stage_nll: tuple[float, ...]
    """Of each stage."""


@torch.inference_mode()
def validate(network: Cascade, batches: Iterable[PairBatch], device: torch.device) -> Score:
    """Scores a network in float32 on batches of any size.

    Raises:
        ValueError: no batch.
    """
    totals, lung_totals, pairs, lungs = torch.zeros(1), torch.zeros(1), 0, 0
    for batch in batches:
        predictions = predict_without_dropout(network, batch.image.to(device))
        target = batch.dark_field.to(device)
        content = None if batch.content is None else batch.content.to(device)
        maps = [gennorm_nll(p.mean, p.alpha, p.beta, target) for p in predictions]
        nlls = [mean_over(nll, content) for nll in maps]
        mean = predictions[-1].mean
        count = batch.image.shape[0]
        found = torch.stack([mean_over((mean - target).abs(), content), *nlls]).cpu()
        totals = totals + count * found
        pairs += count
        errors = _lung_errors(mean.cpu(), batch)
        lung_totals = lung_totals + errors.sum()
        lungs += len(errors)
    if not pairs:
        raise ValueError("no pair to validate on")
    mae, *stage_nll = (totals / pairs).tolist()
    lung_mae = float(lung_totals) / lungs if lungs else None
    return Score(stage_nll[-1], mae, lung_mae, tuple(stage_nll))


def spread_over_patients(
    rows: Sequence[PairRow], numbers: Sequence[int], most: int
) -> tuple[int, ...]:
    """At most so many of the pairs `numbers`, dealt out: one of each patient, then a second."""
    seen: Counter[str] = Counter()
    turns = []
    for number in numbers:
        patient = rows[number].patient_id
        turns.append((seen[patient], number))
        seen[patient] += 1
    return tuple(number for _, number in sorted(turns)[:most])


def predict_without_dropout(network: Cascade, image: Tensor) -> list[Prediction]:
    """Predictions of all stages for (n, 1, H, W), every channel present."""
    masks = torch.ones(image.shape[0], network.mask_width, device=image.device)
    predictions: list[Prediction] = network(image, masks)
    return predictions


def _lung_errors(mean: Tensor, batch: PairBatch) -> Tensor:
    """Mean absolute error in the lung of each pair that has one."""
    if batch.lung is None:
        return torch.zeros(0)
    target = batch.dark_field if batch.clean is None else batch.clean
    lung = batch.lung > 0.5
    area = lung.sum(dim=(1, 2, 3))
    errors = ((mean - target).abs() * lung).sum(dim=(1, 2, 3)) / area.clamp_min(1)
    return errors[area > 0]
