"""What is mutated: whole inputs of each kind, small, and how dfsynth reads each."""

import csv
import io
import json
import random
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import imagecodecs
import mutations as m
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from codestreams import Pixels, j2k
from mutations import Mutator
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless
from radiograph_files import write_folder

from dfsynth.decode import DecodeLimits, decode
from dfsynth.errors import ImageError
from dfsynth.jobs.info import describe_store
from dfsynth.jobs.verify import verify_store
from dfsynth.manifest import select
from dfsynth.progress import Silent
from dfsynth.source import open_source
from dfsynth.store import StoreLayout
from dfsynth.store.opened import open_store
from dfsynth.store.plan import source_item

ROOT: Final = Path(__file__).parents[2]
LIMITS: Final = DecodeLimits(max_pixels=1_000_000, max_bytes=4_000_000)
_COLUMNS: Final = ("image_id", "path", "patient_id", "sex", "age", "findings", "split")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of input."""

    prepare: Callable[[Path], object]
    """Writes a whole one into an empty folder."""
    mutators: Mapping[str, Mutator]
    """By name of the file."""
    read: Callable[[Path], object]
    """Reads it from that folder, as a command does."""


def _pixels() -> "np.ndarray[tuple[int, int], np.dtype[np.uint16]]":
    rows, columns = np.mgrid[0:24, 0:20]
    return (2000 + 1500 * np.sin(rows / 3) * np.cos(columns / 4)).astype(np.uint16)


def _write_images(folder: Path) -> None:
    deep = _pixels()
    grey = (deep >> 4).astype(np.uint8)
    (folder / "x.png").write_bytes(bytes(imagecodecs.png_encode(deep)))
    (folder / "x.jpg").write_bytes(bytes(imagecodecs.jpeg8_encode(grey)))
    assert cv2.imwrite(str(folder / "x.tif"), deep, [cv2.IMWRITE_TIFF_COMPRESSION, 1])
    data_set = _data_set(deep)
    data_set.save_as(folder / "x.dcm", enforce_file_format=True)
    data_set.file_meta.TransferSyntaxUID = JPEG2000Lossless
    data_set.PixelData = encapsulate([j2k(deep)])
    data_set["PixelData"].is_undefined_length = True
    data_set.save_as(folder / "x-jpeg2000.dcm", enforce_file_format=True)


def _data_set(pixels: Pixels) -> Dataset:
    data_set = Dataset()
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.SOPClassUID, data_set.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.4"
    data_set.Rows, data_set.Columns = pixels.shape
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = 16, 12, 11
    data_set.PixelRepresentation, data_set.PixelSpacing = 0, ["0.2", "0.2"]
    data_set.RescaleSlope, data_set.RescaleIntercept = 2, -100
    data_set.WindowCenter, data_set.WindowWidth = 4000, 6000
    data_set.PixelData = pixels.tobytes()
    data_set["PixelData"].VR = "OW"
    return data_set


def _decode(name: str) -> Callable[[Path], object]:
    return lambda folder: decode((folder / name).read_bytes(), LIMITS)


def _write_archives(folder: Path) -> None:
    images = sorted(write_folder(folder / "images", 3).rglob("*.png"))
    with zipfile.ZipFile(folder / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in images:
            archive.write(path, path.name)
    with tarfile.open(folder / "x.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        for path in images:
            tar.add(path, f"{'long' * 40}/{path.name}")
    shutil.rmtree(folder / "images")


def _write_tables(folder: Path) -> None:
    images = sorted(write_folder(folder, 3).rglob("*.png"))
    rows = [
        (f"i{n}", str(path.relative_to(folder)), f"p{n}", "F", str(40 + n), "a|b", "train")
        for n, path in enumerate(images)
    ]
    text = io.StringIO()
    csv.writer(text).writerows([_COLUMNS, *rows])
    (folder / "x.csv").write_text(text.getvalue())
    columns = list(map(list, zip(*rows, strict=True)))
    pq.write_table(pa.table(dict(zip(_COLUMNS, columns, strict=True))), folder / "x.parquet")


def _read_source(name: str) -> Callable[[Path], object]:
    def read(folder: Path) -> None:
        source = open_source(str(folder / name), None)
        _read_items(source)

    return read


def _read_items(source: object) -> None:
    """A listing, and the bytes of the first inputs in it; one that fails is one row."""
    listing = source.listing()  # type: ignore[attr-defined]
    for row, line in enumerate(listing.table.slice(0, 5).to_pylist()):
        item = source_item({**line, "row": row, "shard": 0})
        try:
            decode(source.read(item, LIMITS.max_bytes), LIMITS)  # type: ignore[attr-defined]
        except ImageError:
            continue


def _write_corpus(folder: Path) -> None:
    shutil.copy(ROOT / "manifests" / "corpora" / "nih.toml", folder / "x.toml")
    names = ("Image Index", "Finding Labels", "Patient ID", "Patient Age", "Patient Gender")
    images = sorted(write_folder(folder / "images", 3).rglob("*.png"))
    with (folder / "Data_Entry_2017.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        writer.writerows(
            (path.name, "Mass|Nodule", n, 50 + n, "M") for n, path in enumerate(images)
        )
    for name, listed in (("train_val_list.txt", images[:2]), ("test_list.txt", images[2:])):
        (folder / name).write_text("\n".join(path.name for path in listed))
    for path in images:
        path.replace(folder / "images" / path.name)


def _read_corpus(folder: Path) -> None:
    _read_items(open_source(str(folder / "x.toml"), folder))


def _write_recipe(folder: Path) -> None:
    shutil.copy(ROOT / "training" / "recipes" / "coarse-128.toml", folder / "x.toml")


def _read_recipe(folder: Path) -> None:
    from dfsynth.train.recipe_file import read_recipe

    read_recipe(folder / "x.toml")


def _write_checkpoint(folder: Path) -> None:
    import torch
    from small_cards import small_card

    from dfsynth.checkpoint import CascadeConfig
    from dfsynth.inference import save_checkpoint
    from dfsynth.models import Cascade

    config = CascadeConfig(stages=2, widths=(8, 16))
    torch.manual_seed(7)
    save_checkpoint(folder, Cascade(config), small_card(config, name="tiny", grid=(32, 32)))


def _read_checkpoint(folder: Path) -> None:
    from dfsynth.checkpoint import read_checkpoint
    from dfsynth.inference.weights import load_network

    load_network(read_checkpoint(folder))


def _write_store(folder: Path) -> None:
    from small_runs import run

    pictures = write_folder(folder / "pictures", 6)
    run(str(pictures), folder / "x.zarr")


def _read_store(folder: Path) -> None:
    store = folder / "x.zarr"
    verify_store(store, False, Silent())
    describe_store(store)
    opened = open_store(store)
    for name in opened.maps:
        for row in (0, 5):
            opened.read(name, row)
    select(StoreLayout(store).manifest, "uncertainty > 0", 0.5, None)


def _mutate_record(data: bytes, chance: random.Random) -> bytes:
    """A build record changed as by hand: without its checksum, so that its entries are parsed."""
    document = json.loads(data)
    document.pop("checksum", None)
    return m.mutate_json(json.dumps(document).encode(), chance)


KINDS: Final[Mapping[str, Kind]] = {
    "png": Kind(_write_images, {"x.png": m.mutate_png}, _decode("x.png")),
    "jpeg": Kind(_write_images, {"x.jpg": m.mutate_jpeg}, _decode("x.jpg")),
    "tiff": Kind(_write_images, {"x.tif": m.mutate_tiff}, _decode("x.tif")),
    "dicom": Kind(_write_images, {"x.dcm": m.mutate_dicom}, _decode("x.dcm")),
    "jpeg2000": Kind(
        _write_images, {"x-jpeg2000.dcm": m.mutate_jpeg2000}, _decode("x-jpeg2000.dcm")
    ),
    "zip": Kind(_write_archives, {"x.zip": m.mutate_zip}, _read_source("x.zip")),
    "tar": Kind(_write_archives, {"x.tar": m.mutate_tar}, _read_source("x.tar")),
    "csv": Kind(_write_tables, {"x.csv": m.mutate_csv}, _read_source("x.csv")),
    "parquet": Kind(_write_tables, {"x.parquet": m.mutate_parquet}, _read_source("x.parquet")),
    "corpus": Kind(_write_corpus, {"x.toml": m.mutate_toml}, _read_corpus),
    "recipe": Kind(_write_recipe, {"x.toml": m.mutate_toml}, _read_recipe),
    "checkpoint": Kind(
        _write_checkpoint,
        {"model.json": m.mutate_json, "weights.safetensors": m.mutate_safetensors},
        _read_checkpoint,
    ),
    "store": Kind(
        _write_store,
        {
            "x.zarr/zarr.json": m.mutate_json,
            "x.zarr/dark_field/zarr.json": m.mutate_json,
            "x.zarr/dark_field/c.0.0.0": m.mutate_shard,
            "x.zarr/manifest/part-0000001.parquet": m.mutate_parquet,
            "x.zarr/run/plan.pq": m.mutate_parquet,
            "x.zarr/run/build.json": _mutate_record,
        },
        _read_store,
    ),
}
