"""What heads are shown of an image, and that what they say comes out with its maps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from drawn_heads import drawn_heads, figure_count
from drawn_networks import draw_weights, drawn_cascade
from radiograph_files import write_folder

import dfsynth
from dfsynth.checkpoint import (
    SCORES,
    CascadeConfig,
    CheckpointFiles,
    MembersConfig,
    ModelCard,
    read_checkpoint,
)
from dfsynth.errors import CheckpointError
from dfsynth.inference import CascadeGenerator, load_map_generator, save_checkpoint
from dfsynth.models import Members
from dfsynth.preprocess import letterbox
from dfsynth.records import LEARNED_FLAGS, ModelInput
from dfsynth.score import LEARNED_SCORES
from dfsynth.trust import Evidence, Learned, TrustHeads, describe

CPU = torch.device("cpu")
MEMBERS = MembersConfig(2, CascadeConfig(2, (8, 16), 0.2, backbone="coarse"))


@dataclass
class Watching:
    """A judge that keeps what it is shown, and says its number."""

    seen: list[Evidence] = field(default_factory=list)

    def __call__(self, evidence: Sequence[Evidence]) -> list[Learned]:
        self.seen += evidence
        return [Learned({"ood_score": float(each.image.mean())}, ("lateral",)) for each in evidence]


def make(judge: Any, backbone: str = "coarse", **choices: Any) -> CascadeGenerator:
    members = [
        drawn_cascade(seed=seed, backbone=backbone, dropout=0.2, **choices) for seed in range(2)
    ]
    return CascadeGenerator(members, CPU, "fp32", 4, 3, judge)


def letterboxed(source: tuple[int, int], grid: tuple[int, int], seed: int = 0) -> ModelInput:
    geometry = letterbox(source, grid)
    image = np.zeros(grid, np.float32)
    content = image[geometry.content]
    content[...] = np.random.default_rng(seed).random(content.shape, np.float32)
    return ModelInput(image, geometry, None, ())


def fitting_heads(files: CheckpointFiles, **changed: Any) -> TrustHeads:
    """Drawn heads for what the network of a checkpoint gives."""
    watching = Watching()
    load_map_generator(files, CPU, "fp32", 2, heads=watching)(np.zeros((1, 16, 16), np.float32))
    figures, layout = describe(watching.seen[0])
    assert len(figures) == figure_count()
    return drawn_heads(len(figures), len(layout), **changed)


@pytest.fixture
def without_heads(tmp_path: Path, make_card: Callable[..., ModelCard]) -> Path:
    """Two drawn members on disk."""
    network = draw_weights(Members(MEMBERS)).requires_grad_(False)
    save_checkpoint(tmp_path / "two", network, make_card(MEMBERS))
    return tmp_path / "two"


@pytest.fixture
def with_heads(tmp_path: Path, without_heads: Path, make_card: Callable[..., ModelCard]) -> Path:
    """The same, with drawn heads."""
    network = draw_weights(Members(MEMBERS)).requires_grad_(False)
    heads = fitting_heads(read_checkpoint(without_heads))
    save_checkpoint(tmp_path / "judging", network, make_card(MEMBERS), heads)
    return tmp_path / "judging"


@pytest.mark.parametrize("backbone", ["compact", "coarse"])
@pytest.mark.parametrize("source", [(40, 40), (40, 13), (9, 60)])
def test_heads_see_the_image_without_its_padding(backbone: str, source: tuple[int, int]) -> None:
    judge = Watching()
    chosen = letterboxed(source, (24, 32))
    [made] = make(judge, backbone).generate([chosen], ["a"])
    [seen] = judge.seen
    content = chosen.geometry.content
    np.testing.assert_array_equal(seen.image, chosen.image[content])
    assert made.lung is not None
    for found, whole in (
        (seen.dark_field, made.mean),
        (seen.aleatoric, made.aleatoric),
        (seen.epistemic, made.epistemic),
        (seen.lung, made.lung),
    ):
        np.testing.assert_array_equal(found, whole[content])
    assert len(seen.members) == 2
    np.testing.assert_allclose(np.mean(seen.members, axis=0), seen.dark_field, rtol=0, atol=1e-5)
    assert np.abs(seen.members[0] - seen.members[1]).max() > 1e-2
    assert made.learned is not None
    assert list(made.learned) == ["ood_score"]
    assert made.learned["ood_score"] == pytest.approx(float(seen.image.mean()))
    assert made.learned_flags == ("lateral",)


def test_what_heads_see_does_not_depend_on_the_batch() -> None:
    judge = Watching()
    generator = make(judge)
    inputs = [
        letterboxed(source, (24, 32), n) for n, source in enumerate([(40, 40), (40, 13), (9, 60)])
    ]
    ids = ["a", "b", "c"]
    for one, name in zip(inputs, ids, strict=True):
        generator.generate([one], [name])
    generator.generate(inputs[::-1], ids[::-1])
    alone, together = judge.seen[:3], judge.seen[:2:-1]
    for shown, again in zip(alone, together, strict=True):
        for found, wanted in zip(describe(again), describe(shown), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3)


def test_the_whole_image_is_content_unless_it_is_said() -> None:
    judge = Watching()
    image = letterboxed((40, 13), (24, 32)).image
    maps = make(judge)(image[None])
    assert judge.seen[0].image.shape == (24, 32)
    assert maps.learned is not None
    stages = make(judge).stages(image[None])
    assert [stage.learned is None for stage in stages] == [True, False]


def test_without_lung_output_heads_see_none() -> None:
    judge = Watching()
    make(judge, lung_head=False)(np.ones((1, 16, 16), np.float32))
    assert judge.seen[0].lung.shape == (16, 16)
    assert not judge.seen[0].lung.any()


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_a_checkpoints_own_heads_fill_every_learned_score(with_heads: Path, mode: Any) -> None:
    generator = load_map_generator(read_checkpoint(with_heads), CPU, "fp32", 4, 0, mode)
    inputs = [letterboxed((40, 20 + n), (16, 16), n) for n in range(3)]
    for made in generator.generate(inputs, ["a", "b", "c"]):
        assert made.learned is not None
        assert set(made.learned) == set(LEARNED_SCORES)
        assert np.isfinite(list(made.learned.values())).all()
        assert set(made.learned_flags) <= set(LEARNED_FLAGS)


def test_other_heads_judge_in_place_of_the_checkpoints_own(
    with_heads: Path, without_heads: Path
) -> None:
    inputs = [letterboxed((40, 30), (16, 16))]

    def said(folder: Path, heads: Any = None) -> Any:
        generator = load_map_generator(read_checkpoint(folder), CPU, "fp32", 4, heads=heads)
        return generator.generate(inputs, ["a"])[0].learned

    assert said(without_heads) is None
    assert set(said(with_heads, Watching())) == {"ood_score"}
    own = fitting_heads(read_checkpoint(without_heads))
    assert said(without_heads, own) == said(with_heads)


@pytest.mark.parametrize("raw", [b"", b"heads", b"\x80\x04."])
def test_damaged_heads_are_refused_when_the_checkpoint_is_loaded(
    with_heads: Path, raw: bytes
) -> None:
    (with_heads / SCORES).write_bytes(raw)
    with pytest.raises(CheckpointError, match=r"scores\.safetensors is damaged") as caught:
        load_map_generator(read_checkpoint(with_heads), CPU, "fp32", 2)
    assert "\n" not in str(caught.value)


def test_heads_of_another_network_end_the_run(without_heads: Path) -> None:
    files = read_checkpoint(without_heads)
    own = fitting_heads(files)
    projection = own.projection
    longer = replace(
        projection,
        layout_mean=np.zeros(len(projection.layout_mean) + 8, np.float32),
        layout_scale=np.ones(len(projection.layout_mean) + 8, np.float32),
        components=np.zeros((len(projection.layout_mean) + 8, 4), np.float32),
    )
    generator = load_map_generator(files, CPU, "fp32", 2, heads=replace(own, projection=longer))
    with pytest.raises(CheckpointError, match="do not belong together"):
        generator.generate([letterboxed((20, 20), (16, 16))], ["a"])


def build(checkpoint: Path, tmp_path: Path, **options: Any) -> pa.Table:
    """The manifest of five images."""
    images = write_folder(tmp_path / "images", 5)
    out = tmp_path / f"{checkpoint.name}.zarr"
    report = dfsynth.build(images, out, checkpoint=str(checkpoint), mc_samples=4, **options)
    assert (report.ok, report.failed) == (5, 0)
    return dfsynth.open_store(out).manifest


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_a_build_writes_what_the_heads_say(with_heads: Path, tmp_path: Path, mode: str) -> None:
    manifest = build(with_heads, tmp_path, mc=mode)
    of_lung = {"noise_uncertainty", "structure_uncertainty_lung"}
    for name in LEARNED_SCORES:
        missing = sum("no_lung" in (flags or ()) for flags in manifest["flags"].to_pylist())
        assert manifest[name].null_count == (missing if name in of_lung else 0), name
    assert len(set(manifest["predicted_error"].to_pylist())) == 5
    filtered = dfsynth.filter_store(
        tmp_path / "judging.zarr", keep=0.4, by="predicted_error", include_no_lung=True
    )
    assert filtered.kept == 2


def test_a_build_without_heads_writes_nulls(without_heads: Path, tmp_path: Path) -> None:
    manifest = build(without_heads, tmp_path)
    assert all(manifest[name].null_count == 5 for name in LEARNED_SCORES)
