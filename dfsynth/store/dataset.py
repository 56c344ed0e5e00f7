"""A torch Dataset over the rows of a store that somebody chose."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypeAlias, TypedDict, TypeVar

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError
from dfsynth.manifest import (
    label_rows,
    positive_weights,
    read_numbers,
    require_findings,
    weigh_rows,
)
from dfsynth.store import ArrayReader, StoredMap


class Sample(TypedDict):
    """One image; the default collate function stacks it."""

    maps: torch.Tensor
    """(map, y, x) float32, in the order asked for."""
    row: int
    """Row in the store's arrays."""
    image_id: str
    target: NotRequired[Any]
    """Where one was asked for: a float32 tensor, () of a column or (findings) of findings, or what
    a function of the caller's gave."""
    weight: NotRequired[torch.Tensor]
    """Where one was asked for: () float32; see `MapDataset.weights`."""


Target: TypeAlias = str | Sequence[str] | Callable[[Mapping[str, Any]], Any]
"""What a sample is to be told of: a column of numbers, "findings" for all of them, the names of
some findings, or a function of the row of the manifest."""
SampleT = TypeVar("SampleT", covariant=True)  # noqa: PLC0105 - T_co of torch's own Dataset


@dataclass(frozen=True, slots=True, eq=False)
class FindingLabels:
    """Which image has which finding, ready for a loss."""

    names: tuple[str, ...]
    """The findings, one for each column."""
    values: torch.Tensor
    """(images, findings) float32: 1 it has it, 0 it has not, NaN where that is not known."""

    @property
    def pos_weight(self) -> torch.Tensor:
        """Negatives over positives, (findings) float32, as `BCEWithLogitsLoss` takes it.

        1 where a finding has no positive or no negative image.
        """
        return torch.from_numpy(positive_weights(self.values.numpy()))

    def __repr__(self) -> str:
        return f"<FindingLabels: {counted(len(self.values), 'image')}, {', '.join(self.names)}>"


class MapDataset(Dataset[SampleT]):
    """Reads one image at a time; safe in DataLoader workers, forked or spawned."""

    def __init__(
        self,
        arrays: ArrayReader,
        table: pa.Table,
        maps: tuple[str, ...],
        findings: tuple[str, ...] = (),
        transform: Callable[[Sample], SampleT] | None = None,
        target: Target | None = None,
        weight_by: str | None = None,
    ) -> None:
        """Takes up the chosen rows; no image is read yet.

        Args:
            arrays: The arrays (image, y, x) of the store.
            table: Chosen rows of the manifest, one for each sample, in order.
            maps: Names of the arrays that make a sample, in order.
            findings: Those of the whole store.
            transform: What is made of a sample; by default it stays as it is.
            target: What a sample is told of, beside its maps.
            weight_by: The score that weighs the samples.

        Raises:
            UsageError: a target or a score that the manifest does not have.
        """
        self.table = table
        """Labels, findings and scores of the samples: row i belongs to sample i."""
        self.findings = findings
        """The findings of the whole store, whichever of its images were chosen: the columns of
        labels are the same in every split."""
        self._arrays = arrays
        self._maps = maps
        self._transform = transform
        self._rows = [int(row) for row in table["row"].to_numpy()]
        self._ids = [str(name) for name in table["image_id"].to_pylist()]
        self._target = target if callable(target) else None
        self._targets = self._known_targets(target)
        self._weights = None if weight_by is None else self.weights(weight_by).float()

    def __repr__(self) -> str:
        return f"<MapDataset: {counted(len(self), 'image')} of {', '.join(self._maps)}>"

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> SampleT:
        """One sample: maps (map, y, x) in float32, with row and id, as `transform` gives it.

        Raises:
            IndexError: there is no such sample.
            StoreError: the stored bytes are damaged.
        """
        row = self._rows[index]
        maps = [self._arrays.read(name, row) for name in self._maps]
        sample = Sample(maps=torch.from_numpy(_stack(maps)), row=row, image_id=self._ids[index])
        if self._targets is not None:
            sample["target"] = self._targets[index].clone()
        elif self._target is not None:
            at = range(len(self))[index]
            sample["target"] = self._target(self.table.slice(at, 1).to_pylist()[0])
        if self._weights is not None:
            sample["weight"] = self._weights[index].clone()
        changed: Any = sample if self._transform is None else self._transform(sample)
        return changed

    def labels(
        self,
        findings: Sequence[str] | None = None,
        uncertain: float = float("nan"),
        blank: float = float("nan"),
    ) -> FindingLabels:
        """Which sample has which finding: a matrix (samples, findings) and its `pos_weight`.

        Positive is 1 and negative 0. The policies of Irvin et al., CheXpert (AAAI 2019), are
        U-Ones, `uncertain=1`, and U-Zeros, `uncertain=0`; NaN is U-Ignore, to be masked in the
        loss. Of a corpus that lists findings and knows neither negative nor uncertain ones, such
        as ChestX-ray14, what is not listed is negative.

        Args:
            findings: Names, in the order of the columns; by default all of the store.
            uncertain: What stands for a finding of which the corpus is not certain.
            blank: What stands for a finding that the corpus does not mention of an image.

        Raises:
            UsageError: no finding, an unknown one, or one that is named twice.
        """
        names = self.findings if findings is None else tuple(findings)
        require_findings(names, self.findings)
        values = label_rows(self.table, names, uncertain, blank)
        return FindingLabels(names, torch.from_numpy(values))

    def weights(self, by: str) -> torch.Tensor:
        """One weight for each sample, (samples) float64: the inverse of its score, of mean 1.

        As `WeightedRandomSampler` takes them. Scores below their 5th percentile count as that;
        samples without a score weigh 0. A low score must be the better one.

        Raises:
            UsageError: no such column of numbers, null in all samples, or below 0 in some.
        """
        return torch.tensor(weigh_rows(self.table, by))

    def _known_targets(self, target: Target | None) -> torch.Tensor | None:
        """One float32 target for each sample, (samples, …); None where a function gives them."""
        if target is None or callable(target):
            return None
        if target == "findings":
            return self.labels().values
        if isinstance(target, str):
            if target in self.findings:
                raise UsageError(f"target {target!r} is a finding: expected target=({target!r},)")
            return torch.tensor(read_numbers(self.table, target), dtype=torch.float32)
        return self.labels(target).values


def _stack(maps: Sequence[StoredMap]) -> NDArray[np.float32]:
    """Maps (y, x) as one array (map, y, x), copied at most once: what was read is nobody else's."""
    if len(maps) == 1:
        return maps[0].astype(np.float32, copy=False)[np.newaxis]
    return np.stack(maps, dtype=np.float32)
