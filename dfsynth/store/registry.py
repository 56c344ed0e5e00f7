"""The file formats in which a store can be kept.

A format is a package beside `zarr/` that makes a `StoreFormat`, and a line of `FORMATS`. All else
asks `format_of` and names no format.
"""

from typing import Final

from dfsynth.store.format import StoreFormat
from dfsynth.store.hdf5.format import HDF5
from dfsynth.store.layout import StoreLayout
from dfsynth.store.zarr.format import ZARR

FORMATS: Final[tuple[StoreFormat, ...]] = (ZARR, HDF5)


def format_of(layout: StoreLayout) -> StoreFormat:
    """The format that the name of the store ends in; Zarr where it ends otherwise."""
    suffix = layout.root.suffix.lower()
    return next((known for known in FORMATS if suffix in known.suffixes), ZARR)
