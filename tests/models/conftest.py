"""Small cascades whose weights are all drawn, the heads of later stages included."""

from collections.abc import Callable

import pytest
from drawn_networks import draw_weights

from dfsynth.checkpoint import CascadeConfig
from dfsynth.models import Cascade

MakeCascade = Callable[..., Cascade]


@pytest.fixture
def make_cascade() -> MakeCascade:
    def make(
        stages: int = 2, widths: tuple[int, ...] = (8, 16), lung_head: bool = True, seed: int = 0
    ) -> Cascade:
        network = Cascade(CascadeConfig(stages, widths, 0.1, lung_head))
        return draw_weights(network, seed).requires_grad_(False)

    return make
