"""What the check before a training says of files."""

from pathlib import Path

from dfsynth.datasets import check_pairs, open_pairs
from dfsynth.records import Task


def warnings_of(
    folders: tuple[Path, Path], task: Task, window: tuple[float, float] | None = None
) -> list[str]:
    """The lines of the check before training on the pairs of two folders at 32 × 32 pixels."""
    source = open_pairs(
        *(*folders, 32, window or task.window, task.input.convention, task, task.output.convention)
    )
    lines: list[str] = []
    check_pairs(source, lines.append)
    return lines
