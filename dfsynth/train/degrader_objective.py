"""What all degraders have in common in training: validation without pairs."""

from collections.abc import Iterable
from typing import Final, cast

import torch
from torch import Tensor

from dfsynth.datasets import PairBatch
from dfsynth.models import DegradingNetwork, Prediction, TrainableNetwork
from dfsynth.models.gennorm import gennorm_alpha
from dfsynth.train.domain_scores import DomainScores, degrade_batch, score_degrader
from dfsynth.train.objective import Objective, Outputs

_GAUSSIAN_BETA: Final = 2.0
_LEAST_SIGMA: Final = 1e-6


class DegraderObjective(Objective[Outputs]):
    """An objective whose network makes partners of the images of a batch, of the target's kind."""

    def validate(
        self, network: TrainableNetwork, batches: Iterable[PairBatch], device: torch.device
    ) -> DomainScores:
        """Compares degraded images with the domain's, maps (n, 1, H, W) of any n each.

        Raises:
            ValueError: there is no batch.
        """
        return score_degrader(_degrading(network), batches, device)

    def predict(self, network: TrainableNetwork, image: Tensor) -> list[Prediction]:
        """Degrades images (n, 1, H, W) twice: the first as the mean, their spread as its sigma."""
        one, other = (degrade_batch(_degrading(network), image, draw) for draw in range(2))
        beta = torch.full_like(one, _GAUSSIAN_BETA)
        sigma = ((one - other).abs() / 2**0.5).clamp_min(_LEAST_SIGMA)
        return [Prediction(one, gennorm_alpha(sigma, beta), beta, lung_logit=None)]


def _degrading(network: TrainableNetwork) -> DegradingNetwork:
    return cast(DegradingNetwork, network.eval())
