"""The DICOM objects of one image, made by highdicom: without identity, and the same at every call.

Needs the library of the extra `dicom`.
"""

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any, Final

import highdicom
import numpy as np
from highdicom.sr import CodedConcept
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage
from pydicom.valuerep import DSfloat

from dfsynth.exports.dicom import KINDS
from dfsynth.exports.export import Export, ExportImage
from dfsynth.exports.maps import MapFacts
from dfsynth.exports.scale import LinearScale
from dfsynth.version import __version__

MARK: Final = "SYNTHETIC"
"""In the image type, the series description, and the patient's name and identifier."""
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


@dataclass(frozen=True, slots=True)
class Study:
    """The study of one image: what all its files have alike."""

    export: Export
    image: ExportImage
    pixel_mm: tuple[float, float] | None
    """(y, x) pitch of the pixels; None where it is unknown."""

    def uid(self, *of: str) -> UID:
        """A UID of something of this image, derived from a hash (PS3.5, B.2)."""
        facts = self.image.facts
        text = "\0".join(
            [self.export.store_hash, str(facts["row"]), self.image.image_id, facts["checksum"], *of]
        )
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        return UID(f"2.25.{uuid.UUID(bytes=digest, version=5).int}")

    @property
    def patient_id(self) -> str:
        """Of an image and not of a person: two images of one person have two."""
        return f"{MARK}-{int(self.uid('patient').split('.')[-1]) % 16**12:012x}"

    @property
    def radiograph(self) -> Dataset:
        """What stands for the radiograph that the image was made from; nothing of it is known."""
        source = Dataset()
        source.SOPClassUID = SecondaryCaptureImageStorage
        source.SOPInstanceUID = self.uid("radiograph")
        source.SeriesInstanceUID = self.uid("radiographs")
        source.StudyInstanceUID = self.uid("study")
        source.FrameOfReferenceUID = self.uid("frame", self.export.space)
        source.PatientID, source.PatientName = self.patient_id, f"{MARK}^"
        source.PatientBirthDate = source.PatientSex = ""
        source.AccessionNumber = source.StudyDate = source.StudyTime = ""
        source.StudyID = str(self.image.facts["row"])
        source.Rows, source.Columns = next(iter(self.image.maps.values())).shape
        source.ImageOrientationPatient, source.ImagePositionPatient = list(_CORONAL), [0, 0, 0]
        source.PixelSpacing = list(self.pixel_mm or (_UNKNOWN_PITCH_MM,) * 2)
        source.SliceThickness = _UNKNOWN_PITCH_MM
        return source


def capture_image(
    study: Study,
    facts: MapFacts,
    kind: str,
    pixels: NDArray[Any],
    scale: LinearScale | None = None,
) -> Dataset:
    """A Secondary Capture of a map.

    Args:
        study: Of the image.
        facts: Of the map.
        kind: What the file is, of `KINDS`.
        pixels: (y, x) uint8 or uint16, or (y, x, 3) uint8 of colours.
        scale: What the numbers stand for, in the map's unit; None where they are a picture.
    """
    colour = pixels.ndim == 3
    image = highdicom.sc.SCImage(
        pixel_array=pixels,
        photometric_interpretation="RGB" if colour else "MONOCHROME2",
        bits_allocated=8 * pixels.dtype.itemsize,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),
        study_instance_uid=study.uid("study"),
        patient_id=study.patient_id,
        patient_name=f"{MARK}^",
        study_id=str(study.image.facts["row"]),
        pixel_spacing=study.pixel_mm,
        **_names(study, facts, kind),
    )
    image.ImageType = ["DERIVED", "SECONDARY", MARK]
    if scale is not None:
        image.RescaleSlope = DSfloat(scale.scale, auto_format=True)
        image.RescaleIntercept = DSfloat(scale.offset, auto_format=True)
        image.RescaleType = "US"
        low, high = facts.window
        image.WindowCenter, image.WindowWidth = (low + high) / 2, high - low
        image.VOILUTFunction = "LINEAR_EXACT"
        top = int(np.iinfo(pixels.dtype).max)
        image.RealWorldValueMappingSequence = [_mapping(facts, (0, top), scale)]
    _describe(image, study)
    return image


def parametric_map(
    study: Study, facts: MapFacts, kind: str, values: NDArray[np.float32]
) -> Dataset:
    """The Parametric Map of a map's values (y, x), in the map's unit."""
    low, high = facts.window
    image = highdicom.pm.ParametricMap(
        source_images=[study.radiograph],
        pixel_array=values,
        device_serial_number=study.export.store_hash,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[
            _mapping(facts, (float(values.min()), float(values.max())), LinearScale(1.0, 0.0))
        ],
        voi_lut_transformations=[
            highdicom.VOILUTTransformation(
                window_center=(low + high) / 2,
                window_width=high - low,
                voi_lut_function="LINEAR_EXACT",
            )
        ],
        content_label=facts.name.upper()[:16],
        content_description=f"{MARK} {facts.name}",
        **_names(study, facts, kind),
    )
    # Four values; the third says what the whole is like, in terms that may be extended.
    image.ImageType = ["DERIVED", "PRIMARY", MARK, "QUANTITY"]
    (frame_type,) = image.SharedFunctionalGroupsSequence[0].ParametricMapFrameTypeSequence
    frame_type.FrameType = image.ImageType
    # Drawn at random by highdicom.
    dimensions = study.uid("dimensions", facts.name, study.export.space)
    image.DimensionOrganizationSequence[0].DimensionOrganizationUID = dimensions
    for index in image.DimensionIndexSequence:
        index.DimensionOrganizationUID = dimensions
    _describe(image, study)
    return image


def _names(study: Study, facts: MapFacts, kind: str) -> dict[str, Any]:
    """What series and instance are called: a series for each file."""
    of = (facts.name, kind, study.export.space, study.export.dtype)
    place = study.export.maps.index(facts) * len(KINDS) + KINDS.index(kind)
    return {
        "series_instance_uid": study.uid("series", *of),
        "sop_instance_uid": study.uid("instance", *of),
        "series_number": place + 1,
        "instance_number": 1,
        "series_description": f"{MARK} {facts.name} {kind}",
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


def _describe(image: Dataset, study: Study) -> None:
    """Says that the image is synthetic, and takes away what is of the moment."""
    image.BodyPartExamined = "CHEST"
    image.StudyDescription = f"{MARK} images, not for diagnosis"
    image.ImageComments = study.export.notice
    image.PatientIdentityRemoved = "YES"
    image.DeidentificationMethod = "made of pixels alone; no identity was taken over"
    if "SourceImageSequence" not in image:
        reference = Dataset()
        reference.ReferencedSOPClassUID = SecondaryCaptureImageStorage
        reference.ReferencedSOPInstanceUID = study.uid("radiograph")
        image.SourceImageSequence = [reference]
        image.DerivationDescription = study.export.notice
    for keyword in _OF_THE_MOMENT:
        if keyword in image:
            delattr(image, keyword)
    for equipment in image.get("ContributingEquipmentSequence", ()):
        del equipment.ContributionDateTime
