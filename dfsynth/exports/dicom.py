"""DICOM: a study an image, and of each map a look, whole numbers with a rescale, and the values.

The look is a Secondary Capture of 8 bits, coloured where people look at it in colours. The values
are a Parametric Map of float32 (PS3.3, A.75) with units of UCUM. Viewers that know no Parametric
Map (SimpleITK, GDCM, dcm2img) read the same from the third file: a Secondary Capture of 16 bits
with rescale slope and intercept.

No file says who was imaged, or when: patients and identifiers are made of the store's hash.
"""

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.exports.export import Export, ExportImage, store_numbers
from dfsynth.exports.folder_format import FilesOfImages
from dfsynth.exports.maps import MapFacts
from dfsynth.exports.pixel_size import pixel_size_mm
from dfsynth.exports.scale import LinearScale
from dfsynth.extras import load_extra
from dfsynth.report import paint

KINDS: Final = ("look", "rescaled", "values")
"""Of each map, by the end of the name of its file."""
MARK: Final = "SYNTHETIC"
"""In the image type, the series description, and the patient's name and identifier."""
_UID_DIGITS: Final = 39


def encode_dicoms(export: Export, image: ExportImage) -> Iterator[bytes]:
    """The DICOM files of each map of an image, in the order of `KINDS`; the same at every call."""
    study = _Study(export, image, pixel_size_mm(export, image))
    for facts in export.maps:
        values = image.maps[facts.name]
        floats = values.astype(np.float32)
        looked_at = paint(floats, facts.colour_map, *facts.window)
        if facts.colour_map == "gray":
            looked_at = looked_at[..., 0]
        stored = store_numbers(facts, values)
        yield study.encode(facts, KINDS[0], looked_at)
        yield study.encode(facts, KINDS[1], stored.numbers, stored.scale)
        yield study.encode(facts, KINDS[2], floats)


@dataclass(frozen=True, slots=True)
class _Study:
    """The study of one image: what all its files have alike."""

    export: Export
    image: ExportImage
    pixel_mm: tuple[float, float] | None
    """(y, x) pitch of the pixels; None where it is unknown."""

    def encode(
        self, facts: MapFacts, kind: str, pixels: NDArray[Any], scale: LinearScale | None = None
    ) -> bytes:
        """One file of a map; see `FileKind`."""
        templates = _templates()
        place = self.export.maps.index(facts) * len(KINDS) + KINDS.index(kind)
        template = templates.template_of(
            templates.FileKind(
                facts=facts,
                kind=kind,
                number=place + 1,
                shape=pixels.shape,
                dtype=str(pixels.dtype),
                pixel_mm=self.pixel_mm,
                scale=scale,
                notice=self.export.notice,
                store_hash=self.export.store_hash,
            )
        )
        of_file = (facts.name, kind, self.export.space)
        entries = {
            "study": self._uid("study"),
            "series": self._uid("series", *of_file),
            "instance": self._uid("instance", *of_file),
            "frame": self._uid("frame", self.export.space),
            "dimensions": self._uid("dimensions", *of_file),
            "radiograph": self._uid("radiograph"),
            "radiographs": self._uid("radiographs"),
            # Of an image and not of a person: two images of one person have two.
            "patient": f"{MARK}-{int(self._uid('patient')[5:]) % 16**12:012x}",
            "row": f"{self.image.facts['row']:08d}",
        }
        encoded: bytes = template.fill(entries, pixels)
        return encoded

    def _uid(self, *of: str) -> str:
        """A UID of something of this image: a UUID, made of a hash, as a number (PS3.5, B.2).

        All are of one length: of the UUIDs that a hash gives, the first one of 39 digits.
        """
        facts = self.image.facts
        parts = (
            self.export.store_hash,
            str(facts["row"]),
            self.image.image_id,
            facts["checksum"],
            *of,
        )
        numbers = (_uuid_number(*parts, str(attempt)) for attempt in count())
        return "2.25." + next(number for number in numbers if len(number) == _UID_DIGITS)


def _uuid_number(*parts: str) -> str:
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest, version=5).int)


def _templates() -> ModuleType:
    """The module that needs highdicom, which takes a while to load."""
    return load_extra("dfsynth.exports.dicom_template", "--to dicom", "dicom")


def _require_libraries() -> None:
    _templates()


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
