"""The families of radiographs that archives hold."""

from typing import Final, Literal, TypeAlias

import numpy as np

Look: TypeAlias = Literal["soft", "film", "crisp", "equalised", "bedside"]
"""soft: printed and scanned down, or processed little; film: dark lungs, black air; crisp: bright
lungs, sharp detail; equalised: every region alike bright, strong detail; bedside: no grid."""
LOOKS: Final[tuple[Look, ...]] = ("soft", "film", "crisp", "equalised", "bedside")
_SHARES: Final = (0.28, 0.25, 0.17, 0.2, 0.1)


def draw_look(rng: np.random.Generator) -> Look:
    """Most are soft or film, one in five equalised, one in ten at the bedside [assumed]."""
    return LOOKS[int(rng.choice(len(LOOKS), p=_SHARES))]
