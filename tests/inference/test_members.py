"""Members share the samples of an image out, and their moments are those of all samples."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drawn_networks import draw_weights, drawn_cascade
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pair_files import write_pair_folders
from torch import Tensor

import dfsynth
from dfsynth.checkpoint import CascadeConfig, MembersConfig, ModelCard, read_checkpoint
from dfsynth.errors import CheckpointError
from dfsynth.inference import (
    CascadeGenerator,
    MapBatch,
    dropout_masks,
    load_map_generator,
    load_network,
    save_checkpoint,
)
from dfsynth.inference import generator as generator_module
from dfsynth.models import CascadeNetwork, CoarseCascade, Members

Images = NDArray[np.float32]

CPU = torch.device("cpu")
BACKBONES = ("compact", "coarse")
SEED = 11


def draw_members(count: int, backbone: str, **choices: Any) -> list[CascadeNetwork]:
    config: dict[str, Any] = {"dropout": 0.2, "backbone": backbone} | choices
    return [drawn_cascade(seed=seed, **config) for seed in range(count)]


def make(members: list[CascadeNetwork], samples: int, precision: str = "fp32") -> CascadeGenerator:
    return CascadeGenerator(members, CPU, precision, samples, SEED)


def draw_images(count: int, height: int = 16, width: int = 24) -> Images:
    return np.random.default_rng(9).random((count, height, width), np.float32)


def named(count: int) -> list[str]:
    return [f"case/{i}.png" for i in range(count)]


def maps_of(batch: MapBatch) -> Images:
    """(maps, n, H, W)."""
    assert batch.lung is not None
    beta = [] if batch.beta is None else [batch.beta]
    return np.stack([batch.mean, batch.aleatoric, batch.epistemic, batch.lung, *beta])


def samples_one_by_one(
    members: list[CascadeNetwork], image: Images, image_id: str, count: int
) -> list[list[dict[str, Tensor]]]:
    """The maps of every sample t, of member t modulo their number, for each stage; unrefined."""
    dropout, width = members[0].config.dropout, members[0].mask_width
    masks = torch.from_numpy(dropout_masks(SEED, image_id, count, width, dropout))
    drawn = []
    for t in range(count):
        member = members[t % len(members)]
        stages = member.sample(member.prepare(torch.from_numpy(image)[None, None]), masks[[t]])
        logit = stages[0].lung_logit
        assert logit is not None
        drawn.append(
            [
                {
                    "mean": member.enlarge(stage.mean),
                    "variance": member.enlarge(stage.sigma.square()),
                    "beta": member.enlarge(stage.beta),
                    "lung": member.enlarge(torch.sigmoid(logit)),
                }
                for stage in stages
            ]
        )
    return drawn


def refine_last(
    members: list[CascadeNetwork], image: Images, drawn: list[list[dict[str, Tensor]]]
) -> None:
    """Each sample of the last stage by the affine maps that its member has for the image."""
    for k, member in enumerate(members):
        own = [stages[-1] for stages in drawn[k :: len(members)]]
        if not own or not isinstance(member, CoarseCascade):
            continue
        refinement = member.stage(member.config.stages - 1).refinement
        assert refinement is not None
        mean = torch.stack([sample["mean"] for sample in own]).mean(dim=0)
        variance = torch.stack([sample["variance"] for sample in own]).mean(dim=0)
        affine = refinement(torch.from_numpy(image)[None, None], mean, variance.sqrt())
        for sample in own:
            sample["mean"] = affine.scale * sample["mean"] + affine.shift
            sample["variance"] = affine.gain.square() * sample["variance"]


def expected_maps(
    members: list[CascadeNetwork], image: Images, image_id: str, count: int
) -> list[Images]:
    """Mean, aleatoric, epistemic, lung and beta of each stage, from all samples, in float64."""
    drawn = samples_one_by_one(members, image, image_id, count)
    refine_last(members, image, drawn)
    found = []
    for stage in range(members[0].config.stages):
        together = {
            name: np.stack([stages[stage][name][0, 0].double().numpy() for stages in drawn])
            for name in ("mean", "variance", "lung", "beta")
        }
        b, variance = together["mean"], together["variance"]
        aleatoric = np.sqrt(variance.mean(axis=0))
        averages = [together[name].mean(axis=0) for name in ("lung", "beta")]
        found.append(np.stack([b.mean(axis=0), aleatoric, b.std(axis=0), *averages]))
    return found


@pytest.mark.parametrize("backbone", BACKBONES)
@settings(max_examples=15)
@given(count=st.integers(1, 4), samples=st.integers(1, 9))
def test_the_maps_are_the_moments_of_all_samples_put_together(
    backbone: str, count: int, samples: int
) -> None:
    """Also with fewer samples than members, of which the first then draw one each."""
    members, image = draw_members(count, backbone), draw_images(1)
    found = make(members, samples).stages(image, ["the id"])
    expected = expected_maps(members, image[0], "the id", samples)
    assert len(found) == len(expected) == 2
    for stage, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(maps_of(stage)[:, 0], wanted, rtol=0, atol=2e-5)
    if samples > 1:
        assert expected[-1][2].max() > 1e-2, "no spread: the comparison shows nothing"


@pytest.mark.parametrize("backbone", BACKBONES)
def test_fast_is_one_pass_of_each_member_without_dropout(backbone: str) -> None:
    """However many samples are asked for, and whatever the seed; the spread on its own scale."""
    members, image = draw_members(3, backbone), draw_images(1)
    found, other = (
        CascadeGenerator(members, CPU, "fp32", samples, seed, mc="fast", fast_spread=1.5)(image)
        for samples, seed in ((1, 3), (20, 4))
    )
    assert np.array_equal(maps_of(found), maps_of(other))
    for member in members:
        member.config = replace(member.config, dropout=0.0)
    mean, aleatoric, epistemic, lung, _ = expected_maps(members, image[0], "any", 3)[-1]
    expected = np.stack([mean, aleatoric, 1.5 * epistemic, lung])
    np.testing.assert_allclose(maps_of(found)[:, 0], expected, rtol=0, atol=2e-5)
    assert epistemic.max() > 1e-2


@pytest.mark.parametrize("backbone", BACKBONES)
def test_members_that_are_alike_are_one(backbone: str) -> None:
    """The same masks and weights, whoever draws; refined alike, since the head's weights are 0."""
    image = draw_images(2)
    [one] = draw_members(1, backbone)
    if isinstance(one, CoarseCascade):
        refinement = one.stage(1).refinement
        assert refinement is not None
        for weight in refinement.head.parameters():
            weight.zero_()
    alone, shared = make([one], 7)(image), make([one] * 3, 7)(image)
    np.testing.assert_allclose(maps_of(shared), maps_of(alone), rtol=0, atol=1e-5)


