"""What an export holds, read by the libraries that its users read it with."""

import gc
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars
import pyarrow.csv
import pyarrow.parquet as pq
import pydicom
import tifffile
import webdataset
from numpy.typing import NDArray

from dfsynth.exports import TABLE_NAME


@dataclass(frozen=True, slots=True)
class ReadImage:
    """One image as its files give it back."""

    image_id: str
    maps: Mapping[str, NDArray[Any]]
    """(y, x) by name, in the map's unit."""
    steps: Mapping[str, float]
    """By how much values may be off, by map."""
    marked: bool
    """Whether every file of the image says that it is synthetic."""


def read_export(to: str, out: Path) -> dict[int, ReadImage]:
    """The images of an export, by row."""
    return READERS[to](out)


def png_text(path: Path) -> dict[str, str]:
    """The tEXt chunks of a PNG, by keyword."""
    content, found, place = path.read_bytes(), {}, 8
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        kind, body = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        if kind == b"tEXt":
            keyword, text = body.split(b"\0", 1)
            found[keyword.decode()] = text.decode("latin-1")
        place += 12 + length
    return found


def _rows(out: Path) -> Iterator[dict[str, Any]]:
    yield from pyarrow.csv.read_csv(out / TABLE_NAME).to_pylist()


def _map_names(out: Path) -> list[str]:
    return list(json.loads((out / "export.json").read_text())["maps"])


def _read_pictures(
    out: Path, suffix: str, read: Callable[[Path], tuple[NDArray[Any], dict[str, Any]]]
) -> dict[int, ReadImage]:
    found = {}
    for row in _rows(out):
        maps, steps, said = {}, {}, {}
        for name in _map_names(out):
            stored, said[name] = read(out / name / f"{row['file']}{suffix}")
            maps[name] = stored * np.float64(said[name]["scale"]) + said[name]["offset"]
            # Numbers of floating point are values.
            whole = stored.dtype.kind == "u"
            steps[name] = said[name]["scale"] * 0.501 if whole else 0.0
        (image_id,) = {each["image_id"] for each in said.values()}
        marked = all(
            each["synthetic"] and "not for diagnosis" in each["notice"] for each in said.values()
        )
        assert {each["row"] for each in said.values()} == {row["row"]}
        found[row["row"]] = ReadImage(image_id, maps, steps, marked)
    return found


def _read_png(path: Path) -> tuple[NDArray[Any], dict[str, Any]]:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return pixels, json.loads(png_text(path)["dfsynth"])


def _read_tiff(path: Path) -> tuple[NDArray[Any], dict[str, Any]]:
    with tifffile.TiffFile(path) as file:
        said = file.imagej_metadata
        assert said is not None
        return file.asarray(), json.loads(said["dfsynth"])


def _read_dicom(out: Path) -> dict[int, ReadImage]:
    found = {}
    for row in _rows(out):
        maps, steps, marks = {}, {}, []
        for name in _map_names(out):
            folder = out / "studies" / row["file"]
            values, rescaled, look = (
                pydicom.dcmread(folder / f"{name}-{kind}.dcm")
                for kind in ("values", "rescaled", "look")
            )
            maps[name] = values.pixel_array
            slope = float(rescaled.RescaleSlope)
            again = rescaled.pixel_array * slope + float(rescaled.RescaleIntercept)
            assert np.abs(again - maps[name]).max() <= 0.501 * slope
            steps[name] = 0.0
            marks += [
                "SYNTHETIC" in each.ImageType
                and each.SeriesDescription.startswith("SYNTHETIC")
                and "not for diagnosis" in each.ImageComments
                for each in (values, rescaled, look)
            ]
        found[row["row"]] = ReadImage(row["image_id"], maps, steps, all(marks))
    return found


def _read_webdataset(out: Path) -> dict[int, ReadImage]:
    urls = sorted(str(path) for path in (out / "data").glob("*.tar"))
    found = {}
    for sample in _samples(urls):
        said = sample["json"]
        maps = {name: sample[f"{name}.npy"] for name in said["maps"]}
        marked = said["synthetic"] and "not for diagnosis" in said["notice"]
        found[said["row"]] = ReadImage(said["image_id"], maps, dict.fromkeys(maps, 0.0), marked)
    return found


def _samples(urls: list[str]) -> list[dict[str, Any]]:
    with warnings.catch_warnings():
        # The library leaves closing its files to whoever collects garbage.
        warnings.simplefilter("ignore", ResourceWarning)
        samples = list(webdataset.WebDataset(urls, shardshuffle=False).decode())
        gc.collect()
    return samples


def _read_parquet(out: Path) -> dict[int, ReadImage]:
    found, names = {}, _map_names(out)
    for path in sorted((out / "data").glob("*.parquet")):
        marked = b"not for diagnosis" in pq.read_schema(path).metadata[b"dfsynth.notice"]
        for row in polars.read_parquet(path).iter_rows(named=True):
            # Pairs have a map and a number of this name.
            columns = {name: f"{name}_map" if f"{name}_map" in row else name for name in names}
            maps = {name: np.array(row[columns[name]], np.float32) for name in names}
            found[row["row"]] = ReadImage(row["image_id"], maps, dict.fromkeys(maps, 0.0), marked)
    return found


READERS: dict[str, Callable[[Path], dict[int, ReadImage]]] = {
    "png": lambda out: _read_pictures(out, ".png", _read_png),
    "tiff": lambda out: _read_pictures(out, ".tif", _read_tiff),
    "dicom": _read_dicom,
    "webdataset": _read_webdataset,
    "parquet": _read_parquet,
}
