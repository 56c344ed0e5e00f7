"""What the page of a store shows, beside its columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dfsynth.files.json_record import Json
from dfsynth.report.browser.columns import GroupColumn, NumberColumn


@dataclass(frozen=True, slots=True)
class GalleryMap:
    """One kind of map that the galleries show, on one scale for all images."""

    name: str
    title: str
    unit: str
    colour_map: str
    """gray, cividis, viridis, inferno or magma."""
    vmin: float
    """Drawn, with all below it, in the first colour."""
    vmax: float
    """Drawn, with all above it, in the last colour."""
    levels: int = 254
    """Steps in which a page holds the values of an image, from its lowest to its highest; 254 at
    most. Fewer take less room where noise fills them."""


@dataclass(frozen=True, slots=True)
class GalleryImage:
    """An image that has thumbnails."""

    position: int
    """Among the values of the columns."""
    row: int
    """Of the store, which its files are named after."""
    name: str
    remarks: tuple[str, ...]
    """Its findings, view and flags, in words."""


@dataclass(frozen=True, slots=True)
class FailureSentence:
    """One reason, as images have it in their rows."""

    text: str
    count: int
    examples: tuple[str, ...]
    """Names of a few of the images."""


@dataclass(frozen=True, slots=True)
class FailureKind:
    """Images that failed with one error code."""

    code: str
    count: int
    sentences: tuple[FailureSentence, ...]
    """The commonest first, and not all where they are many."""
    unlisted: int
    """Images whose sentence is none of these."""


@dataclass(frozen=True, slots=True)
class PromisedThreshold:
    """A threshold below which errors are promised to be rare: `dfsynth filter --max-error`."""

    max_error: float
    """Of shape, in (0, 1): see `dfsynth.statistics.shape_error`."""
    threshold: float


@dataclass(frozen=True, slots=True)
class ErrorCurve:
    """The error that images of known truth have, up to each threshold of one column.

    Sequences (thresholds) are of equal length. Every patient counts the same.
    """

    column: str
    thresholds: Sequence[float]
    """Ascending."""
    patients: Sequence[int]
    """Of whom an image lies at or below the threshold."""
    mean: Sequence[float]
    """Mean error of those images."""
    low: Sequence[float | None]
    """The 2.5th percentile of bootstrap draws of patients; null of one patient."""
    high: Sequence[float | None]
    """The 97.5th percentile."""
    promises: tuple[PromisedThreshold, ...]


@dataclass(frozen=True, slots=True)
class StorePage:
    """All that the page of a store shows. Columns are of the finished images alone."""

    store: str
    """Its name, without the folder that it lies in."""
    command: str
    """What made it: dfsynth build, or dfsynth simulate."""
    holds: str
    """images, or pairs."""
    notice: str
    """That all of it is synthetic."""
    planned: int
    finished: int
    failed: int
    pending: int
    shards: int
    shards_done: int
    numbers: tuple[NumberColumn, ...]
    groups: tuple[GroupColumn, ...]
    empty_columns: tuple[str, ...]
    """Columns that are null in every image."""
    ungrouped: tuple[str, ...]
    """Columns of groups that are null in every image."""
    default: str | None
    """The column of the first threshold; null where there is no number."""
    no_lung: Sequence[int] | None
    """Positions of images on which no lung was found; null where that is not known of any."""
    maps: tuple[GalleryMap, ...]
    images: tuple[GalleryImage, ...]
    failures: tuple[FailureKind, ...]
    damage: tuple[str, ...]
    """A sentence for each damaged shard."""
    remarks: tuple[str, ...]
    """Sentences on what the report could not show, and why."""
    errors: tuple[ErrorCurve, ...]
    error_basis: str
    """What the curves rest on, or why there are none, in a sentence."""
    promise_terms: str
    """Risk and confidence of the promises, as options of `dfsynth filter`; empty without any."""
    checkpoint: str | None
    """What a command on promises has to name, without the folder that it lies in; null if none."""
    provenance: Mapping[str, Json]
