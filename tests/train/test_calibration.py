"""The end of a training: intervals are calibrated once, or a message says why not."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from pair_files import write_pair_folders

from dfsynth.checkpoint import CARD, CascadeConfig, encode_card, read_checkpoint
from dfsynth.errors import UsageError
from dfsynth.inference import save_checkpoint
from dfsynth.models import Cascade
from dfsynth.options import TrainOptions
from dfsynth.progress import SilentTraining
from dfsynth.train import calibration
from dfsynth.train.calibration import calibrate_best


class Messages(SilentTraining):
    """Keeps what a user would read."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def message(self, text: str) -> None:
        self.texts.append(text)


@pytest.fixture
def best(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A checkpoint without lung output, which is calibrated on all pixels."""
    config = CascadeConfig(1, (8, 16), lung_head=False)
    card = replace(read_checkpoint(tiny_checkpoint).card, arguments=config)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_checkpoint(tmp_path / "best", Cascade(config), card)
    return tmp_path / "best"


@pytest.fixture
def options(tmp_path: Path) -> TrainOptions:
    inputs, targets = write_pair_folders(tmp_path, 40)
    return TrainOptions("any", inputs, tmp_path, targets=targets, precision="fp32")


def calibrate(best: Path, options: TrainOptions, pairs: int = 2) -> list[str]:
    messages = Messages()
    calibrate_best(best, pairs, options, messages)
    return messages.texts


def test_a_card_is_calibrated_once(best: Path, options: TrainOptions) -> None:
    found = calibrate(best, options)
    assert found[0] == "calibrating the intervals on the calibration patients"
    assert all(text.startswith("warning: ") for text in found[1:])
    written = (best / CARD).read_text()
    assert "0.9" in read_checkpoint(best).card.calibration
    assert calibrate(best, options) == []
    assert (best / CARD).read_text() == written


def test_without_calibration_patients_a_message_says_so(best: Path, options: TrainOptions) -> None:
    [found] = calibrate(best, options, pairs=0)
    assert found == "the intervals are not calibrated: no pair is of a calibration patient"
    assert not read_checkpoint(best).card.calibration


def test_without_the_libraries_a_message_names_what_is_missing(
    best: Path, options: TrainOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_evaluation() -> ModuleType:
        raise UsageError("evaluating needs the library lpips, which is not installed")

    monkeypatch.setattr(calibration, "load_evaluation", load_evaluation)
    [found] = calibrate(best, options)
    assert found == (
        "the intervals are not calibrated: evaluating needs the library lpips, which is not "
        "installed"
    )
    assert not read_checkpoint(best).card.calibration


def test_factors_of_a_card_are_kept(best: Path, options: TrainOptions) -> None:
    card = replace(read_checkpoint(best).card, calibration={"0.9": 1.5})
    (best / CARD).write_text(encode_card(card))
    assert calibrate(best, options) == []
    assert read_checkpoint(best).card.calibration == {"0.9": 1.5}
