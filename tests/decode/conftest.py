"""Real pixels, and files made of them in every format and transfer syntax."""

import io
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian

DATA = Path(__file__).parents[1] / "data" / "decode"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
IDENTITY = "Doe^Jane of Nowhere"


@pytest.fixture(scope="session")
def crop() -> NDArray[np.uint8]:
    """(256, 256) of a real chest radiograph, 8 bits."""
    pixels: NDArray[np.uint8] = imagecodecs.png_decode((DATA / "nih_crop_256.png").read_bytes())
    return pixels


@pytest.fixture(scope="session")
def crop12(crop: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The same in 12 bits, with the low ones used too."""
    rng = np.random.default_rng(0)
    return crop.astype(np.uint16) * 16 + rng.integers(0, 16, crop.shape, dtype=np.uint16)


@pytest.fixture
def no_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets no library decode pixels: whatever is refused then is refused by its header."""

    def called(*_: object, **__: object) -> None:
        raise AssertionError("a codec was called")

    for codec in ("png", "jpeg8", "tiff", "dicomrle", "jpegls", "jpeg2k"):
        monkeypatch.setattr(imagecodecs, f"{codec}_decode", called)


@pytest.fixture(scope="session")
def dicom_data_set() -> Callable[..., Dataset]:
    """Builds a data set with pixels; keywords add or replace elements, None removes them."""

    def build(
        pixels: NDArray[np.generic],
        *,
        bits: int | None = None,
        syntax: str = ExplicitVRLittleEndian,
        frame: bytes | None = None,
        **elements: object,
    ) -> Dataset:
        data_set = Dataset()
        data_set.file_meta = FileMetaDataset()
        data_set.file_meta.TransferSyntaxUID = UID(syntax)
        data_set.SOPClassUID, data_set.SOPInstanceUID = SECONDARY_CAPTURE, "1.2.3.4"
        data_set.PatientName, data_set.PatientID = IDENTITY, IDENTITY
        allocated = pixels.dtype.itemsize * 8
        data_set.Rows, data_set.Columns = pixels.shape[:2]
        data_set.SamplesPerPixel = 1 if pixels.ndim == 2 else pixels.shape[2]
        data_set.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
        if pixels.ndim == 3:
            data_set.PlanarConfiguration = 0
        data_set.BitsAllocated, data_set.BitsStored = allocated, bits or allocated
        data_set.HighBit = (bits or allocated) - 1
        data_set.PixelRepresentation = int(pixels.dtype.kind == "i")
        if frame is None:
            data_set.PixelData = pixels.tobytes()
        else:
            data_set.PixelData = encapsulate([frame])
            data_set["PixelData"].is_undefined_length = True
        data_set["PixelData"].VR = "OW"
        for keyword, value in elements.items():
            if value is None:
                delattr(data_set, keyword)
            else:
                setattr(data_set, keyword, value)
        return data_set

    return build


@pytest.fixture(scope="session")
def dicom_file(dicom_data_set: Callable[..., Dataset]) -> Callable[..., bytes]:
    """The same as bytes of a file."""

    def build(pixels: NDArray[np.generic], **options: object) -> bytes:
        stream = io.BytesIO()
        dicom_data_set(pixels, **options).save_as(stream, enforce_file_format=True)
        return stream.getvalue()

    return build


@pytest.fixture(scope="session")
def tiff_file() -> Callable[..., bytes]:
    """Builds a TIFF file in strips, faithful or with a chosen fault."""
    encoders: dict[int, Callable[[bytes], bytes | bytearray]] = {
        1: bytes,
        5: imagecodecs.lzw_encode,
        8: imagecodecs.zlib_encode,
        32773: imagecodecs.packbits_encode,
    }

    def build(
        pixels: NDArray[np.generic],
        *,
        compression: int = 1,
        photometric: int = 1,
        rows: int = 64,
        strips: Callable[[list[bytes]], list[bytes]] = lambda found: found,
        extra: Sequence[tuple[int, int, int, int]] = (),
        next_page: int = 0,
    ) -> bytes:
        height, width = pixels.shape[:2]
        samples = 1 if pixels.ndim == 2 else pixels.shape[2]
        encode = encoders.get(compression, bytes)
        parts = strips(
            [bytes(encode(pixels[y : y + rows].tobytes())) for y in range(0, height, rows)]
        )
        starts = [8 + sum(map(len, parts[:i])) for i in range(len(parts))]
        table = 8 + sum(map(len, parts))
        bits = table + 8 * len(parts)
        entries = [
            (256, 4, 1, width),
            (257, 4, 1, height),
            (258, 3, samples, bits if samples > 2 else pixels.dtype.itemsize * 8),
            (259, 3, 1, compression),
            (262, 3, 1, photometric),
            (273, 4, len(parts), table if len(parts) > 1 else starts[0]),
            (277, 3, 1, samples),
            (278, 4, 1, rows),
            (279, 4, len(parts), table + 4 * len(parts) if len(parts) > 1 else len(parts[0])),
        ]
        replaced = {entry[0] for entry in extra}
        entries = sorted([e for e in entries if e[0] not in replaced] + list(extra))
        body = b"".join(parts)
        body += struct.pack(f"<{len(parts)}I", *starts)
        body += struct.pack(f"<{len(parts)}I", *map(len, parts))
        body += struct.pack(f"<{samples}H", *[pixels.dtype.itemsize * 8] * samples)
        directory = struct.pack("<H", len(entries))
        directory += b"".join(struct.pack("<HHII", *entry) for entry in entries)
        return (
            b"II*\0"
            + struct.pack("<I", 8 + len(body))
            + body
            + directory
            + struct.pack("<I", next_page)
        )

    return build
