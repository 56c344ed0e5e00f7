"""DICOM files of one kind: made once by highdicom, then filled for each image.

highdicom takes tens of milliseconds for an object, nearly all of it for what every image has alike.
So one file of each kind is made with placeholders, all as long as what replaces them: identifiers,
the number of the row, and the pixels, which come last.

Needs the library of the extra `dicom`.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import highdicom
import numpy as np
from highdicom.sr import CodedConcept
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage
from pydicom.valuerep import DSfloat

from dfsynth.exports.dicom import MARK
from dfsynth.exports.maps import MapFacts
from dfsynth.exports.scale import LinearScale
from dfsynth.version import __version__

UIDS: Final = (
    "study",
    "series",
    "instance",
    "frame",
    "dimensions",
    "radiograph",
    "radiographs",
)
"""What has an identifier; the last two are of the radiograph that an image was made from."""
_PLACEHOLDERS: Final[Mapping[str, str]] = {
    **{name: f"2.25.1{number:038d}" for number, name in enumerate(UIDS)},
    "patient": f"{MARK}-PLACEHOLDER_",
    "row": "ROW_____",
}
_NO_TIME: Final = ("19700101", "000000")
"""When the content was made: unknown, and the standard wants a date."""
_OF_THE_MOMENT: Final = (
    "InstanceCreationDate",
    "InstanceCreationTime",
    "DateOfSecondaryCapture",
    "TimeOfSecondaryCapture",
)
_UNKNOWN_PITCH_MM: Final = 1.0
_CORONAL: Final = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
"""Rows run to the patient's left, columns to the feet, as radiographs of the chest are shown."""
_UNIT_MEANINGS: Final = {"1": "no units", "mm": "millimeter"}
_FLOAT_ENDS: Final = (float(np.finfo(np.float32).min), float(np.finfo(np.float32).max))


@dataclass(frozen=True, slots=True)
class FileKind:
    """What the files of many images have alike."""

    facts: MapFacts
    """Of the map."""
    kind: str
    """What the file is, of `KINDS`."""
    number: int
    """Of the series in its study, from 1."""
    shape: tuple[int, ...]
    """Of the pixels: (y, x), or (y, x, 3) of colours."""
    dtype: str
    """Of the pixels: uint8, uint16 or float32."""
    pixel_mm: tuple[float, float] | None
    """(y, x) pitch of the pixels; None where it is unknown."""
    scale: LinearScale | None
    """What whole numbers stand for, in the map's unit; None of a look and of values."""
    notice: str
    """The sentence that all is synthetic."""
    store_hash: str


@dataclass(frozen=True, slots=True)
class Template:
    """A file up to its pixels, with placeholders."""

    head: bytes

    def fill(self, entries: Mapping[str, str], pixels: NDArray[Any]) -> bytes:
        """The file of one image.

        Args:
            entries: The identifiers of `UIDS`, the patient's and the row, each as long as its
                placeholder.
            pixels: Of the shape and type of the kind.
        """
        head = self.head
        for name, placeholder in _PLACEHOLDERS.items():
            head = head.replace(placeholder.encode(), entries[name].encode())
        content = pixels.tobytes()
        return head + content + b"\0" * (len(content) % 2)


@lru_cache(maxsize=256)
def template_of(kind: FileKind) -> Template:
    """The template of the files of a kind."""
    blank = np.zeros(kind.shape, kind.dtype)
    dataset = _map(kind, blank) if kind.dtype == "float32" else _capture(kind, blank)
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    pixel_bytes = blank.nbytes + blank.nbytes % 2
    return Template(stream.getvalue()[:-pixel_bytes])


def _capture(kind: FileKind, pixels: NDArray[Any]) -> Dataset:
    """A Secondary Capture."""
    facts, scale = kind.facts, kind.scale
    image = highdicom.sc.SCImage(
        pixel_array=pixels,
        photometric_interpretation="RGB" if pixels.ndim == 3 else "MONOCHROME2",
        bits_allocated=8 * pixels.dtype.itemsize,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),
        study_instance_uid=_PLACEHOLDERS["study"],
        patient_id=_PLACEHOLDERS["patient"],
        patient_name=f"{MARK}^",
        study_id=_PLACEHOLDERS["row"],
        pixel_spacing=kind.pixel_mm,
        **_names(kind),
    )
    image.ImageType = ["DERIVED", "SECONDARY", MARK]
    if scale is not None:
        image.RescaleSlope = DSfloat(scale.scale, auto_format=True)
        image.RescaleIntercept = DSfloat(scale.offset, auto_format=True)
        image.RescaleType = "US"
        low, high = facts.window
        image.WindowCenter = DSfloat((low + high) / 2, auto_format=True)
        image.WindowWidth = DSfloat(high - low, auto_format=True)
        image.VOILUTFunction = "LINEAR_EXACT"
        ends = (0, int(np.iinfo(pixels.dtype).max))
        image.RealWorldValueMappingSequence = [_mapping(facts, ends, scale)]
    _describe(image, kind)
    return image


