"""What training and evaluation know of paired images, wherever they lie."""

from dataclasses import dataclass
from typing import Protocol

from dfsynth.records import Float32Map

WHOLE_GRID = (slice(None), slice(None))


@dataclass(frozen=True, slots=True)
class PairInfo:
    """What is known of one pair besides its images."""

    key: str
    """Its name, unique in its source: what messages call it."""
    patient_id: str
    split: str | None
    """train, val, calibration or test; None where no groups were asked for."""
    origin: str | None = None
    """phantom, ct or cxr of simulated pairs; None for files of a user's own."""
    license: str | None = None
    """Of what the pair was made of; None where it is not known."""
    pixel_mm: float | None = None
    """Side of a pixel of the grid, at the object; None where it is not known."""
    nodule_mm: tuple[float, ...] = ()
    """Diameters of its nodules in the order of their labels, the first of which is 1."""


@dataclass(frozen=True, slots=True, eq=False)
class PairImages:
    """The images of one pair, letterboxed into one grid; all (y, x) float32, finite."""

    image: Float32Map
    """The input as generators take it, such as radiographs in [0, 1], dense bright; padding: 0."""
    target: Float32Map
    """As measured: noisy, unclipped; padding is 0."""
    clean: Float32Map | None = None
    """The same without noise and artefacts, where a simulator knows it."""
    lung: Float32Map | None = None
    """1 in the lung field as people outline it, else 0."""
    lung_weight: Float32Map | None = None
    """0 where lung hides behind heart, mediastinum or diaphragm, else 1."""
    content: tuple[slice, slice] = WHOLE_GRID
    """(y, x) of the grid that holds the image; the rest is padding."""
    air: Float32Map | None = None
    """1 in air outside the body, else 0, where the task has a mask of it."""
    nodules: Float32Map | None = None
    """k where the k-th nodule is projected, else 0, where the task has labels of them."""


class PairSource(Protocol):
    """Paired images of known patients; safe to read from any thread."""

    @property
    def rows(self) -> tuple[PairInfo, ...]:
        """All usable pairs; no patient has two splits."""

    @property
    def description(self) -> str:
        """One line for users and model cards; names no folder above the data's own."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that a user should see before training."""

    @property
    def knows_lungs(self) -> bool:
        """Whether pairs come with a lung mask."""

    def fingerprint(self) -> str:
        """Hexadecimal; equal for equal pairs, patients and splits, wherever they lie."""

    def read(self, index: int) -> PairImages:
        """The images of `rows[index]`, maps (y, x).

        Raises:
            UsageError: a file that gives no usable pair; the message names it.
            StoreError: a damaged store.
        """


def indices_in(source: PairSource, split: str) -> tuple[int, ...]:
    """The indices of the rows of one split, in order; none where it is empty."""
    return tuple(index for index, row in enumerate(source.rows) if row.split == split)
