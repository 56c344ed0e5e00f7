"""Checkpoint and pairs → figures with intervals over patients, and a drawing of them."""

from dfsynth.evaluate.calibration_source import calibrate
from dfsynth.evaluate.card_calibration import calibrate_checkpoint
from dfsynth.evaluate.error_calibration import (
    calibrate_errors,
    measure_errors,
)
from dfsynth.evaluate.job import EvaluatedCheckpoint, evaluate_pairs, run_evaluation
from dfsynth.evaluate.output import (
    EvaluationReport,
    UnwrittenReportError,
    tabulate,
    write_report,
    written_files,
)
from dfsynth.evaluate.scores import Evaluation, RankedRisk, RegionScores, StageScores, TargetScores
from dfsynth.statistics import Interval

__all__ = [
    "EvaluatedCheckpoint",
    "Evaluation",
    "EvaluationReport",
    "Interval",
    "RankedRisk",
    "RegionScores",
    "StageScores",
    "TargetScores",
    "UnwrittenReportError",
    "calibrate",
    "calibrate_checkpoint",
    "calibrate_errors",
    "evaluate_pairs",
    "measure_errors",
    "run_evaluation",
    "tabulate",
    "write_report",
    "written_files",
]
