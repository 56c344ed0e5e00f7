"""The families of radiographs that archives hold."""

from typing import Final, Literal, TypeAlias

import numpy as np

Appearance: TypeAlias = Literal["soft", "film", "crisp", "equalised", "bedside"]
"""soft: printed and scanned down, or processed little; film: dark lungs, black air; crisp: bright
lungs, sharp detail; equalised: every region alike bright, strong detail; bedside: no grid."""
APPEARANCES: Final[tuple[Appearance, ...]] = ("soft", "film", "crisp", "equalised", "bedside")
_SHARES: Final = (0.28, 0.25, 0.17, 0.2, 0.1)


def draw_appearance(rng: np.random.Generator) -> Appearance:
    """Most are soft or film, one in five equalised, one in ten at the bedside [assumed]."""
    return APPEARANCES[int(rng.choice(len(APPEARANCES), p=_SHARES))]
