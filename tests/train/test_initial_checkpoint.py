"""A warm start: training from the weights of an initial checkpoint."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pair_files import write_pair_folders
from support_training import toy_recipe, write_recipe

from dfsynth.checkpoint import MEMBERS_NETWORK, CascadeConfig, MembersConfig, read_checkpoint
from dfsynth.errors import ConflictError, UsageError
from dfsynth.inference import load_network, save_checkpoint
from dfsynth.models import Cascade, Members
from dfsynth.options import TrainOptions
from dfsynth.progress import SilentTraining
from dfsynth.train import run_training
from dfsynth.train.initial_checkpoint import LungTeacherNetwork, read_initial_checkpoint
from dfsynth.train.validation import predict_without_dropout

NETWORK = CascadeConfig(2, (8, 16))
OLD = {"name": "old pairs", "licence": "CC BY 4.0", "training_pairs": "7"}


@pytest.fixture
def checkpoint(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """Drawn weights, on a card that names what they were trained on."""
    files = read_checkpoint(tiny_checkpoint)
    card = replace(files.card, name="old", training_data=(OLD,))
    save_checkpoint(tmp_path / "old", load_network(files), card)
    return tmp_path / "old"


def options(tmp_path: Path, rate: str, start: Path | None) -> TrainOptions:
    inputs, targets = write_pair_folders(tmp_path, 8)
    recipe = write_recipe(
        tmp_path,
        "[network]",
        "stages = 2",
        "widths = [8, 16]",
        "[loss]",
        "residual_box = 3",
        "[[phase]]",
        "name = 'one'",
        "stages = [1, 2]",
        "steps = 2",
        f"learning_rate = {rate}",
    )
    return TrainOptions(
        str(recipe),
        inputs,
        tmp_path / "run",
        targets=targets,
        start_from=None if start is None else str(start),
        precision="fp32",
    )


def test_a_training_that_hardly_moves_ends_where_it_started(
    checkpoint: Path, tmp_path: Path
) -> None:
    report = run_training(options(tmp_path, "1e-12", checkpoint), SilentTraining())
    initial, ended = (load_network(read_checkpoint(p)) for p in (checkpoint, report.best))
    for name, weight in initial.state_dict().items():
        assert torch.equal(ended.state_dict()[name], weight), name


def test_a_network_that_adds_to_its_input_is_another(checkpoint: Path) -> None:
    with pytest.raises(UsageError, match=r"residual is 0\.25 in the recipe and 0\.0 in the check"):
        read_initial_checkpoint(str(checkpoint), replace(NETWORK, residual=0.25))


def test_the_card_names_earlier_training_data_and_the_initial_checkpoint(
    checkpoint: Path, tmp_path: Path
) -> None:
    report = run_training(options(tmp_path, "1e-3", checkpoint), SilentTraining())
    card = read_checkpoint(report.best).card
    assert OLD in card.training_data
    assert card.training_data[0]["name"] == "pairs of the user"
    sha256 = read_checkpoint(checkpoint).sha256
    assert card.recipe["start"] == {"name": "old", "sha256": sha256}


def test_a_run_with_another_initial_checkpoint_is_another_run(
    checkpoint: Path, tmp_path: Path
) -> None:
    asked = options(tmp_path, "1e-3", checkpoint)
    run_training(asked, SilentTraining())
    with pytest.raises(ConflictError, match="start"):
        run_training(replace(asked, start_from=None), SilentTraining())
    held = json.loads((tmp_path / "run" / "run.json").read_text())["identity"]
    assert held["start"]["name"] == "old"
    assert run_training(asked, SilentTraining()).steps_now == 0


def test_another_network_is_refused_with_what_differs(checkpoint: Path) -> None:
    wanted = toy_recipe(network=CascadeConfig(2, (8, 24), guidance="none")).network
    with pytest.raises(UsageError, match=r"widths is \[8, 24\] .*; guidance is none"):
        read_initial_checkpoint(str(checkpoint), wanted)


def test_the_lung_output_stays_although_pairs_have_no_lungs(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a training without the teacher network: there it drifts."""
    image = torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(0))

    def lungs(folder: Path) -> torch.Tensor:
        network = load_network(read_checkpoint(folder))
        assert isinstance(network, Cascade)
        logit = predict_without_dropout(network, image)[0].lung_logit
        assert logit is not None
        return torch.sigmoid(logit).detach()

    def drift(name: str, steps: int = 40) -> float:
        asked = options(tmp_path / name, "3e-3", checkpoint)
        recipe = Path(asked.recipe)
        recipe.write_text(recipe.read_text().replace("steps = 2", f"steps = {steps}"))
        report = run_training(asked, SilentTraining())
        assert read_checkpoint(report.best).card.arguments.lung_head
        return float((lungs(report.best) - lungs(checkpoint)).abs().mean())

    for name in ("distilled", "alone"):
        (tmp_path / name).mkdir()
    distilled = drift("distilled")
    monkeypatch.setattr(LungTeacherNetwork, "__call__", lambda _, batch: batch)
    assert distilled < 0.5 * drift("alone")


@pytest.mark.parametrize(("member", "taken"), [(0, 0), (1, 1), (2, 0)])
def test_of_several_members_one_is_the_start(
    checkpoint: Path, tmp_path: Path, member: int, taken: int
) -> None:
    config = MembersConfig(2, NETWORK)
    card = replace(read_checkpoint(checkpoint).card, network=MEMBERS_NETWORK, arguments=config)
    joined = Members(config)
    save_checkpoint(tmp_path / "two", joined, card)
    found = read_initial_checkpoint(str(tmp_path / "two"), NETWORK, member)
    for name, weight in joined.cascades()[taken].state_dict().items():
        assert torch.equal(found.weights[name], weight.half().float()), name


def test_dropout_may_differ(checkpoint: Path) -> None:
    found = read_initial_checkpoint(str(checkpoint), replace(NETWORK, dropout=0.4))
    assert found.reference()["name"] == "old"


def test_a_training_that_makes_it_worse_keeps_the_initial_weights(
    checkpoint: Path, tmp_path: Path
) -> None:
    report = run_training(options(tmp_path, "1e6", checkpoint), SilentTraining())
    initial, ended = (load_network(read_checkpoint(p)) for p in (checkpoint, report.best))
    for name, weight in initial.state_dict().items():
        assert torch.equal(ended.state_dict()[name], weight), name
    lines = [json.loads(x) for x in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "val_nll" in line] == [0, 2]
    assert lines[0]["val_nll"] == report.best_score


def test_a_kill_before_the_first_state_leaves_no_line_twice(
    checkpoint: Path, tmp_path: Path
) -> None:
    asked = options(tmp_path, "1e-3", checkpoint)
    run_training(asked, SilentTraining())
    whole = (tmp_path / "run" / "metrics.jsonl").read_text()
    for file in (tmp_path / "run" / "last").iterdir():
        file.unlink()
    run_training(asked, SilentTraining())
    assert (tmp_path / "run" / "metrics.jsonl").read_text() == whole
