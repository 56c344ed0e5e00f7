"""The same test images by every method, beside input and target: what figures do not show."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from paper_figures import write_figure
from paper_methods import Method
from paper_runs import Study

from dfsynth.datasets import indices_in
from dfsynth.evaluate.prediction import predict_pairs
from dfsynth.progress import Silent

_IMAGES: Final = 3
_FOLD: Final = 0
_LETTERS: Final = 22
"""Of a name in a line above a column."""


def draw_pictures(study: Study, methods: Sequence[Method], path: Path) -> None:
    """A row for each of some test images of the first fold; means above, sigmas below.

    Means are drawn in the window of the task, sigmas of all methods from 0 to a quarter of it.
    """
    fold = study.fold(_FOLD)
    source = study.dealt(fold)
    tested = indices_in(source, "test")
    chosen = [tested[int(i)] for i in np.linspace(0, len(tested) - 1, _IMAGES)]
    columns: dict[str, list[tuple[np.ndarray, np.ndarray | None]]] = {
        "input": [(source.read(i).image, None) for i in chosen],
        "target": [(source.read(i).target, None) for i in chosen],
    }
    for method in methods:
        generator = study.generator(method, fold)
        if generator is not None:
            pairs = predict_pairs(generator, source, chosen, Silent())
            found = [pair.image.stages[-1] for pair in pairs]
            columns[method.name] = [(stage.mean, stage.sigma) for stage in found]
    low, high = study.window
    figure = Figure(figsize=(1.5 * len(columns), 3 * len(chosen)), layout="constrained")
    grid = figure.subplots(2 * len(chosen), len(columns))
    for place, (name, images) in enumerate(columns.items()):
        grid[0, place].set_title(fill(name, _LETTERS), fontsize=7)
        for row, (mean, sigma) in enumerate(images):
            # What goes in is as a network sees it.
            window = (0.0, 1.0) if name == "input" else (low, high)
            grid[2 * row, place].imshow(mean, cmap="gray", vmin=window[0], vmax=window[1])
            if sigma is not None:
                grid[2 * row + 1, place].imshow(sigma, vmin=0, vmax=(high - low) / 4)
    for axes in grid.flat:
        axes.axis("off")
    figure.suptitle(f"{study.task.name}: synthetic images, means and sigmas; not for diagnosis")
    write_figure(figure, path)
