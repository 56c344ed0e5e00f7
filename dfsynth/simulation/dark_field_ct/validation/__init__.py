"""Whether simulated scans of dark-field CT show what is known and what was published."""

from dfsynth.simulation.dark_field_ct.validation.measures import MeasuredScan, measure_scan
from dfsynth.simulation.dark_field_ct.validation.targets import TARGETS
from dfsynth.simulation.dark_field_ct.validation.validate import (
    FEWEST_SCANS,
    USUAL_SCANS,
    ScanValidation,
    validate_scans,
)

__all__ = [
    "FEWEST_SCANS",
    "TARGETS",
    "USUAL_SCANS",
    "MeasuredScan",
    "ScanValidation",
    "measure_scan",
    "validate_scans",
]
