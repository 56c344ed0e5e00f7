"""The truth of simulated pairs, beside what was generated from their inputs."""

from pathlib import PurePosixPath
from typing import Any

import numpy as np

from dfsynth.errors import UsageError
from dfsynth.files.object_path import AnyPath
from dfsynth.preprocess import letterbox, to_grid
from dfsynth.records import Float32Map
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.opened import open_store
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.row_geometry import geometry_of
from dfsynth.tasks import Task


class TruthImages:
    """The truths in a store of pairs, found by the names of the files that held the inputs."""

    def __init__(self, pairs: AnyPath, task: Task) -> None:
        """Opens a store of pairs.

        Raises:
            UsageError: it is no store of pairs of the task.
            StoreError: it is damaged.
        """
        self._store = open_store(pairs)
        record = self._store.record
        if not isinstance(record, PairsRecord) or record.task.name != task.name:
            raise UsageError(
                f"--truth {pairs}: expected pairs of the task {task.name}; give the "
                "store that the inputs were taken from"
            )
        self._array = record.task.pairs.clean or record.task.pairs.target
        lines = self._store.manifest.select(["image_id", "row", "status", "truth"]).to_pylist()
        done = [line for line in lines if line["status"] == "ok"]
        self._rows = {line["image_id"]: line["row"] for line in done}
        self.title = f"truth ({', '.join(sorted({line['truth'] for line in done}))})"
        """What stands above its panels: also whether it was simulated or measured."""

    def read(self, record: BuildRecord, line: dict[str, Any]) -> Float32Map | None:
        """The truth (y, x) of a generated image, on the pixels of its content; None without one.

        Args:
            record: Of the store that holds the image.
            line: Its row of the manifest.

        Raises:
            StoreError: a damaged store.
        """
        row = next((self._rows[key] for key in _keys(line["image_id"]) if key in self._rows), None)
        if row is None or line["status"] != "ok":
            return None
        truth = self._store.read(self._array, row).astype(np.float32)
        geometry = geometry_of(record, line)
        fitted = letterbox(truth.shape, (geometry.grid_height, geometry.grid_width))
        if (fitted.height, fitted.width) != (geometry.height, geometry.width):
            return None
        return to_grid(truth, fitted)


def _keys(image_id: str) -> tuple[str, ...]:
    """The pairs that an image may be named after: `slices/ct-3.npy` after `ct-3`."""
    name = PurePosixPath(image_id).name
    return image_id, name, name.split(".")[0]
