"""Keys in the files of a run whose names are not those of today's code.

A run folder of version 0.1 must go on where it stopped, and a command must recognise its run, so
the keys stay while the words of the code change. Here alone the two meet.
"""

from typing import Final

DISCRIMINATORS: Final = "judges"
"""Weights of the discriminators, in the state."""
DISCRIMINATOR_OPTIMISER: Final = "judge_optimiser"
"""Moments of their optimiser, in the state."""
POSITION: Final = "place"
"""Phase and steps, in the state."""
BEST_SO_FAR: Final = "standing"
"""The record of `BestSoFar`, in `state.json`, with the next two entries."""
BEST_SCORE: Final = "best_score"
VALIDATIONS_SINCE: Final = "waited"
MEMBER: Final = "member"
"""Which member of an ensemble was trained, in `run.json`."""
INITIAL_CHECKPOINT: Final = "start"
"""Name and hash of the initial checkpoint, in `run.json` and in the card's recipe."""
