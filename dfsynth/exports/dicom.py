"""DICOM: a study an image, and of each map a look, whole numbers with a rescale, and the values.

The look is a Secondary Capture of 8 bits, coloured where people look at it in colours. The values
are a Parametric Map of float32 (PS3.3, A.75) with units of UCUM. Viewers that know no Parametric
Map (SimpleITK, GDCM, dcm2img) read the same from the third file: a Secondary Capture of 16 bits
with rescale slope and intercept.

No file says who was imaged, or when: patients and identifiers are made of the store's hash.
"""

import io
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

import numpy as np
from pydicom.dataset import Dataset

from dfsynth.exports.export import Export, ExportImage, store_numbers
from dfsynth.exports.folder_format import FilesOfImages
from dfsynth.exports.pixel_size import pixel_size_mm
from dfsynth.extras import load_extra
from dfsynth.report import paint

KINDS: Final = ("look", "rescaled", "values")
"""Of each map, by the end of the name of its file."""


def encode_dicoms(export: Export, image: ExportImage) -> Iterator[bytes]:
    """The DICOM files of each map of an image, in the order of `KINDS`; the same at every call."""
    objects = _objects()
    study = objects.Study(export, image, pixel_size_mm(export, image))
    for facts in export.maps:
        values = image.maps[facts.name]
        looked_at = paint(values.astype(np.float32), facts.colour_map, *facts.window)
        if facts.colour_map == "gray":
            looked_at = np.ascontiguousarray(looked_at[..., 0])
        yield _encode(objects.capture_image(study, facts, KINDS[0], looked_at))
        stored = store_numbers(facts, values)
        yield _encode(objects.capture_image(study, facts, KINDS[1], stored.numbers, stored.scale))
        yield _encode(objects.parametric_map(study, facts, KINDS[2], values.astype(np.float32)))


def _encode(dataset: Dataset) -> bytes:
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _objects() -> ModuleType:
    """The module that needs highdicom, which takes a while to load."""
    return load_extra("dfsynth.exports.dicom_objects", "--to dicom", "dicom")


def _require_libraries() -> None:
    _objects()


def _paths(export: Export, stem: str) -> tuple[str, ...]:
    names = (f"{facts.name}-{kind}" for facts in export.maps for kind in KINDS)
    return tuple(f"studies/{stem}/{name}.dcm" for name in names)


def _folders(_export: Any) -> tuple[str, ...]:
    return ("studies",)


DICOM: Final = FilesOfImages(
    name="dicom",
    dtypes=("uint16 beside float32",),
    folders=_folders,
    paths=_paths,
    encode=encode_dicoms,
    require_libraries=_require_libraries,
)
