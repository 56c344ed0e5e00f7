"""What a run shows while it goes on: a line a step, TensorBoard, and sheets of images."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from dfsynth.datasets import PairBatch
from dfsynth.errors import UsageError
from dfsynth.extras import load_extra
from dfsynth.files.faults import store_faults
from dfsynth.models import Prediction
from dfsynth.records import Float32Map
from dfsynth.report import (
    SheetColumn,
    SheetRow,
    columns_of_pairs,
    contact_sheet,
    deviation_scale,
    encode_png,
    robust_limits,
)
from dfsynth.tasks import Task
from dfsynth.train.run_folder import RunFolder

_CURVES_EVERY: Final = 10
"""Steps between two points of a curve in TensorBoard; metrics.jsonl has them all."""


class Monitor:
    """Writes metrics.jsonl, TensorBoard and panels of one run, in its first process alone."""

    def __init__(
        self, folder: RunFolder, task: Task, steps_taken: int | None, unpaired: bool = False
    ) -> None:
        """Goes on after `steps_taken` steps, or anew where it is None.

        `task` says how panels are labelled; those of `unpaired` images are grey values alone.

        Later lines, of a run that was killed, are removed.

        Raises:
            StoreError: the disk is full, or refuses.
        """
        self._folder = folder
        self._task = task
        self._unpaired = unpaired
        after = -1 if steps_taken is None else steps_taken
        self._rewind(after)
        with store_faults(f"write {folder.metrics}"):
            self._lines = folder.metrics.open("a", encoding="utf-8", buffering=1)
        self._curves = _open_tensorboard(folder, after)

    @property
    def has_curves(self) -> bool:
        """Whether TensorBoard is installed."""
        return self._curves is not None

    def step(self, phase: str, step: int, terms: Mapping[str, float], rate: float) -> None:
        """Writes the weighted loss terms of a step; `step` counts over all phases, from 1.

        Raises:
            StoreError: the disk is full, or refuses.
        """
        line = {"step": step, "phase": phase, "loss": sum(terms.values()), **terms, "rate": rate}
        self._write(line)
        if self._curves is not None and step % _CURVES_EVERY == 0:
            for name, value in terms.items():
                self._curves.add_scalar(f"train/{name}", value, step)
            self._curves.add_scalar("train/learning_rate", rate, step)

    def validated(self, phase: str, step: int, scores: Mapping[str, Any]) -> None:
        """Writes the scores of a validation by name.

        Raises:
            StoreError: the disk is full, or refuses.
        """
        named = {f"val_{k}": v for k, v in scores.items()}
        self._write({"step": step, "phase": phase, **named})
        if self._curves is not None:
            for name, value in scores.items():
                if isinstance(value, float):
                    self._curves.add_scalar(f"val/{name}", value, step)

    def draw(
        self,
        batch: PairBatch,
        predictions: Sequence[Prediction],
        keys: Sequence[str],
        step: int,
        window: tuple[float, float],
    ) -> None:
        """Draws a sheet: input, target, every stage's mean, and the last one's sigma.

        Maps of batch and predictions are (n, 1, H, W), `keys` names the n pairs, and `window` is
        that of the output's values.

        Raises:
            StoreError: the disk is full, or refuses.
        """
        if self._unpaired:
            rows = _rows(batch, predictions, keys, None)
            columns, noun = _columns_of_unpaired(rows), "degraded radiograph"
        else:
            noun = self._task.output.noun
            rows = _rows(batch, predictions, keys, self._task)
            columns = _columns(len(predictions), self._task, window, rows)
        sheet = contact_sheet(
            rows,
            columns,
            f"after step {step}",
            f"Synthetic {noun}s, not for diagnosis.",
        )
        with store_faults(f"write a panel into {self._folder.panels}"):
            path = self._folder.panels / f"step-{step:08d}.png"
            path.write_bytes(encode_png(sheet))
        if self._curves is not None:
            self._curves.add_image("panel", sheet, step, dataformats="HWC")

    def close(self) -> None:
        """Closes the files; everything is flushed."""
        self._lines.close()
        if self._curves is not None:
            self._curves.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        with store_faults(f"write {self._folder.metrics}"):
            self._lines.write(json.dumps(_without_nan(line)) + "\n")

    def _rewind(self, steps_taken: int) -> None:
        path = self._folder.metrics
        if not path.exists():
            return
        with store_faults(f"read {path}"):
            kept = []
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    if json.loads(line)["step"] <= steps_taken:
                        kept.append(line + "\n")
                except ValueError:
                    # A kill in the middle of a line; its step comes again.
                    break
            path.write_text("".join(kept), encoding="utf-8")


def _open_tensorboard(folder: RunFolder, steps_taken: int) -> Any | None:
    """None where the library is not installed: curves are a convenience."""
    try:
        tensorboard = load_extra("torch.utils.tensorboard", "drawing curves", "train")
    except UsageError:
        return None
    return tensorboard.SummaryWriter(folder.tensorboard, purge_step=steps_taken + 1)


def _columns(
    stages: int, task: Task, window: tuple[float, float], rows: Sequence[SheetRow] = ()
) -> list[SheetColumn]:
    given, sigma = ([row.images[place] for row in rows] for place in (0, -1))
    images = [{task.input.array: image} for image in given if image is not None]
    of_pairs = columns_of_pairs(task, images)
    shown = [s for s in sigma if s is not None]
    scale = deviation_scale(shown, task.output.unit)
    bright = _bright_sigma((window[1] - window[0]) / 2, shown)
    # Of one sigma for all, a full last colour would tell nothing.
    bright *= 1 if scale.remark is None else 2
    unit = of_pairs[task.pairs.target].unit
    return [
        of_pairs[task.input.array],
        SheetColumn("target", unit, "gray", *window),
        *(SheetColumn(f"stage {m + 1}", unit, "gray", *window) for m in range(stages)),
        SheetColumn(scale.titled("sigma", "sigma"), unit, "viridis", 0.0, bright),
    ]


def _columns_of_unpaired(rows: Sequence[SheetRow]) -> list[SheetColumn]:
    spread = [row.images[-1] for row in rows]
    bright = _bright_sigma(0.5, [s for s in spread if s is not None])
    titles = ("good radiograph", "of the other domain", "degraded")
    return [
        *(SheetColumn(title, "1", "gray", 0.0, 1.0) for title in titles),
        SheetColumn("spread of two", "1", "viridis", 0.0, bright),
    ]


def _bright_sigma(half: float, sigma: Sequence[Float32Map]) -> float:
    """Half the window, or a half, a quarter, … of it that still holds nearly all of sigma.

    By halves, so that most sheets of a run have one scale.
    """
    if not sigma:
        return half
    top = robust_limits(np.concatenate([each.ravel() for each in sigma]))[1]
    return half / 2 ** max(math.floor(math.log2(half / top)), 0) if top > 0 else half


def _rows(
    batch: PairBatch, predictions: Sequence[Prediction], keys: Sequence[str], task: Task | None
) -> list[SheetRow]:
    """In the units of the task, or as they are."""
    maps = [batch.image, batch.target, *(p.mean for p in predictions), predictions[-1].sigma]
    given, *signals, sigma = (np.asarray(m[:, 0].cpu().numpy(), np.float32) for m in maps)
    output = None if task is None else task.output.convention
    if output is not None:
        signals, sigma = [*map(output.restore, signals)], output.restore_deviation(sigma)
    arrays = (given if task is None else task.input.restore(given), *signals, sigma)
    return [SheetRow((key,), tuple(a[i] for a in arrays)) for i, key in enumerate(keys)]


def _without_nan(value: Any) -> Any:
    """JSON has no NaN and no infinity: null."""
    if isinstance(value, Mapping):
        return {k: _without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(v) for v in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