def test_members_that_disagree_make_the_spread_wider() -> None:
    image = draw_images(1)
    members = draw_members(3, "coarse", dropout=0.0)
    assert make(members[:1], 6)(image).epistemic.max() < 1e-5
    assert make(members, 6)(image).epistemic.mean() > 0.05


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_an_images_maps_depend_on_no_batch_and_no_order(backbone: str, precision: str) -> None:
    generator = make(draw_members(3, backbone), 5, precision)
    images, ids = draw_images(4), named(4)
    tolerance = {"fp32": 1e-4, "bf16": 4e-2}[precision]
    alone = [maps_of(generator(images[i : i + 1], ids[i : i + 1]))[:, 0] for i in range(4)]
    for order in ([0, 1, 2, 3], [3, 1], [2, 2, 2, 0]):
        batch = maps_of(generator(images[order], [ids[i] for i in order]))
        for place, index in enumerate(order):
            np.testing.assert_allclose(batch[:, place], alone[index], rtol=0, atol=tolerance)
    assert np.abs(alone[0] - alone[1]).max() > 10 * 1e-4


@pytest.mark.parametrize("most", [1, 500, 10**9])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_how_samples_are_split_into_passes_changes_nothing(
    backbone: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator, images = make(draw_members(3, backbone), 8), draw_images(2)
    usual = generator.stages(images)
    monkeypatch.setattr(generator_module, "_CPU_PIXELS_A_PASS", most)
    for one, other in zip(usual, generator.stages(images), strict=True):
        np.testing.assert_allclose(maps_of(one), maps_of(other), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 24), (13, 50), (1, 1), (37, 9)])
def test_any_grid_is_padded_and_cut(height: int, width: int) -> None:
    generator, images = make(draw_members(2, "coarse"), 4), draw_images(2, height, width)
    found = maps_of(generator(images))
    padded = np.zeros((2, height + -height % 8, width + -width % 8), np.float32)
    padded[:, :height, :width] = images
    expected = maps_of(generator(padded))[..., :height, :width]
    assert found.shape == (4, 2, height, width)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_rows_are_rows() -> None:
    """A bright spot changes the maps where it lies, not at its mirror or transpose."""
    images = np.zeros((2, 32, 48), np.float32)
    images[1, 4:8, 36:44] = 1.0
    found = make(draw_members(2, "coarse", dropout=0.0), 2)(images, ["same", "same"]).mean
    change = np.abs(found[1] - found[0])
    rows, columns = np.unravel_index(np.argsort(change, axis=None)[-20:], change.shape)
    assert rows.max() < 16
    assert columns.min() > 24


