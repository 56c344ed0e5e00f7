"""The end of a training: the intervals of its checkpoint are calibrated."""

from pathlib import Path

from dfsynth.checkpoint import is_degrader, read_checkpoint
from dfsynth.errors import UsageError
from dfsynth.extras import load_evaluation
from dfsynth.options import TrainOptions
from dfsynth.progress import Silent, TrainProgress


def calibrate_best(best: Path, pairs: int, options: TrainOptions, progress: TrainProgress) -> None:
    """Writes interval factors into the card of a run's checkpoint, unless it has them already.

    A degrader has none.

    `pairs` is how many there are of calibration patients. The card decides, not this call: a kill
    may have come between training and calibration. Without the libraries of the extra `train`, a
    message says that nothing was calibrated.

    Raises:
        UsageError: a pair cannot be used.
        StoreError: a pair cannot be read, or the card cannot be written.
        CheckpointError: the checkpoint is damaged.
    """
    card = read_checkpoint(best).card
    if card.calibration or is_degrader(card.arguments):
        return
    if not pairs:
        progress.message("the intervals are not calibrated: no pair is of a calibration patient")
        return
    try:
        evaluation = load_evaluation()
    except UsageError as error:
        progress.message(f"the intervals are not calibrated: {error}")
        return
    progress.message("calibrating the intervals on the calibration patients")
    found = evaluation.calibrate_checkpoint(
        best,
        options.data,
        options.targets,
        Silent(),
        device=options.device,
        precision=options.precision,
    )
    for warning in found.warnings():
        progress.message(f"warning: {warning}")
