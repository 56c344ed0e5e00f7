"""Errors of damaged images, in one form: what was found, what was expected, what to do.

What `found` says goes on from the file's name: "has a damaged chunk".
"""

from typing import Final

from dfsynth.errors import ErrorCode, ImageError

VALUE_FORMATS: Final = "float TIFF, NumPy, NIfTI or DICOM with a rescaling"
"""What holds values in a unit."""


def corrupt_png(found: str) -> ImageError:
    """The error for a PNG file that contradicts itself or the standard."""
    return _corrupt(f"the PNG file {found}")


def corrupt_tiff(found: str) -> ImageError:
    """The error for a TIFF file that contradicts itself or the standard."""
    return _corrupt(f"the TIFF file {found}")


def corrupt_dicom(found: str) -> ImageError:
    """The error for a DICOM file that contradicts itself or the standard."""
    return _corrupt(f"the DICOM file {found}")


def unsupported_dicom(found: str) -> ImageError:
    """The error for a DICOM file of a kind that is not decoded."""
    return ImageError(
        ErrorCode.UNSUPPORTED_FORMAT,
        f"the DICOM file has {found}; integer pixels of 8 or 16 bits in grey, palette, RGB or "
        "YBR were expected; convert it",
    )


def corrupt_codestream(found: str) -> ImageError:
    """The error for a JPEG, JPEG-LS or JPEG 2000 codestream that contradicts itself."""
    return _corrupt(f"the compressed image {found}")


def undecodable_jpeg() -> ImageError:
    """The error for JPEG data that a decoder gives up, or decodes to another size."""
    return _corrupt("the JPEG data cannot be decoded to the size in their header")


def too_many_segments() -> ImageError:
    """The error for a codestream whose headers never end."""
    return corrupt_codestream("has more segments than are read")


def wrong_unit(found: str, unit: str) -> ImageError:
    """The error for what is not in `unit`; `found` says what it is instead."""
    values = "values without a unit" if unit == "1" else f"values in {unit}"
    return ImageError(
        ErrorCode.WRONG_UNIT, f"found {found}; expected {values}; give {VALUE_FORMATS}"
    )


def truncated(found: str) -> ImageError:
    """The error for a file that ends early; `found` says which, and where it does."""
    return ImageError(ErrorCode.TRUNCATED, f"{found}; a whole file was expected; get it again")


def _corrupt(found: str) -> ImageError:
    return ImageError(ErrorCode.CORRUPT, f"{found}; an intact file was expected; get it again")
