"""What the jobs are asked to do: validated once, the same for the command line and Python."""

from dfsynth.options.build_options import (
    ALL_GPUS,
    DEFAULT_DTYPE,
    DEFAULT_MC_SAMPLES,
    DTYPES,
    BuildOptions,
    DtypeChoice,
    StoredFloat,
    ViewChoice,
)
from dfsynth.options.evaluate_options import EvaluationOptions
from dfsynth.options.export_options import EXPORT_SPACES, ExportOptions, ExportSpace
from dfsynth.options.filter_options import (
    DEFAULT_CONFIDENCE,
    DEFAULT_ERROR_COLUMN,
    DEFAULT_RISK,
    SELECTION_SUFFIXES,
    ErrorLimit,
    FilterOptions,
)
from dfsynth.options.generate_options import GenerateOptions
from dfsynth.options.report_options import DEFAULT_THUMBNAILS, ReportOptions
from dfsynth.options.show_options import IMAGE_SUFFIXES, ShowOptions
from dfsynth.options.simulate_options import DEFAULT_PAIRS_SHARD_SIZE, SimulateOptions
from dfsynth.options.simulate_tasks import (
    BLURRED_LOOKS,
    DEFAULT_PAIRS_SIZE,
    DEFAULT_RESTORER,
    DEGRADERS,
    DISPLAYS,
    LAYERS,
    MASKS,
    PETS,
)
from dfsynth.options.train_options import TrainOptions

__all__ = [
    "ALL_GPUS",
    "BLURRED_LOOKS",
    "DEFAULT_CONFIDENCE",
    "DEFAULT_DTYPE",
    "DEFAULT_ERROR_COLUMN",
    "DEFAULT_MC_SAMPLES",
    "DEFAULT_PAIRS_SHARD_SIZE",
    "DEFAULT_PAIRS_SIZE",
    "DEFAULT_RESTORER",
    "DEFAULT_RISK",
    "DEFAULT_THUMBNAILS",
    "DEGRADERS",
    "DISPLAYS",
    "DTYPES",
    "EXPORT_SPACES",
    "IMAGE_SUFFIXES",
    "LAYERS",
    "MASKS",
    "PETS",
    "SELECTION_SUFFIXES",
    "BuildOptions",
    "DtypeChoice",
    "ErrorLimit",
    "EvaluationOptions",
    "ExportOptions",
    "ExportSpace",
    "FilterOptions",
    "GenerateOptions",
    "ReportOptions",
    "ShowOptions",
    "SimulateOptions",
    "StoredFloat",
    "TrainOptions",
    "ViewChoice",
]
