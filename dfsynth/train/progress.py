"""How a training tells what it does; the command line draws it."""

from typing import Protocol


class TrainProgress(Protocol):
    """Called from the thread that trains."""

    def start(self, steps: int, done: int) -> None:
        """Before the first step: how many there are in all, and how many earlier calls did."""

    def advance(self, step: int, phase: str, loss: float) -> None:
        """After each step; `step` counts over all phases, from 1."""

    def message(self, text: str) -> None:
        """A warning, or what happens."""


class SilentTraining:
    """Tells nothing."""

    def start(self, steps: int, done: int) -> None:
        """See `TrainProgress`."""

    def advance(self, step: int, phase: str, loss: float) -> None:
        """See `TrainProgress`."""

    def message(self, text: str) -> None:
        """See `TrainProgress`."""
