"""The families of radiographs that archives hold."""

from typing import Final, Literal, TypeAlias

import numpy as np

Look: TypeAlias = Literal["soft", "film", "crisp", "equalised", "bedside"]
"""soft: printed and scanned down, or processed little; film: dark lungs, black air; crisp: bright
lungs, sharp detail; equalised: every region alike bright, strong detail; bedside: no grid."""
LOOKS: Final[tuple[Look, ...]] = ("soft", "film", "crisp", "equalised", "bedside")
_SHARES: Final = (0.3, 0.2, 0.2, 0.2, 0.1)


def draw_look(rng: np.random.Generator) -> Look:
    """Three in ten soft, one in ten at the bedside, a fifth each of the others [assumed]."""
    return LOOKS[int(rng.choice(len(LOOKS), p=_SHARES))]
