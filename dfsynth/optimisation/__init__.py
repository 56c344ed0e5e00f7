"""What every training loop keeps beside its network: averaged weights and a flat state."""

from dfsynth.optimisation.averaging import average_weights
from dfsynth.optimisation.state import flatten_state, restore_optimiser, state_part

__all__ = ["average_weights", "flatten_state", "restore_optimiser", "state_part"]
