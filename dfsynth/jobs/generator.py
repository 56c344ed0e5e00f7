"""What the job of a build needs of a generator; it knows no network and no torch."""

from collections.abc import Sequence
from typing import Protocol

from dfsynth.records import Generated, GeneratorFacts, ModelInput


class Generator(Protocol):
    """Ready to run on its device."""

    @property
    def description(self) -> str:
        """Device and precision, for the user's eyes."""

    @property
    def batch_size(self) -> int:
        """Images of one call; shorter batches are padded to it."""

    @property
    def at_once(self) -> int:
        """Calls that go on at once, each in its own thread, where the device is to be kept busy."""

    def generate(self, inputs: Sequence[ModelInput], image_ids: Sequence[str]) -> list[Generated]:
        """The maps of each input; depends on the input, its id and the seed alone. From any thread.

        Raises:
            DfsynthError: the device cannot do it; the run ends.
        """


class GeneratorMaker(Protocol):
    """A checkpoint that is identified, but not loaded before there is work for it."""

    @property
    def facts(self) -> GeneratorFacts: ...

    def resolve_precision(self, wanted: str) -> str:
        """`auto` → what this machine's device does best; anything else is checked.

        Raises:
            UsageError: the device does not have that precision.
        """

    def make(self, precision: str, grid: tuple[int, int]) -> Generator:
        """Loads the network.

        Raises:
            CheckpointError: the weights are damaged.
            UsageError: the device is not there.
        """


class MadeOnce:
    """A `GeneratorMaker` whose generator is loaded once, however often it is asked for."""

    def __init__(self, maker: GeneratorMaker) -> None:
        self._maker = maker
        self._made: dict[tuple[str, tuple[int, int]], Generator] = {}

    @property
    def facts(self) -> GeneratorFacts:
        """See `GeneratorMaker`."""
        return self._maker.facts

    def resolve_precision(self, wanted: str) -> str:
        """See `GeneratorMaker`."""
        return self._maker.resolve_precision(wanted)

    def make(self, precision: str, grid: tuple[int, int]) -> Generator:
        """See `GeneratorMaker`."""
        key = precision, grid
        if key not in self._made:
            self._made[key] = self._maker.make(precision, grid)
        return self._made[key]
