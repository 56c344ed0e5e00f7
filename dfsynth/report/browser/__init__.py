"""Reports for a browser: one folder that opens from a disk, without a server or a network."""

from dfsynth.report.browser.columns import GroupColumn, NumberColumn
from dfsynth.report.browser.facts import (
    ErrorCurve,
    FailureKind,
    FailureSentence,
    GalleryImage,
    GalleryMap,
    PromisedThreshold,
    StorePage,
)
from dfsynth.report.browser.folder import writing_report
from dfsynth.report.browser.map_files import encode_maps, encode_strip
from dfsynth.report.browser.pages import EvaluationPage, write_evaluation_page, write_store_page

__all__ = [
    "ErrorCurve",
    "EvaluationPage",
    "FailureKind",
    "FailureSentence",
    "GalleryImage",
    "GalleryMap",
    "GroupColumn",
    "NumberColumn",
    "PromisedThreshold",
    "StorePage",
    "encode_maps",
    "encode_strip",
    "write_evaluation_page",
    "write_store_page",
    "writing_report",
]
