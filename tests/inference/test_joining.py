"""Members trained one by one become one checkpoint that draws what they draw together."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from drawn_networks import draw_weights, drawn_cascade

from dfsynth.checkpoint import (
    Backbone,
    CheckpointFiles,
    MembersConfig,
    ModelCard,
    read_checkpoint,
)
from dfsynth.errors import CheckpointError, UsageError
from dfsynth.inference import (
    CascadeGenerator,
    MapBatch,
    load_map_generator,
    load_network,
    save_checkpoint,
)
from dfsynth.inference.joining import join_members
from dfsynth.models import CascadeNetwork, Members
from dfsynth.records import IntensityWindow

CPU = torch.device("cpu")
Save = Callable[..., CheckpointFiles]


@pytest.fixture
def save(tmp_path: Path, make_card: Callable[..., ModelCard]) -> Save:
    """Writes member number `seed`; the rest are choices of its configuration."""

    def write(seed: int, card: dict[str, Any] | None = None, **choices: Any) -> CheckpointFiles:
        config: dict[str, Any] = {"dropout": 0.2, "backbone": "coarse"} | choices
        network = drawn_cascade(seed=seed, **config)
        folder = tmp_path / f"member-{seed}"
        save_checkpoint(folder, network, replace(make_card(network.config), **card or {}))
        return read_checkpoint(folder)

    return write


def refusal(checkpoints: list[CheckpointFiles]) -> str:
    with pytest.raises(UsageError) as caught:
        join_members("joined", checkpoints)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_members_of_two_tasks_are_refused(save: Save) -> None:
    said = refusal([save(0, {"task": "mri-motion"}), save(1, {"task": "mri-undersampled"})])
    assert "differ in task, network, grid, window or unit" in said


def test_networks_of_a_family_without_members_are_refused(save: Save) -> None:
    @dataclass(frozen=True)
    class Single:
        members: int = 1
        stages: int = 1
        lung_head: bool = False
        has_dropout: bool = False

        @property
        def denoiser(self) -> None:
            return None

    odd = [
        replace(files, card=replace(files.card, arguments=Single())) for files in (save(0), save(1))
    ]
    said = refusal(odd)
    assert said.startswith("networks of the configuration Single cannot be joined; expected")


def cascades(checkpoints: list[CheckpointFiles]) -> list[CascadeNetwork]:
    found = []
    for files in checkpoints:
        network = load_network(files)
        assert isinstance(network, CascadeNetwork)
        found.append(network)
    return found


def maps_of(batch: MapBatch) -> np.ndarray:
    assert batch.lung is not None
    return np.stack([batch.mean, batch.aleatoric, batch.epistemic, batch.lung])


def images() -> np.ndarray:
    return np.random.default_rng(1).random((2, 16, 24), np.float32)


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_a_joined_checkpoint_draws_what_its_members_draw_together(
    save: Save, tmp_path: Path, mode: Any
) -> None:
    members = [save(seed) for seed in range(3)]
    with torch.inference_mode():
        save_checkpoint(tmp_path / "joined", *join_members("joined", members))
    joined = load_map_generator(read_checkpoint(tmp_path / "joined"), CPU, "fp32", 7, 5, mode)
    together = CascadeGenerator(cascades(members), CPU, "fp32", 7, 5, mc=mode)
    found, wanted = maps_of(joined(images())), maps_of(together(images()))
    np.testing.assert_array_equal(found, wanted)
    alone = maps_of(load_map_generator(members[0], CPU, "fp32", 7, 5)(images()))
    assert np.abs(found - alone).max() > 1e-2


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_its_maps_are_the_moments_of_the_members_maps(save: Save, mode: Any) -> None:
    """Without dropout each has one map, whatever is drawn."""
    members = [save(seed, dropout=0.0) for seed in range(2)]
    network, _ = join_members("joined", members)
    assert isinstance(network, Members)
    one, other = (load_map_generator(files, CPU, "fp32", 1)(images()) for files in members)
    joined = CascadeGenerator(network.cascades(), CPU, "fp32", 4, mc=mode)(images())
    assert one.lung is not None
    assert other.lung is not None
    variance = (np.square(one.aleatoric) + np.square(other.aleatoric)) / 2
    wanted = np.stack(
        [
            (one.mean + other.mean) / 2,
            np.sqrt(variance),
            np.abs(one.mean - other.mean) / 2,
            (one.lung + other.lung) / 2,
        ]
    )
    np.testing.assert_allclose(maps_of(joined), wanted, rtol=0, atol=1e-5)
    assert wanted[2].max() > 1e-2


@pytest.mark.parametrize("backbone", get_args(Backbone))
@pytest.mark.parametrize("likelihood", ["gaussian", "point"])
def test_networks_of_any_backbone_are_members(
    save: Save, tmp_path: Path, backbone: str, likelihood: str
) -> None:
    """A deep ensemble has members of one stage, without dropout, that disagree."""
    choices = {"stages": 1, "dropout": 0.0, "backbone": backbone, "likelihood": likelihood}
    members = [save(seed, **choices) for seed in range(3)]
    with torch.inference_mode():
        save_checkpoint(tmp_path / "joined", *join_members("joined", members))
    joined = load_map_generator(read_checkpoint(tmp_path / "joined"), CPU, "fp32", 20)(images())
    alone = [load_map_generator(files, CPU, "fp32", 20)(images()) for files in members]
    means = np.stack([maps.mean for maps in alone])
    np.testing.assert_allclose(joined.mean, means.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(joined.epistemic, means.std(axis=0), atol=1e-4)
    assert joined.epistemic.max() > 1e-3
    assert not any(maps.epistemic.any() for maps in alone)


def test_its_card_is_of_all_members(save: Save) -> None:
    phantoms, more = {"name": "phantoms"}, {"name": "more"}
    own = {"recipe": {"name": "small"}, "metrics": {"mae": 1.0}}
    members = [
        save(0, {"training_data": (phantoms,), **own}),
        save(1, {"training_data": (phantoms, more), **own}),
    ]
    _, card = join_members("joined", members)
    first = members[0].card
    assert card.arguments == MembersConfig(2, first.arguments)  # type: ignore[arg-type]
    assert (card.name, card.grid, card.license) == ("joined", first.grid, first.license)
    assert card.training_data == (phantoms, more)
    assert card.recipe == {"name": "small", "members": [files.sha256 for files in members]}
    assert (card.metrics, card.calibration) == ({}, {})


def test_a_collection_stands_once_with_the_most_that_a_member_saw(save: Save) -> None:
    def seen(count: str) -> dict[str, str]:
        return {"name": "phantom", "licence": "none", "training_pairs": count}

    for counts, most in ((("9", "70"), "70"), (("70", "9"), "70"), (("some", "9"), "9")):
        members = [save(n, {"training_data": (seen(c),)}) for n, c in enumerate(counts)]
        _, card = join_members("joined", members)
        assert card.training_data == (seen(most),)


def test_one_member_or_one_twice_is_refused(save: Save) -> None:
    one, other = save(0), save(1)
    for given in ([], [one], [one, one], [one, other, one]):
        assert "expected 2 to 16 members, each given once" in refusal(given)


def test_more_members_than_a_checkpoint_holds_are_refused(save: Save) -> None:
    assert "found 17 checkpoints" in refusal([save(seed) for seed in range(17)])


@pytest.mark.parametrize(
    ("card", "choices"),
    [
        ({}, {"dropout": 0.3}),
        ({}, {"stages": 3}),
        ({}, {"widths": (8, 24)}),
        ({}, {"backbone": "compact"}),
        ({}, {"lung_head": False}),
        ({"grid": (32, 32)}, {}),
        ({"window": (0.0, 2.0)}, {}),
        ({"unit": "mm"}, {}),
        ({"intensity": IntensityWindow(2.0, 98.0)}, {}),
    ],
)
def test_members_of_differing_recipes_or_grids_are_refused(
    save: Save, card: dict[str, Any], choices: dict[str, Any]
) -> None:
    assert "expected members of one recipe" in refusal([save(0), save(1, card, **choices)])


def test_what_holds_members_already_is_refused(
    save: Save, tmp_path: Path, make_card: Callable[..., ModelCard]
) -> None:
    cascade = save(0)
    config = MembersConfig(2, cascade.card.arguments)  # type: ignore[arg-type]
    network = draw_weights(Members(config)).requires_grad_(False)
    save_checkpoint(tmp_path / "two", network, make_card(config))
    two = read_checkpoint(tmp_path / "two")
    assert "is no single network" in refusal([cascade, two])
    assert "is no single network" in refusal([two, cascade])


def test_a_damaged_member_is_refused(save: Save) -> None:
    one, other = save(0), save(1)
    damaged = replace(other, weights=other.weights[:-9], sha256="0" * 64)
    with pytest.raises(CheckpointError, match="get the checkpoint again"):
        join_members("joined", [one, damaged])
