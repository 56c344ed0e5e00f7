"""DICOM pixel data → stored values, as integers."""

from dataclasses import replace
from typing import Final, TypeAlias, cast

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import uid

from dfsynth.decode.codecs import codec_failures
from dfsynth.decode.codestream import JPEG_LS, Codestream, Colours, jpeg_header
from dfsynth.decode.dicom_file import Bytes, DataSet, frame
from dfsynth.decode.dicom_header import PixelDescription
from dfsynth.decode.dicom_tags import PIXEL_DATA
from dfsynth.decode.failures import corrupt_dicom
from dfsynth.decode.grey import GreyPixels
from dfsynth.decode.jpeg import bytes_a_pixel, jpeg_pixels
from dfsynth.decode.jpeg2000 import j2k_codestream, j2k_header
from dfsynth.decode.limits import DecodeLimits, check_size
from dfsynth.errors import ErrorCode, ImageError

_NATIVE: Final = frozenset(
    {
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
        uid.DeflatedExplicitVRLittleEndian,
    }
)
_LOSSY_JPEG: Final = frozenset({uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit})
_LOSSLESS_JPEG: Final = frozenset({uid.JPEGLossless, uid.JPEGLosslessSV1})
_JPEG_LS: Final = frozenset({uid.JPEGLSLossless, uid.JPEGLSNearLossless})
_JPEG_2000: Final = frozenset(
    {
        uid.JPEG2000Lossless,
        uid.JPEG2000,
        uid.HTJ2KLossless,
        uid.HTJ2KLosslessRPCL,
        uid.HTJ2K,
    }
)
_LOSSY: Final = _LOSSY_JPEG | {uid.JPEGLSNearLossless, uid.JPEG2000, uid.HTJ2K}
_FLOAT_STAGES_BYTES: Final = 14
"""Stored value, and three float32 copies while it is rescaled and windowed."""

_RUN_LENGTH_HEADER_BYTES: Final = 64

Stored: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.int16]


def stored_values(data_set: DataSet, pixels: PixelDescription, limits: DecodeLimits) -> Stored:
    """The stored values: (y, x), or (y, x, 3) for colour that the codec has not made grey.

    Bits above the stored ones are cut off, and signed values carry their sign.

    Raises:
        ImageError: truncated, corrupt, too_large, unsupported_transfer_syntax, multi_frame.
    """
    check_size(pixels.columns, pixels.rows, _FLOAT_STAGES_BYTES, limits)
    syntax = data_set.transfer_syntax
    data = data_set.arrays[PIXEL_DATA]
    if syntax is None or syntax in _NATIVE:
        if data.undefined_length:
            raise _unsupported_syntax()
        native = _native(data, pixels, data_set.big_endian)
        return _fit_bits(native, pixels, shift=True, clip=False)
    if not data.undefined_length:
        raise corrupt_dicom("has uncompressed pixel data where its transfer syntax is compressed")
    compressed = frame(data)
    if syntax == uid.RLELossless:
        return _fit_bits(_run_lengths(compressed, pixels), pixels, shift=True, clip=False)
    if syntax in _LOSSY_JPEG | _LOSSLESS_JPEG:
        values, header = _jpeg(compressed, pixels, limits)
    elif syntax in _JPEG_LS:
        values, header = _jpeg_ls(compressed, pixels, limits)
    elif syntax in _JPEG_2000:
        values, header = _jpeg_2000(compressed, pixels, limits)
    else:
        raise _unsupported_syntax()
    values = _as_allocated(values, header, pixels)
    # A codec that gives negative values was given negative ones, whatever the header says.
    pixels = replace(pixels, signed=pixels.signed or header.signed)
    return _fit_bits(values, pixels, shift=False, clip=syntax in _LOSSY)


