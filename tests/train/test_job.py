"""A whole training: killed and gone on with, alone and by two processes, and what it refuses."""

import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pair_files import write_pair_folders
from safetensors.torch import load_file, save_file
from support_training import write_recipe

from dfsynth.checkpoint import checkpoint_path, read_checkpoint
from dfsynth.datasets import PairBatch, PairInfo
from dfsynth.errors import ConflictError, DfsynthError, UsageError
from dfsynth.inference import load_network
from dfsynth.options import TrainOptions
from dfsynth.progress import SilentTraining
from dfsynth.train import TrainReport, run_training, stored_keys
from dfsynth.train.run_folder import RunFolder
from dfsynth.train.trainer import StepReport, Trainer
from dfsynth.train.validation import spread_over_patients

StartChild = Callable[..., subprocess.Popen[str]]
StartTwo = Callable[..., list[subprocess.Popen[str]]]

LINES = (
    "checkpoint_every = 3",
    "[network]",
    "stages = 2",
    "widths = [8, 16]",
    "[loss]",
    "residual_box = 3",
    "[validation]",
    "every_steps = 4",
    "most_pairs = 4",
    "panel_pairs = 1",
    "[[phase]]",
    "name = 'one'",
    "stages = [1]",
    "steps = 6",
    "learning_rate = 1e-3",
    "[[phase]]",
    "name = 'joint'",
    "stages = [1, 2]",
    "steps = 4",
    "learning_rate = 1e-3",
)


COMMAND = "from dfsynth.cli import main; main()"

HALTED_COMMAND = """
from halt import halt_before
from dfsynth.cli import main
from dfsynth.train.trainer import Trainer
halt_before(Trainer, "train_step", 5)
main()
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_pair_folders(tmp_path_factory.mktemp("pairs"), 16)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recipe(tmp_path_factory.mktemp("recipe"), *LINES)


def options(recipe: Path, folders: tuple[Path, Path], out: Path) -> TrainOptions:
    return TrainOptions(str(recipe), folders[0], out, targets=folders[1], precision="fp32")


def run(recipe: Path, folders: tuple[Path, Path], out: Path) -> TrainReport:
    return run_training(options(recipe, folders, out), SilentTraining())


@pytest.fixture(scope="module")
def steady(
    recipe: Path, folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run that nothing interrupted."""
    out = tmp_path_factory.mktemp("steady") / "run"
    report = run(recipe, folders, out)
    assert (report.steps, report.steps_now, report.bad_steps) == (10, 10, 0)
    return out


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def same_best(one: Path, other: Path) -> bool:
    first, second = (load_file(out / "best" / "weights.safetensors") for out in (one, other))
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def test_a_run_leaves_what_it_promises(steady: Path) -> None:
    files = read_checkpoint(steady / "best")
    assert load_network(files).config == files.card.arguments
    assert files.card.recipe["network"]["widths"] == [8, 16]
    assert files.card.name == "toy"
    assert files.card.training_data[0]["licence"] == "not stated"
    steps = [line["step"] for line in lines(steady) if "loss" in line]
    assert steps == list(range(1, 11))
    validated = [line["step"] for line in lines(steady) if "val_nll" in line]
    assert validated == [4, 6, 8, 10]
    assert len(list((steady / "panels").glob("*.png"))) == 4
    assert not list((steady / "tmp").iterdir())
    assert len(list((steady / "last").glob("*.safetensors"))) == 1


