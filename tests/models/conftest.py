"""Small cascades whose weights are all drawn, the heads of later stages included."""

from collections.abc import Callable

import pytest
import torch

from dfsynth.checkpoint import CascadeConfig
from dfsynth.models import Cascade

MakeCascade = Callable[..., Cascade]


@pytest.fixture
def make_cascade() -> MakeCascade:
    def make(
        stages: int = 2, widths: tuple[int, ...] = (8, 16), lung_head: bool = True, seed: int = 0
    ) -> Cascade:
        random = torch.Generator().manual_seed(seed)
        network = Cascade(CascadeConfig(stages, widths, 0.1, lung_head)).eval()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=random) * 0.15)
        return network.requires_grad_(False)

    return make
