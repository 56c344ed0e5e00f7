"""What a task hands the simulator: the origins of its pairs, and what else decides their values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dfsynth.files.json_record import Json
from dfsynth.simulation.origins.origin import PairOrigin


@dataclass(frozen=True, slots=True)
class PairSimulation:
    """How the pairs of one task are made, by options that are already validated."""

    origins: Mapping[str, PairOrigin]
    """By name, in the order in which they take turns."""
    settings: Mapping[str, Json] = field(default_factory=dict)
    """What decides values beside the fields of the options that every task has."""
    warnings: tuple[str, ...] = ()
    """What of the options does less than a user may think."""
    count: Callable[[], int] | None = None
    """How many pairs there are where nobody asks for a number; None where there is no end."""