def test_few_pairs_are_validated_before_they_are_learned_by_heart(
    recipe: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    text = recipe.read_text("utf-8").replace("every_steps = 4", "every_steps = 16\npatience = 1")
    patient = tmp_path / "patient.toml"
    patient.write_text(text, "utf-8")
    report = run(patient, folders, tmp_path / "run")
    validated = [line for line in lines(tmp_path / "run") if "val_nll" in line]
    assert [line["step"] for line in validated] == [1, 2, 4, 6, 8, 10]
    assert report.steps == 10
    best = min(validated, key=lambda line: line["val_nll"])
    assert read_checkpoint(tmp_path / "run" / "best").card.metrics["step"] == best["step"]


def test_a_finished_run_has_nothing_to_do(
    steady: Path, recipe: Path, folders: tuple[Path, Path]
) -> None:
    before = lines(steady)
    assert run(recipe, folders, steady).steps_now == 0
    assert lines(steady) == before


def command(recipe: Path, folders: tuple[Path, Path], out: Path) -> list[object]:
    inputs = ["train", recipe, "--data", folders[0], "--targets", folders[1]]
    return [*inputs, "--out", out, "--precision", "fp32"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_one_trains_at_a_time_and_a_killed_run_goes_on_to_the_same_curve_and_weights(
    number: signal.Signals,
    steady: Path,
    recipe: Path,
    folders: tuple[Path, Path],
    tmp_path: Path,
    start_child: StartChild,
) -> None:
    out = tmp_path / "run"
    child = start_child(HALTED_COMMAND, *command(recipe, folders, out))
    assert child.stdout is not None
    assert child.stdout.readline() == "halted\n"
    with pytest.raises(UsageError, match="another process trains"):
        run(recipe, folders, out)
    child.send_signal(number)
    _, err = child.communicate("go on\n")
    kept_steps = {signal.SIGKILL: 3, signal.SIGTERM: 5}[number]
    assert child.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 143}[number], err
    assert run(recipe, folders, out).steps_now == 10 - kept_steps
    assert lines(out) == lines(steady)
    assert same_best(out, steady)


@pytest.fixture
def start_two(start_child: StartChild) -> Iterator[StartTwo]:
    """Starts the processes that a launcher would."""
    with socket.socket() as held:
        # Bound to the end and never listened on, so that nobody else is given the port.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(held.getsockname()[1])}

        def start(
            recipe: Path, folders: tuple[Path, Path], out: Path
        ) -> list[subprocess.Popen[str]]:
            return [
                start_child(
                    COMMAND,
                    *command(recipe, folders, out),
                    **address,
                    WORLD_SIZE="2",
                    RANK=str(rank),
                    LOCAL_RANK=str(rank),
                )
                for rank in range(2)
            ]

        yield start


def test_two_processes_train_what_one_does(
    steady: Path, recipe: Path, folders: tuple[Path, Path], tmp_path: Path, start_two: StartTwo
) -> None:
    out = tmp_path / "run"
    processes = start_two(recipe, folders, out)
    printed = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], printed
    assert [bool(out) for out, _ in printed] == [True, False], "one reports what all did"
    one, two = ([x for x in lines(path) if "loss" in x] for path in (steady, out))
    assert [x["step"] for x in two] == [x["step"] for x in one]
    for ours, theirs in zip(two, one, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], abs=2e-3)
    # The first step's loss knows no gradient yet; the second one's is that of shared gradients.
    assert two[0]["loss"] == pytest.approx(one[0]["loss"], abs=1e-5)
    assert two[1]["loss"] == pytest.approx(one[1]["loss"], abs=1e-4)


def test_a_signal_to_one_of_two_processes_stops_both_and_keeps_the_state(
    recipe: Path, folders: tuple[Path, Path], tmp_path: Path, start_two: StartTwo
) -> None:
    endless = tmp_path / "endless.toml"
    endless.write_text(
        recipe.read_text()
        .replace("checkpoint_every = 3", "checkpoint_every = 100000")
        .replace("steps = 6", "steps = 100000")
    )
    out = tmp_path / "run"
    processes = start_two(endless, folders, out)
    metrics = out / "metrics.jsonl"
    while not (metrics.exists() and len(metrics.read_text().splitlines()) > 3):
        assert all(process.poll() is None for process in processes)
        time.sleep(0.1)
    processes[1].terminate()
    printed = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [128 + signal.SIGTERM] * 2, printed
    kept = RunFolder(out).restore()
    assert kept is not None
    assert int(kept[0]["place.steps_taken"]) == max(int(x["step"]) for x in lines(out))


