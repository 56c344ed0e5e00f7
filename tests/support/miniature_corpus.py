"""Corpora in their official layout, so small that a test can write them down.

A test of a corpus names tables as texts and images as paths; what lies in an image file is drawn.
"""

import gzip
import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from dfsynth.records import SourceItem
from dfsynth.resources import data_folder
from dfsynth.source import load_corpus
from dfsynth.source.corpus_source import CorpusSource
from dfsynth.source.opening import open_corpus
from dfsynth.source.survey import Survey
from dfsynth.store.plan import source_item

_HEIGHT, _WIDTH = 24, 20


def plant(root: Path, tables: Mapping[str, str | bytes], images: Iterable[str]) -> Path:
    """Writes a corpus below `root`.

    Args:
        root: its folder; made where it is not there.
        tables: path → text; `.gz` is compressed. An indented text loses its indent.
        images: paths; the suffix says what is drawn: .png (8 bits), .jpg, .jpeg, .dcm, .dicom or
            none (DICOM), or .IMG (2048 × 2048, 12 bits, big-endian). `a.zip//b.png` lies inside a
            zip.
    """
    for path, text in tables.items():
        content = text if isinstance(text, bytes) else _unindented(text).encode()
        _write(root / path, gzip.compress(content) if path.endswith(".gz") else content)
    packed: dict[str, list[str]] = {}
    for number, path in enumerate(images):
        archive, mark, member = path.partition("//")
        if mark:
            packed.setdefault(archive, []).append(member)
        else:
            _write(root / path, draw_file(path, number))
    for archive, members in packed.items():
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            for number, member in enumerate(members):
                file.writestr(member, draw_file(member, number))
        _write(root / archive, buffer.getvalue())
    return root


def draw_file(path: str, number: int = 0) -> bytes:
    """The bytes of a small drawn image of the kind that the suffix of `path` says.

    Raises:
        ValueError: nothing is known of such files.
    """
    suffix = PurePosixPath(path).suffix.lower()
    pixels = _pixels(number)
    if suffix in (".png", ".jpg", ".jpeg"):
        return bytes(cv2.imencode(suffix, pixels)[1])
    if suffix in (".dcm", ".dicom", ""):
        return _dicom(pixels)
    if suffix == ".img":
        return np.resize(pixels.astype(np.uint16) * 16, (2048, 2048)).astype(">u2").tobytes()
    raise ValueError(f"no file of the kind {suffix} can be drawn")


def open_known(name: str, root: Path, frontal_only: bool = True) -> CorpusSource:
    """A corpus that comes with dfsynth, as a build opens it."""
    corpus = load_corpus(data_folder("corpora") / f"{name}.toml")
    return open_corpus(corpus, root, frontal_only)


def rows_of(survey: Survey) -> dict[str, dict[str, Any]]:
    """What a listing says of each image, by its id, without what is null."""
    return {
        row["image_id"]: {name: value for name, value in row.items() if value is not None}
        for row in survey.listing.table.to_pylist()
    }


def items_of(survey: Survey) -> list[SourceItem]:
    """The inputs of a listing, as a build reads them."""
    return [
        source_item({"row": number, "shard": 0, **row})
        for number, row in enumerate(survey.listing.table.to_pylist())
    ]


def _unindented(text: str) -> str:
    lines = text.lstrip("\n").splitlines(keepends=True)
    indent = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
    return "".join(line[indent:] if line.strip() else "" for line in lines)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _pixels(number: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    return (40 + 5 * x + 3 * y + number % 16).astype(np.uint8)


def _dicom(pixels: NDArray[np.uint8]) -> bytes:
    data = pydicom.Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
    data.SOPClassUID = SecondaryCaptureImageStorage
    data.SOPInstanceUID = "1.2.3.4"
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.PixelData = pixels.tobytes()
    buffer = io.BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