def _native(data: Bytes, pixels: PixelDescription, big_endian: bool) -> Stored:
    if pixels.photometric == "YBR_FULL_422":
        raise ImageError(
            ErrorCode.UNSUPPORTED_FORMAT,
            "the DICOM file has uncompressed pixels with halved colour; grey was expected; "
            "convert it to grey",
        )
    row = pixels.columns * pixels.samples * pixels.allocated // 8
    expected, found = row * pixels.rows, len(data.value)
    if found < expected:
        raise ImageError(
            ErrorCode.TRUNCATED,
            f"the DICOM pixel data have {found} bytes; {expected} were expected for "
            f"{pixels.columns} × {pixels.rows} pixels; get the file again",
        )
    # PS3.5 8.1.1: older programs pad; a second image as large is no padding.
    if found >= 2 * expected:
        raise corrupt_dicom(
            f"has {found} bytes of pixel data where its size asks for {expected}: enough for more "
            "than one image"
        )
    value = data.value
    if pixels.allocated == 8 and big_endian and data.vr == "OW":
        # In big-endian words, two 8-bit pixels lie the other way round.
        value = np.frombuffer(value[: found // 2 * 2], ">u2").astype("<u2").tobytes()
    dtype = np.dtype(f"{'>' if big_endian else '<'}u{pixels.allocated // 8}")
    flat = np.frombuffer(value, dtype, count=expected // dtype.itemsize)
    return _arrange(flat.astype(dtype.newbyteorder("="), copy=False), pixels)


def _arrange(flat: NDArray[np.uint8] | NDArray[np.uint16], pixels: PixelDescription) -> Stored:
    """Flat samples → (y, x) or (y, x, samples)."""
    if pixels.samples == 1:
        return flat.reshape(pixels.rows, pixels.columns)
    if pixels.planar:
        return np.moveaxis(flat.reshape(pixels.samples, pixels.rows, pixels.columns), 0, -1)
    return flat.reshape(pixels.rows, pixels.columns, pixels.samples)


def _run_lengths(frame: bytes, pixels: PixelDescription) -> Stored:
    dtype = np.dtype(f"<u{pixels.allocated // 8}")
    expected = pixels.rows * pixels.columns * pixels.samples * dtype.itemsize
    if len(frame) <= _RUN_LENGTH_HEADER_BYTES:
        raise corrupt_dicom("has run-length data without a segment")
    segments = int.from_bytes(frame[:4], "little")
    if segments != pixels.samples * dtype.itemsize:
        raise corrupt_dicom(
            f"has {segments} run-length segments; the header asks for another number"
        )
    # The decoder would follow offsets that lead out of the data.
    starts = np.frombuffer(frame[: 4 * (1 + segments)], "<u4").astype(np.int64)[1:]
    ends = np.append(starts[1:], len(frame))
    if starts[0] < _RUN_LENGTH_HEADER_BYTES or (starts >= ends).any():
        raise corrupt_dicom("has run-length segments that lie outside of its data")
    with codec_failures(corrupt_dicom("has run-length data that cannot be decoded"), expected):
        decoded = imagecodecs.dicomrle_decode(frame, dtype, out=expected)
    if len(decoded) != expected:
        raise corrupt_dicom(f"has run-length data of {len(decoded)} bytes, not {expected}")
    planes = np.frombuffer(decoded, dtype).reshape(pixels.samples, pixels.rows, pixels.columns)
    return planes[0] if pixels.samples == 1 else np.moveaxis(planes, 0, -1)


def _jpeg(
    frame: bytes, pixels: PixelDescription, limits: DecodeLimits
) -> tuple[Stored, Codestream]:
    header = jpeg_header(frame)
    if header.process == JPEG_LS:
        raise corrupt_dicom("has JPEG-LS data where its transfer syntax says JPEG")
    _check_header(header, pixels, limits, bytes_a_pixel(header))
    # PS3.5 8.2.1: Photometric Interpretation says how the frame is coded, unless itself does.
    colours: Colours = "RGB" if pixels.photometric == "RGB" else "YCBCR"
    return jpeg_pixels(frame, header, header.colours or colours), header


def _jpeg_ls(
    frame: bytes, pixels: PixelDescription, limits: DecodeLimits
) -> tuple[Stored, Codestream]:
    header = jpeg_header(frame)
    if header.process != JPEG_LS:
        raise corrupt_dicom("has JPEG data where its transfer syntax says JPEG-LS")
    size_bytes = _check_header(header, pixels, limits, working_bytes=2 * header.components + 2)
    with codec_failures(corrupt_dicom("has JPEG-LS data that cannot be decoded"), size_bytes):
        return imagecodecs.jpegls_decode(frame), header


def _jpeg_2000(
    frame: bytes, pixels: PixelDescription, limits: DecodeLimits
) -> tuple[Stored, Codestream]:
    codestream = j2k_codestream(frame)
    header = j2k_header(codestream)
    size_bytes = _check_header(header, pixels, limits, working_bytes=14 * header.components)
    failure = corrupt_dicom("has JPEG 2000 data that end early or cannot be decoded")
    with codec_failures(failure, size_bytes):
        # OpenJPEG, for High Throughput too: OpenJPH fills what is missing without a word.
        return imagecodecs.jpeg2k_decode(codestream), header


def _check_header(
    header: Codestream, pixels: PixelDescription, limits: DecodeLimits, working_bytes: int
) -> int:
    """The codestream's own header must agree before memory is reserved for it: how many bytes."""
    size_bytes = check_size(header.width, header.height, working_bytes, limits)
    if (header.width, header.height) != (pixels.columns, pixels.rows):
        raise corrupt_dicom(
            f"has a compressed image of {header.width} × {header.height} pixels where its "
            f"header says {pixels.columns} × {pixels.rows}"
        )
    if header.components != pixels.samples or header.precision > pixels.allocated:
        raise corrupt_dicom(
            f"has a compressed image of {header.components} components with "
            f"{header.precision} bits, which its header contradicts"
        )
    return size_bytes


def _as_allocated(values: Stored, header: Codestream, pixels: PixelDescription) -> Stored:
    """Decoded values in as many bits as the DICOM header allocates."""
    if values.shape[:2] != (header.height, header.width):
        raise corrupt_dicom("has a compressed image that decodes to another size than it says")
    if values.ndim == 3 and values.shape[2] != pixels.samples:
        raise corrupt_dicom("has a compressed image that decodes to another number of components")
    size_bytes = pixels.allocated // 8
    if values.dtype.kind not in "ui" or values.dtype.itemsize > size_bytes:
        raise corrupt_dicom("has a compressed image that decodes to more bits than are allocated")
    return values.astype(f"{values.dtype.kind}{size_bytes}", copy=False)


def _fit_bits(values: Stored, pixels: PixelDescription, *, shift: bool, clip: bool) -> Stored:
    """Values of the stored bits only, signed if the header says so.

    `shift`: the value may end below the top bit allocated (native data). `clip`: a lossy codec
    may overshoot; cutting off bits would turn its white into black.
    """
    top = (1 << pixels.stored) - 1
    if clip and not pixels.signed and values.dtype.kind == "u":
        limit = values.dtype.type(min(top, np.iinfo(values.dtype).max))
        return cast(Stored, np.minimum(values, limit))
    unsigned = cast(GreyPixels, values.view(values.dtype.str.replace("i", "u")))
    kind = unsigned.dtype.type
    below = pixels.high_bit + 1 - pixels.stored
    if shift and below:
        unsigned = cast(GreyPixels, unsigned >> kind(below))
    if top < np.iinfo(kind).max:
        unsigned = cast(GreyPixels, unsigned & kind(top))
    if not pixels.signed:
        return unsigned
    sign = np.uint16(1 << (pixels.stored - 1))
    return ((unsigned.astype(np.uint16) ^ sign) - sign).view(np.int16)


def _unsupported_syntax() -> ImageError:
    return ImageError(
        ErrorCode.UNSUPPORTED_TRANSFER_SYNTAX,
        "the DICOM transfer syntax is none that is decoded; uncompressed, deflated, RLE, JPEG, "
        "JPEG-LS, JPEG 2000 or HTJ2K was expected; transcode the file",
    )