def test_a_run_that_goes_bad_keeps_the_state_before_it(
    recipe: Path,
    folders: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed = tmp_path / "changed.toml"
    changed.write_text(recipe.read_text().replace("steps = 6", "steps = 60"))
    train_step = Trainer.train_step

    def diverge(self: Trainer, batch: PairBatch, rng: np.random.Generator) -> StepReport:
        if self.steps_taken >= 5:
            batch.target[:] = torch.inf
        return train_step(self, batch, rng)

    monkeypatch.setattr(Trainer, "train_step", diverge)
    with pytest.raises(DfsynthError, match=r"--start-from .* a smaller \[optimiser\] clip_norm"):
        run(changed, folders, tmp_path / "run")
    kept = RunFolder(tmp_path / "run").restore()
    assert kept is not None
    assert int(kept[0]["place.steps_taken"]) == 3
    assert read_checkpoint(tmp_path / "run" / "best")


def test_validation_pairs_are_chosen_round_robin_over_the_patients() -> None:
    rows = [PairInfo(str(n), patient, "val") for n, patient in enumerate("aaaabbc")]
    assert spread_over_patients(rows, range(7), 4) == (0, 4, 6, 1)
    assert spread_over_patients(rows, (2, 3, 5), 9) == (2, 5, 3)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("widths = [8, 16]", "widths = [10, 20]", r"\[network\] expected at least two widths"),
        ("[loss]", "[augmentation]\ncrop = 9\n[loss]", r"crop = 9 cannot be divided by 4"),
        ("[loss]", "[augmentation]\ncrop = 32\n[loss]", "crop = 32, but size = 16"),
        ("residual_box = 3", "residual_box = 33", "residual_box = 33 is too large"),
        ("[loss]", "[augmentation]\ncrop = 8\n[loss]", "too small for a discriminator"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_before_anything_is_written(
    recipe: Path, folders: tuple[Path, Path], tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(recipe.read_text().replace(old, new))
    with pytest.raises(UsageError, match=sentence):
        run(wrong, folders, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_another_recipe_or_other_data_are_refused(
    steady: Path, recipe: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    changed = tmp_path / "changed.toml"
    changed.write_text(recipe.read_text().replace("widths = [8, 16]", "widths = [8, 24]"))
    with pytest.raises(ConflictError, match=r"recipe\.network\.widths was \[8, 16\]"):
        run(changed, folders, steady)
    other = write_pair_folders(tmp_path, 15)
    with pytest.raises(ConflictError, match="data was"):
        run(recipe, other, steady)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years of work")
    with pytest.raises(ConflictError, match="holds no run"):
        run(recipe, folders, tmp_path / "full")


def test_a_size_that_the_network_cannot_halve_is_refused_with_one_that_it_can(
    recipe: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    odd = tmp_path / "odd.toml"
    odd.write_text(recipe.read_text().replace("size = 16", "size = 18"))
    with pytest.raises(UsageError, match="use 16 or 20"):
        run(odd, folders, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_pairs_of_one_patient_are_not_trained_on(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least two patients"):
        run(recipe, write_pair_folders(tmp_path, 1), tmp_path / "run")


def test_a_gpu_that_is_not_there_is_refused(
    recipe: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    wanted = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(UsageError, match="is not there"):
        run_training(
            TrainOptions(str(recipe), folders[0], tmp_path / "run", folders[1], device=wanted),
            SilentTraining(),
        )


def test_a_damaged_state_is_named(steady: Path, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / "last").mkdir()
    (tmp_path / "last" / "state.json").write_text('{"file": "state.safetensors", "standing": {}}')
    held = next((steady / "last").glob("*.safetensors")).read_bytes()
    (tmp_path / "last" / "state.safetensors").write_bytes(held[: len(held) // 2])
    with pytest.raises(DfsynthError, match="is damaged"):
        folder.restore()


def test_a_flipped_bit_in_the_kept_state_ends_the_run(
    steady: Path, recipe: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """Tensors have no sum of their own: the run went on to other weights."""
    shutil.copytree(steady, tmp_path / "run")
    file = next((tmp_path / "run" / "last").glob("*.safetensors"))
    held = bytearray(file.read_bytes())
    held[-5] ^= 1
    file.write_bytes(held)
    with pytest.raises(DfsynthError, match=r"run/last is damaged; remove that folder"):
        run(recipe, folders, tmp_path / "run")


@pytest.mark.parametrize(
    "lost", [f"{stored_keys.POSITION}.phase", "network.", "average.", "optimiser.0.step"]
)
def test_a_state_without_a_tensor_is_named(
    steady: Path, recipe: Path, folders: tuple[Path, Path], tmp_path: Path, lost: str
) -> None:
    """As a run of an earlier version may have it, which kept no sum."""
    shutil.copytree(steady, tmp_path / "run")
    last = tmp_path / "run" / "last"
    file = next(last.glob("*.safetensors"))
    tensors = load_file(file)
    del tensors[next(name for name in tensors if name.startswith(lost))]
    save_file(tensors, file)
    state = json.loads((last / "state.json").read_text())
    del state["sha256"]
    (last / "state.json").write_text(json.dumps(state))
    with pytest.raises(DfsynthError, match="is damaged"):
        run(recipe, folders, tmp_path / "run")


def test_a_best_checkpoint_lost_between_two_renames_comes_back(tmp_path: Path) -> None:
    (tmp_path / "tmp" / "best-old").mkdir(parents=True)
    (tmp_path / "tmp" / "best-old" / "model.json").write_text("kept")
    with RunFolder(tmp_path).locked():
        assert (tmp_path / "best" / "model.json").read_text() == "kept"


def test_pairs_without_lung_masks_give_no_lung_output(steady: Path) -> None:
    """Nothing would supervise it, and every figure of the lung would be of something else."""
    assert not read_checkpoint(steady / "best").card.arguments.lung_head


def test_a_folder_that_cannot_be_a_run_is_refused_in_one_line(
    steady: Path, recipe: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ConflictError, match="is no folder"):
        run(recipe, folders, tmp_path / "file")
    (tmp_path / "run").mkdir()
    held = (steady / "run.json").read_text()
    (tmp_path / "run" / "run.json").write_text(held[: len(held) // 2])
    with pytest.raises(DfsynthError, match="is damaged"):
        run(recipe, folders, tmp_path / "run")


def test_a_finished_run_without_its_checkpoint_says_so(
    steady: Path, recipe: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    shutil.copytree(steady, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "best")
    with pytest.raises(DfsynthError, match="is gone"):
        run(recipe, folders, tmp_path / "run")


def test_a_run_is_no_checkpoint_and_says_where_it_is(steady: Path) -> None:
    with pytest.raises(UsageError, match=r"its checkpoint is .*best"):
        checkpoint_path(str(steady))