def test_a_call_gives_what_the_last_stage_is() -> None:
    generator, images = make(draw_members(3, "coarse"), 5), draw_images(2)
    called, stages = generator(images), generator.stages(images)
    assert called.beta is None
    assert np.array_equal(maps_of(called), maps_of(stages[-1])[:-1])
    assert np.array_equal(maps_of(stages[0])[3], maps_of(called)[3]), "one lung map for all"


def test_members_without_lung_give_none() -> None:
    generator = make(draw_members(2, "coarse", lung_head=False), 4)
    assert generator(draw_images(1)).lung is None
    assert [stage.lung for stage in generator.stages(draw_images(1))] == [None, None]


def test_the_batch_size_does_not_depend_on_the_members() -> None:
    sizes = {make(draw_members(k, "coarse"), 20).auto_batch_size((256, 256)) for k in (1, 3)}
    assert len(sizes) == 1
    assert sizes.pop() >= make(draw_members(1, "compact"), 20).auto_batch_size((256, 256))


@pytest.fixture
def saved(tmp_path: Path, make_card: Callable[[object], ModelCard]) -> tuple[Path, Members]:
    """Three drawn members on disk."""
    config = MembersConfig(3, CascadeConfig(2, (8, 16), 0.2, backbone="coarse"), 1.5)
    network = draw_weights(Members(config)).requires_grad_(False)
    save_checkpoint(tmp_path / "three", network, make_card(config))
    return tmp_path / "three", network


def test_members_come_back_in_their_order_and_generate(saved: tuple[Path, Members]) -> None:
    folder, written = saved
    files = read_checkpoint(folder)
    assert files.card.arguments == written.config
    found = load_network(files)
    assert isinstance(found, Members)
    rounded = written.half().float()
    for name, weight in rounded.state_dict().items():
        assert torch.equal(found.state_dict()[name], weight), name
    images, ids = draw_images(2), named(2)
    generator = load_map_generator(files, CPU, "fp32", 5, SEED)
    expected = make(rounded.cascades(), 5)(images, ids)
    assert np.array_equal(maps_of(generator(images, ids)), maps_of(expected))
    fast = load_map_generator(files, CPU, "fp32", 5, SEED, "fast")
    expected = CascadeGenerator(
        rounded.cascades(), CPU, "fp32", 5, SEED, mc="fast", fast_spread=1.5
    )(images, ids)
    assert np.array_equal(maps_of(fast(images, ids)), maps_of(expected))


@pytest.mark.parametrize(
    "changed",
    [
        MembersConfig(2, CascadeConfig(2, (8, 16), 0.2, backbone="coarse")),
        MembersConfig(4, CascadeConfig(2, (8, 16), 0.2, backbone="coarse")),
        MembersConfig(3, CascadeConfig(2, (8, 16), 0.2)),
    ],
)
def test_weights_of_other_members_are_refused(
    saved: tuple[Path, Members], changed: MembersConfig
) -> None:
    files = read_checkpoint(saved[0])
    with pytest.raises(CheckpointError, match="the two files do not belong together"):
        load_network(replace(files, card=replace(files.card, arguments=changed)))


def test_members_that_cannot_be_built_are_refused(saved: tuple[Path, Members]) -> None:
    files = read_checkpoint(saved[0])
    wrong = MembersConfig(3, CascadeConfig(2, (8, 12), 0.2, backbone="coarse"))
    with pytest.raises(CheckpointError, match="cannot be built"):
        load_network(replace(files, card=replace(files.card, arguments=wrong)))


def test_a_build_and_an_evaluation_take_members(
    saved: tuple[Path, Members], tmp_path: Path
) -> None:
    inputs, targets = write_pair_folders(tmp_path, 3)
    report = dfsynth.build(
        inputs,
        tmp_path / "x.zarr",
        checkpoint=str(saved[0]),
        size=16,
        mc_samples=4,
        dtype="float32",
        precision="fp32",
    )
    assert (report.ok, report.failed) == (3, 0)
    store = dfsynth.open_store(tmp_path / "x.zarr")
    assert (store.provenance["members"], store.provenance["mc"]) == (3, "full")
    for row in range(3):
        assert np.isfinite(store.read("epistemic", row)).all()
        assert store.read("epistemic", row).max() > 0.01
    found = dfsynth.evaluate_checkpoint(
        saved[0], inputs, targets=targets, split="all", mc_samples=4, precision="fp32"
    )
    assert (found.checkpoint, found.images, len(found.stages)) == ("small", 3, 2)
