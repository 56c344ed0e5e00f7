"""Images of a store as files that other programs take: one module a format.

A format is a module beside this one that makes a `FolderFormat`, and a line of `FOLDER_FORMATS`.
"""

from typing import Final

from dfsynth.exports.dicom import DICOM
from dfsynth.exports.export import Export, ExportImage, describe_export, has_own_scale
from dfsynth.exports.folder import TABLE_NAME, ExportFolder, opened_folder
from dfsynth.exports.folder_format import FolderFormat, Portion
from dfsynth.exports.naming import file_stem
from dfsynth.exports.parquet import PARQUET
from dfsynth.exports.png import PNG
from dfsynth.exports.record import new_record
from dfsynth.exports.tiff import TIFF
from dfsynth.exports.webdataset import WEBDATASET

FOLDER_FORMATS: Final[tuple[FolderFormat, ...]] = (PNG, TIFF, DICOM, WEBDATASET, PARQUET)

__all__ = [
    "FOLDER_FORMATS",
    "TABLE_NAME",
    "Export",
    "ExportFolder",
    "ExportImage",
    "FolderFormat",
    "Portion",
    "describe_export",
    "file_stem",
    "has_own_scale",
    "new_record",
    "opened_folder",
]
