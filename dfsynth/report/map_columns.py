"""How maps are drawn, the same in contact sheets and notebooks: colours, limits and titles."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from dfsynth.records import Float32Map
from dfsynth.report.colours import robust_limits
from dfsynth.report.deviations import deviation_scale
from dfsynth.report.sheet import SheetColumn
from dfsynth.tasks import Task, TaskArray

_DEVIATION_COLOURS: Final = {"aleatoric": "viridis", "epistemic": "inferno"}


def _caption(title: str) -> str:
    """Over a column of a sheet: as people write it within a sentence."""
    return title if title.isupper() else title.lower()


def image_columns(task: Task) -> tuple[str, ...]:
    """The maps that are drawn of a generated image, by name, in order."""
    return (task.input.array, *task.output_maps)


def columns_of_images(
    task: Task, unit: str, window: tuple[float, float], images: Sequence[Mapping[str, Float32Map]]
) -> list[SheetColumn]:
    """The columns `image_columns(task)` for images of a generator.

    Deviations are drawn from 0 to the 99th percentile of all that are shown, those that hardly
    differ to twice that with a remark; an input whose array says so is drawn as the former.

    Args:
        task: What the generator is for.
        unit: That of its output.
        window: The display window of its output, in that unit.
        images: Maps (y, x) of each image, by name; what is missing decides nothing.
    """
    given = task.input
    shown = task.input_window(unit, window)
    if given.intensity is not None:
        shown = suitable_limits(task.input_array, shown, [maps.get(given.array) for maps in images])
    grey = "grey value" if given.intensity is None else task.input_array.shown_unit
    columns = [
        SheetColumn(_caption(task.input_title), grey, "gray", *shown),
        SheetColumn(_caption(task.output_title), unit, "gray", *window),
    ]
    for name, colours in _DEVIATION_COLOURS.items():
        scale = deviation_scale([maps[name] for maps in images if name in maps], unit)
        title = scale.titled(f"{name} (standard deviation)", name)
        columns.append(SheetColumn(title, unit, colours, 0.0, scale.top))
    return columns


def columns_of_pairs(
    task: Task, images: Sequence[Mapping[str, Float32Map]] = ()
) -> dict[str, SheetColumn]:
    """The columns for simulated pairs of a task, by the name of the array.

    Args:
        task: What the pairs are for.
        images: Arrays (y, x) of each pair that is drawn, by name.
    """
    return {
        array.name: SheetColumn(
            array.title,
            array.shown_unit,
            array.colours,
            *suitable_limits(array, array.window, [maps.get(array.name) for maps in images]),
        )
        for array in task.array
        if array.title
    }


def suitable_limits(
    array: TaskArray, window: tuple[float, float], images: Sequence[Float32Map | None]
) -> tuple[float, float]:
    """The window, or where the array says so up to what is bright in images (y, x) of it."""
    values = [image.ravel() for image in images if image is not None]
    if array.brightest == "window" or not values:
        return window
    low, top = window[0], robust_limits(np.concatenate(values))[1]
    return (low, top) if top > low else window