def _map(kind: FileKind, values: NDArray[np.float32]) -> Dataset:
    """A Parametric Map."""
    low, high = kind.facts.window
    window = highdicom.VOILUTTransformation(
        window_center=(low + high) / 2, window_width=high - low, voi_lut_function="LINEAR_EXACT"
    )
    image = highdicom.pm.ParametricMap(
        source_images=[_radiograph(kind)],
        pixel_array=values,
        device_serial_number=kind.store_hash,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[_mapping(kind.facts, _FLOAT_ENDS, LinearScale(1.0, 0.0))],
        voi_lut_transformations=[window],
        content_label=kind.facts.name.upper()[:16],
        content_description=f"{MARK} {kind.facts.name}",
        **_names(kind),
    )
    # Four values; the third says what the whole is like, in terms that may be extended.
    image.ImageType = ["DERIVED", "PRIMARY", MARK, "QUANTITY"]
    (frame_type,) = image.SharedFunctionalGroupsSequence[0].ParametricMapFrameTypeSequence
    frame_type.FrameType = image.ImageType
    # Drawn at random by highdicom.
    dimensions = _PLACEHOLDERS["dimensions"]
    image.DimensionOrganizationSequence[0].DimensionOrganizationUID = dimensions
    for index in image.DimensionIndexSequence:
        index.DimensionOrganizationUID = dimensions
    _describe(image, kind)
    return image


def _radiograph(kind: FileKind) -> Dataset:
    """What stands for the radiograph that the image was made from; nothing of it is known."""
    source = Dataset()
    source.SOPClassUID = SecondaryCaptureImageStorage
    source.SOPInstanceUID = _PLACEHOLDERS["radiograph"]
    source.SeriesInstanceUID = _PLACEHOLDERS["radiographs"]
    source.StudyInstanceUID = _PLACEHOLDERS["study"]
    source.FrameOfReferenceUID = _PLACEHOLDERS["frame"]
    source.PatientID, source.PatientName = _PLACEHOLDERS["patient"], f"{MARK}^"
    source.PatientBirthDate = source.PatientSex = ""
    source.AccessionNumber = source.StudyDate = source.StudyTime = ""
    source.StudyID = _PLACEHOLDERS["row"]
    source.Rows, source.Columns = kind.shape
    source.ImageOrientationPatient, source.ImagePositionPatient = list(_CORONAL), [0, 0, 0]
    pitch_mm = kind.pixel_mm or (_UNKNOWN_PITCH_MM, _UNKNOWN_PITCH_MM)
    source.PixelSpacing = [DSfloat(length, auto_format=True) for length in pitch_mm]
    source.SliceThickness = _UNKNOWN_PITCH_MM
    return source


def _names(kind: FileKind) -> dict[str, Any]:
    """What series and instance are called: a series for each file."""
    return {
        "series_instance_uid": _PLACEHOLDERS["series"],
        "sop_instance_uid": _PLACEHOLDERS["instance"],
        "series_number": kind.number,
        "instance_number": 1,
        "series_description": f"{MARK} {kind.facts.name} {kind.kind}",
        "content_date": _NO_TIME[0],
        "content_time": _NO_TIME[1],
        "manufacturer": "dfsynth",
        "manufacturer_model_name": "dfsynth",
        "software_versions": __version__,
        "transfer_syntax_uid": ExplicitVRLittleEndian,
    }


def _mapping(
    facts: MapFacts, ends: tuple[float, float], scale: LinearScale
) -> "highdicom.pm.RealWorldValueMapping":
    """What stored numbers from one of `ends` to the other stand for."""
    return highdicom.pm.RealWorldValueMapping(
        lut_label=facts.name[:16],
        lut_explanation=facts.long_name[:64],
        unit=CodedConcept(facts.unit, "UCUM", _UNIT_MEANINGS.get(facts.unit, facts.unit)),
        value_range=ends,
        slope=scale.scale,
        intercept=scale.offset,
    )


def _describe(image: Dataset, kind: FileKind) -> None:
    """Says that the image is synthetic, and takes away what is of the moment."""
    image.BodyPartExamined = "CHEST"
    image.StudyDescription = f"{MARK} images, not for diagnosis"
    image.ImageComments = kind.notice
    image.PatientIdentityRemoved = "YES"
    image.DeidentificationMethod = "made of pixels alone; no identity was taken over"
    # Of a Parametric Map, highdicom refers to it for each frame.
    if "SourceImageSequence" not in image:
        reference = Dataset()
        reference.ReferencedSOPClassUID = SecondaryCaptureImageStorage
        reference.ReferencedSOPInstanceUID = _PLACEHOLDERS["radiograph"]
        image.SourceImageSequence = [reference]
        image.DerivationDescription = kind.notice
    for keyword in _OF_THE_MOMENT:
        if keyword in image:
            delattr(image, keyword)
    for equipment in image.get("ContributingEquipmentSequence", ()):
        del equipment.ContributionDateTime
