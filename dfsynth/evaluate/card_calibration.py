"""A checkpoint's own interval factors, from the calibration patients of its pairs."""

from dataclasses import replace
from pathlib import Path

from dfsynth.checkpoint import CARD, encode_card, read_checkpoint
from dfsynth.datasets import indices_in, open_pairs
from dfsynth.devices import resolve_device, resolve_precision
from dfsynth.evaluate.calibration import Calibration
from dfsynth.evaluate.calibration_source import calibrate
from dfsynth.files.durable import write_durably
from dfsynth.inference import load_map_generator
from dfsynth.options import DEFAULT_MC_SAMPLES
from dfsynth.progress import Progress


def calibrate_checkpoint(
    folder: Path,
    data: Path,
    targets: Path | None,
    progress: Progress,
    *,
    device: str = "auto",
    precision: str = "auto",
) -> Calibration:
    """Writes level → k of the interval mean ± k · total standard deviation into a model card.

    Without calibration patients, or an image of theirs with enough lung, the card stays as it is,
    which the calibration's `source` says.

    Raises:
        UsageError, StoreError: the pairs cannot be used.
        CheckpointError: a damaged checkpoint.
    """
    files = read_checkpoint(folder)
    card, where = files.card, resolve_device(device)
    source = open_pairs(data, targets, card.grid[0], card.window, card.intensity, card.task_record)
    indices = indices_in(source, "calibration")
    if not indices:
        return Calibration("density", 0, (None,) * card.arguments.stages)
    generator = load_map_generator(
        files, where, resolve_precision(precision, where), DEFAULT_MC_SAMPLES
    )
    found = calibrate(generator, source, indices, progress)
    factors = found.stages[-1]
    if factors is not None:
        text = encode_card(replace(card, calibration=dict(factors)))
        write_durably(folder / CARD, text.encode(), folder, "calibration")
    return found
