"""How a job reports what it does; the command line draws it, the Python interface may not."""

from typing import Protocol


class Progress(Protocol):
    """Called from the thread that runs the build; `message` from any."""

    def start(self, images: int) -> None:
        """Before the first image: how many this process has before it."""

    def advance(self, ok: int, failed: int) -> None:
        """After each committed portion of work."""

    def message(self, text: str) -> None:
        """A warning, or what the run is about to do."""


class Silent:
    """Reports nothing."""

    def start(self, images: int) -> None:
        """See `Progress`."""

    def advance(self, ok: int, failed: int) -> None:
        """See `Progress`."""

    def message(self, text: str) -> None:
        """See `Progress`."""


class Told(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        """See `Progress`."""
        self.messages.append(text)


class TrainProgress(Protocol):
    """Called from the thread that trains."""

    def start(self, steps: int, done: int) -> None:
        """Before the first step: how many there are in all, and how many earlier calls did."""

    def advance(self, step: int, phase: str, loss: float) -> None:
        """After each step; `step` counts over all phases, from 1."""

    def message(self, text: str) -> None:
        """A warning, or what happens."""


class SilentTraining:
    """Reports nothing."""

    def start(self, steps: int, done: int) -> None:
        """See `TrainProgress`."""

    def advance(self, step: int, phase: str, loss: float) -> None:
        """See `TrainProgress`."""

    def message(self, text: str) -> None:
        """See `TrainProgress`."""
