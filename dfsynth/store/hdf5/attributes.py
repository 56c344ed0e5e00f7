"""Attributes as HDF5, netCDF and xarray know them."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dfsynth.files.json_record import Json

if TYPE_CHECKING:
    import h5py

_INT64: Final = np.iinfo(np.int64)


def write_attributes(target: "h5py.HLObject", attributes: Mapping[str, Json]) -> None:
    """Writes texts, numbers and lists of numbers as such, null not at all, all else as JSON."""
    for name, value in attributes.items():
        if value is not None:
            target.attrs[name] = _plain(value)


def _plain(value: Json) -> Any:
    if isinstance(value, str) and "\0" not in value:
        return value
    if _is_number(value):
        return value
    if isinstance(value, Sequence) and value and all(map(_is_number, value)):
        return np.asarray(value)
    return json.dumps(value, ensure_ascii=False)


def _is_number(value: Json) -> bool:
    """Whether it fits a number of HDF5; True and False are none."""
    if isinstance(value, bool):
        return False
    return isinstance(value, float) or (
        isinstance(value, int) and _INT64.min <= value <= _INT64.max
    )
