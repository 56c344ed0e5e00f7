"""Lack of memory is the machine's failure and never the file's: `MemoryError`, nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
from codestreams import j2k, jpeg_ls, lossless_jpeg
from numpy.typing import NDArray
from pydicom import uid
from refused_images import code_of

from dfsynth.decode import decode
from dfsynth.decode.codecs import codec_failures, opencv_failures
from dfsynth.errors import ErrorCode, ImageError

PROGRAM = Path(__file__).with_name("limited_memory.py")
SIDE = 800


def files(dicom_file: Callable[..., bytes], tiff_file: Callable[..., bytes]) -> dict[str, bytes]:
    """Intact images that take some tens of megabytes."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    grey = ((x + 2 * y) // 16 % 256).astype(np.uint8)
    rgb = np.dstack([grey, grey.T, grey])
    progressive = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    return {
        "png": bytes(imagecodecs.png_encode(rgb, level=1)),
        "progressive": progressive,
        "tiff": tiff_file(grey, compression=5, rows=SIDE),
        "deflated": dicom_file(grey, syntax=uid.DeflatedExplicitVRLittleEndian),
        "j2k": dicom_file(rgb, syntax=uid.JPEG2000Lossless, frame=j2k(rgb)),
        "jpeg_ls": dicom_file(grey, syntax=uid.JPEGLSLossless, frame=jpeg_ls(grey)),
        "lossless": dicom_file(grey, syntax=uid.JPEGLosslessSV1, frame=lossless_jpeg(grey)),
    }


def test_an_intact_file_is_never_called_damaged(
    tmp_path: Path, dicom_file: Callable[..., bytes], tiff_file: Callable[..., bytes]
) -> None:
    names = []
    for name, data in files(dicom_file, tiff_file).items():
        names.append(tmp_path / f"{name}.bin")
        names[-1].write_bytes(data)
    path = os.pathsep.join(filter(None, sys.path))
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *map(str, names)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | threads | {"PYTHONPATH": path},
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["file"] for row in rows] == [path.stem for path in names]
    for row in rows:
        assert set(row["outcomes"]) == {"memory", "image"}, row
        assert row["outcomes"][-1] == "image"


def test_a_damaged_file_is_damaged_where_memory_suffices(
    dicom_file: Callable[..., bytes], crop: NDArray[np.uint8]
) -> None:
    frame = j2k(crop)
    data = dicom_file(crop, syntax=uid.JPEG2000Lossless, frame=frame[: len(frame) // 2] + b"\0")
    assert code_of(data) == ErrorCode.CORRUPT


def test_a_codec_that_fails_without_memory_to_spare() -> None:
    refusal = ImageError(ErrorCode.CORRUPT, "damaged")
    with pytest.raises(MemoryError), codec_failures(refusal, working_bytes=1 << 60):
        raise RuntimeError("opj_decode failed")
    with pytest.raises(ImageError, match="damaged"), codec_failures(refusal, working_bytes=1):
        raise RuntimeError("opj_decode failed")


def test_opencv_without_memory() -> None:
    lacking = cv2.error("no memory")
    lacking.code = cv2.Error.StsNoMem
    with pytest.raises(MemoryError), opencv_failures():
        raise lacking
    with pytest.raises(cv2.error), opencv_failures():
        cv2.resize(np.zeros((0, 0), np.float32), (2, 2))


def test_an_allocation_that_fails_in_a_codec_passes_through(
    monkeypatch: pytest.MonkeyPatch, crop: NDArray[np.uint8]
) -> None:
    data = bytes(imagecodecs.png_encode(crop))

    def fail(_: bytes) -> None:
        raise MemoryError("Unable to allocate output buffer.")

    monkeypatch.setattr(imagecodecs, "png_decode", fail)
    with pytest.raises(MemoryError):
        decode(data)
