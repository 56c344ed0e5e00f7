"""Memory that is not to be had ends the run: an intact image is never called damaged for it."""

import json

import cv2
import pytest

from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.jobs.model_inputs import Failure, attempt

LIMITED = """
import ctypes, io, json, resource, sys
# Or the allocator keeps what an image took for the next one, and memory never runs out.
ctypes.CDLL(None).mallopt(-3, 65536)  # M_MMAP_THRESHOLD
import cv2, imagecodecs, numpy as np, pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless
from dfsynth.errors import DfsynthError
from dfsynth.jobs.model_inputs import Failure, attempt
from dfsynth.preprocess import ModelInputReader
from dfsynth.records import IntensityWindow

rows, columns = np.mgrid[0:1200, 0:1200]
pixels = ((np.sin(rows / 50) + np.cos(columns / 40) + 2) * 16000).astype(np.uint16)

def dicom(syntax, data):
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = syntax
    found.SOPClassUID, found.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.3"
    found.Modality, found.PhotometricInterpretation = "DX", "MONOCHROME2"
    found.Rows, found.Columns = pixels.shape
    found.BitsAllocated = found.BitsStored = 16
    found.HighBit, found.PixelRepresentation, found.SamplesPerPixel = 15, 0, 1
    found.PixelData = data
    found["PixelData"].is_undefined_length = syntax == JPEG2000Lossless
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, found, enforce_file_format=True)
    return buffer.getvalue()

files = {
    "dcm": dicom(ExplicitVRLittleEndian, pixels.tobytes()),
    "j2k": dicom(JPEG2000Lossless, encapsulate([imagecodecs.jpeg2k_encode(pixels, level=0)])),
    "tif": cv2.imencode(".tif", pixels)[1].tobytes(),
    "png": cv2.imencode(".png", pixels)[1].tobytes(),
}
reader = ModelInputReader((64, 64), IntensityWindow())
told = {}
for name, data in files.items():
    assert not isinstance(attempt(lambda: reader(data), name), Failure), name
    told[name] = []
    for spare_mb in range(0, 80, 5):
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        limit = used + spare_mb * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        try:
            found = attempt(lambda: reader(data), name)
            outcome = found.code if isinstance(found, Failure) else "ok"
        except DfsynthError:
            outcome = "ended"
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
        told[name].append(outcome)
print(json.dumps(told))
"""


def test_an_intact_image_is_read_or_ends_the_run_whatever_memory_there_is(start_child):
    output, errors = start_child(LIMITED).communicate()
    assert output, errors
    told = json.loads(output)
    for name, outcomes in told.items():
        assert set(outcomes) <= {"ok", "ended"}, name
    assert any("ended" in outcomes for outcomes in told.values())


def raising(error: Exception):
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        cv2.error("(-4:Insufficient memory) Failed to allocate 2304000000 bytes"),
        RuntimeError("std::bad_alloc"),
        ValueError("cannot allocate memory for the tile"),
    ],
)
def test_lack_of_memory_is_known_in_any_words_and_behind_other_errors(error):
    damaged = ImageError(ErrorCode.CORRUPT, "the file is damaged")
    damaged.__cause__ = error
    for found in (error, damaged):
        with pytest.raises(DfsynthError, match="out of memory"):
            attempt(raising(found), "a")


def test_other_errors_stay_those_of_the_image():
    assert attempt(raising(ValueError("no")), "a").code is ErrorCode.INTERNAL
    failure = attempt(raising(ImageError(ErrorCode.CORRUPT, "the file is damaged")), "a")
    assert failure == Failure(ErrorCode.CORRUPT, "the file is damaged")
