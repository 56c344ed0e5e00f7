"""Checkpoint and pairs → figures with intervals over patients, and a picture of them."""

from dfsynth.evaluate.bootstrap import Interval
from dfsynth.evaluate.card_calibration import calibrate_checkpoint
from dfsynth.evaluate.job import EvaluationReport, calibrate, evaluate_checkpoint, evaluate_pairs
from dfsynth.evaluate.output import prepare_output, tabulate, write_report
from dfsynth.evaluate.scores import Evaluation, RegionScores, StageScores, TargetScores

__all__ = [
    "Evaluation",
    "EvaluationReport",
    "Interval",
    "RegionScores",
    "StageScores",
    "TargetScores",
    "calibrate",
    "calibrate_checkpoint",
    "evaluate_checkpoint",
    "evaluate_pairs",
    "prepare_output",
    "tabulate",
    "write_report",
]
