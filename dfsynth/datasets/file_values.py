"""Values of files of pairs beside those that their task declares."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError
from dfsynth.preprocess.intensity import is_beyond
from dfsynth.records import Task
from dfsynth.tasks import own_task

_CERTAINLY: Final = 100.0
"""No range is meant whose values lie so many ranges away from it, in every pair."""
_NARROW: Final = 0.01
"""Of the range that is declared: all images together have more, or are in another unit."""


@dataclass(frozen=True, slots=True)
class FileValues:
    """What one image file holds, beside the range that its task declares."""

    low: float
    """The smallest value."""
    high: float
    """The largest."""
    beyond: bool = False
    """Whether much of it is so far from the range that the flag `beyond_range` is for it."""
    certain: bool = False
    """Whether it is so far that no such range can have been meant for it."""

    @classmethod
    def of(cls, pixels: NDArray[np.generic], declared: tuple[float, float] | None) -> Self:
        """Of an image (y, x); `declared` is None where grey values are."""
        low, high = float(pixels.min()), float(pixels.max())
        if declared is None or (declared[0] <= low and high <= declared[1]):
            return cls(low, high)
        values = np.asarray(pixels, np.float32)
        beyond = is_beyond(values, *declared)
        return cls(low, high, beyond, beyond and is_beyond(values, *declared, _CERTAINLY))


@dataclass(frozen=True, slots=True)
class PairValues:
    """What the files of a pair hold."""

    input: FileValues | None
    """None of grey values in files of such."""
    target: FileValues | None
    """None of grey values that are windowed as those of inputs."""


@dataclass(frozen=True, slots=True)
class _End:
    """One end of a network, as messages call it."""

    noun: str
    """In the plural."""
    low: float
    high: float
    unit: str
    declared_by: str
    """The entry, and whose it is."""
    advice: str

    @property
    def range(self) -> str:
        return f"{self.low:g} to {self.high:g}{self.unit}, {self.declared_by}"


def judge_values(
    task: Task,
    window: tuple[float, float],
    found: Mapping[str, PairValues],
    *,
    may_declare: bool = True,
) -> Iterator[str]:
    """Compares what the files of pairs hold with what their task declares.

    Args:
        task: What the pairs are for.
        window: That of the recipe, for targets to which the task gives no range.
        found: By the names of the pairs, all that are checked.
        may_declare: Whether a task of a user's own can still say something else, as before
            training; a checkpoint has been trained by what it says.

    Yields:
        A sentence for each end of the network whose values may be in another unit.

    Raises:
        UsageError: every pair is so far from the range that it cannot be meant; the message names
            a pair, its values and the range.
    """
    inputs = {key: pair.input for key, pair in found.items() if pair.input is not None}
    own = may_declare and own_task(task) is not None
    if task.input.intensity is None:
        yield from _judge_grey(task, inputs, len(found), own)
    else:
        yield from _judge_end(_end(task, "input", task.input.intensity, own), inputs)
    targets = {key: pair.target for key, pair in found.items() if pair.target is not None}
    yield from _judge_end(_end(task, "output", task.output.intensity, own, window), targets)


def are_certain(pair: PairValues) -> tuple[bool, bool]:
    """Whether no range of the task can have been meant for a pair's (input, target)."""
    return _is_certain(pair.input), _is_certain(pair.target)


def _is_certain(values: FileValues | None) -> bool:
    return values is not None and values.certain


def _judge_grey(
    task: Task, values: Mapping[str, FileValues], pairs: int, own: bool
) -> Iterator[str]:
    if not values:
        return
    key, first = next(iter(values.items()))
    say = "; for values in a unit say it and [input] intensity" if own else ""
    yield (
        f"the inputs of {len(values)} of {counted(pairs, 'pair')} are floating-point values, as "
        f"of the pair {key!r} from {first.low:g} to {first.high:g}, but the task {task.name} "
        "declares grey values: each image is windowed between its own percentiles, so that none "
        "keeps its unit, and dfsynth build takes PNG, JPEG, TIFF of whole numbers and DICOM "
        f"alone{say}"
    )


def _judge_end(end: _End, values: Mapping[str, FileValues]) -> Iterator[str]:
    if not values:
        return
    beyond = [key for key, value in values.items() if value.beyond]
    if beyond:
        one = values[beyond[0]]
        sentence = (
            f"the {end.noun} of {len(beyond)} of {counted(len(values), 'pair')} are far from "
            f"{end.range}: the pair {beyond[0]!r} has {one.low:g} to {one.high:g}; {end.advice}"
        )
        if all(value.certain for value in values.values()):
            raise UsageError(sentence)
        yield sentence
        return
    low = min(value.low for value in values.values())
    high = max(value.high for value in values.values())
    share = (high - low) / (end.high - end.low)
    if share < _NARROW:
        yield (
            f"the {end.noun} of {counted(len(values), 'pair')} lie between {low:g} and {high:g}, "
            f"{share:.1%} of {end.range}; {end.advice}"
        )


def _end(
    task: Task,
    where: Literal["input", "output"],
    intensity: tuple[float, float] | None,
    own: bool,
    window: tuple[float, float] = (0.0, 1.0),
) -> _End:
    declared_by = f"[{where}] intensity of the task {task.name}"
    if intensity is None:
        owner = f"task {task.name}" if window == task.window else "recipe"
        declared_by = f"the window of the {owner}"
    unit = (task.input if where == "input" else task.output).unit
    say = f", or say in [{where}] unit and intensity what they hold" if own else ""
    return _End(
        "inputs" if where == "input" else "targets",
        *(intensity or window),
        "" if unit == "1" else f" {unit}",
        declared_by,
        f"convert the files{say}",
    )
