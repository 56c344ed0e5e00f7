"""Samplers chosen for a build or an evaluation: recorded, checked on resume, refused at once."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pair_files import write_pair_folders
from small_cards import small_card

import dfsynth
from dfsynth.checkpoint import CascadeConfig, DiffusionConfig, FlowConfig
from dfsynth.description.facts import gather_facts
from dfsynth.errors import ConflictError, UsageError
from dfsynth.files.json_record import with_checksum, without_checksum
from dfsynth.inference import save_checkpoint
from dfsynth.jobs.reporting.evaluation_page import write_evaluation_report
from dfsynth.models import DiffusionNetwork, FlowNetwork, GeneratorNetwork, build_cascade
from dfsynth.store import StoreLayout
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.record import read_record

DRAWN = {"sampler": "ancestral", "sampler_steps": 4, "guidance": 0.5}


def write(folder: Path, network: GeneratorNetwork, family: str) -> Path:
    """A checkpoint with weights that do something."""
    with torch.no_grad():
        generator = torch.Generator().manual_seed(0)
        for weight in network.parameters():
            weight.add_(0.05 * torch.randn(weight.shape, generator=generator))
    save_checkpoint(folder, network, small_card(network.config, network=family))
    return folder


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_pair_folders(tmp_path_factory.mktemp("pairs"), 6)


@pytest.fixture(scope="module")
def diffusion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = DiffusionConfig((8, 16), 1, (0.0, 0.5), 5, drop_condition=0.1)
    return write(tmp_path_factory.mktemp("c") / "diffusion", DiffusionNetwork(config), "diffusion")


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    network = FlowNetwork(FlowConfig((8, 16), 1, (0.0, 0.5), 3))
    return write(tmp_path_factory.mktemp("c") / "flow", network, "flow")


def build(source: Path, out: Path, checkpoint: Path, **options: Any) -> None:
    values: dict[str, Any] = {
        "size": 16,
        "mc_samples": 2,
        "dtype": "float32",
        "precision": "fp32",
        "shard_size": 2,
    }
    report = dfsynth.build(source, out, checkpoint=str(checkpoint), **(values | options))
    assert not report.failed


def maps(out: Path) -> list[np.ndarray[Any, Any]]:
    store = dfsynth.open_store(out)
    return [store.read(name, row) for name in ("dark_field", "aleatoric") for row in range(6)]


def test_what_is_chosen_is_recorded_and_no_batch_or_shard_changes_it(
    inputs: tuple[Path, Path], diffusion: Path, tmp_path: Path
) -> None:
    whole, parts, plain = (tmp_path / name for name in ("whole.zarr", "parts.zarr", "plain.zarr"))
    build(inputs[0], whole, diffusion, batch_size=4, **DRAWN)
    for part in (1, 0):
        build(inputs[0], parts, diffusion, batch_size=1, partition=(part, 2), **DRAWN)
    build(inputs[0], plain, diffusion)
    for a, b in zip(maps(whole), maps(parts), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)
    moved = [float(np.abs(a - b).max()) for a, b in zip(maps(whole), maps(plain), strict=True)]
    assert min(moved) > 1e-3
    held = json.loads(StoreLayout(whole).build.read_bytes())["fingerprint"]
    assert {name: held[name] for name in DRAWN} == DRAWN
    attributes = dfsynth.open_store(whole).provenance
    assert {name: attributes[name] for name in DRAWN} == DRAWN
    layout = StoreLayout(whole)
    record = read_record(layout.build)
    assert isinstance(record, BuildRecord)
    facts = gather_facts(layout, record, None)
    assert facts.settings["sampler"] == "ancestral of 4 steps, guidance 0.5"
    attributes = dfsynth.open_store(plain).provenance
    assert [attributes[name] for name in DRAWN] == ["ddim", 5, 0.0]


def test_a_store_is_gone_on_with_as_it_was_begun(
    inputs: tuple[Path, Path], diffusion: Path, tmp_path: Path
) -> None:
    out, steady = tmp_path / "x.zarr", tmp_path / "y.zarr"
    build(inputs[0], out, diffusion, partition=(0, 3), **DRAWN)
    for change, words in (
        ({"sampler": "ddim"}, 'sampler: the store has "ancestral", asked for "ddim"'),
        ({"sampler_steps": 2}, "sampler_steps: the store has 4, asked for 2"),
        ({"guidance": 1.0}, "guidance: the store has 0.5, asked for 1.0"),
        ({"sampler": None, "sampler_steps": None, "guidance": None}, "sampler_steps: the store"),
    ):
        with pytest.raises(ConflictError, match=words):
            build(inputs[0], out, diffusion, **(DRAWN | change))
    build(inputs[0], out, diffusion, **DRAWN)
    build(inputs[0], steady, diffusion, **DRAWN)
    for a, b in zip(maps(out), maps(steady), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_store_from_before_there_was_a_choice_was_made_as_the_card_says(
    inputs: tuple[Path, Path], diffusion: Path, tmp_path: Path
) -> None:
    out = tmp_path / "x.zarr"
    build(inputs[0], out, diffusion, partition=(0, 3))
    path = StoreLayout(out).build
    document = without_checksum(json.loads(path.read_bytes()))
    for name in DRAWN:
        del document["fingerprint"][name]
    path.write_text(json.dumps(with_checksum(document), indent=2) + "\n")
    with pytest.raises(ConflictError, match='sampler: the store has "ddim", asked for "ances'):
        build(inputs[0], out, diffusion, **DRAWN)
    build(inputs[0], out, diffusion, sampler="ddim", sampler_steps=5, guidance=0)
    assert "sampler" not in dfsynth.open_store(out).provenance


@pytest.mark.parametrize(
    ("network", "options", "words"),
    [
        ("flow", {"sampler": "ddim"}, "--sampler ddim: expected a sampler .* euler, midpoint"),
        ("diffusion", {"sampler": "euler"}, "--sampler euler: .* ddim, ancestral, dpm-solver"),
        ("diffusion", {"sampler": "heun"}, "--sampler heun: expected ddim, ancestral, dpm-solver"),
        ("diffusion", {"sampler_steps": 3}, "--sampler-steps 3: .* a divisor of 1000"),
        ("diffusion", {"sampler_steps": 0}, "--sampler-steps 0: expected 1 or more"),
        ("diffusion", {"sampler_steps": 1001}, "--sampler-steps 1001: expected 1 to 1000 steps"),
        (
            "diffusion",
            {"sampler": "dpm-solver", "sampler_steps": 1000},
            "--sampler dpm-solver --sampler-steps 1000: expected fewer steps",
        ),
        ("flow", {"sampler": "midpoint"}, "even number .* found 3; its card says euler of 3 steps"),
        ("flow", {"guidance": 1}, "--guidance 1: expected no guidance .* drop_condition = 0"),
        ("diffusion", {"guidance": -0.5}, "--guidance -0.5: expected 0 or more"),
        ("diffusion", {"guidance": float("nan")}, "--guidance nan: expected 0 or more"),
        ("diffusion", {"guidance": float("inf")}, "--guidance inf: expected 0 or more"),
        ("default", {"guidance": 0}, "--guidance 0: this checkpoint draws no samples"),
        ("default", {"sampler": "ddim"}, "--sampler ddim: this checkpoint draws no samples"),
        ("default", {"sampler_steps": 4}, "--sampler-steps 4: this checkpoint draws no samples"),
    ],
)
def test_what_a_checkpoint_cannot_do_is_one_line_before_anything_is_written(
    network: str,
    options: dict[str, Any],
    words: str,
    inputs: tuple[Path, Path],
    diffusion: Path,
    flow: Path,
    tmp_path: Path,
) -> None:
    checkpoint = {"diffusion": str(diffusion), "flow": str(flow)}.get(network, network)
    with pytest.raises(UsageError, match=words) as found:
        dfsynth.build(inputs[0], tmp_path / "x.zarr", checkpoint=checkpoint, **options)
    assert "\n" not in str(found.value)
    with pytest.raises(UsageError, match=words):
        dfsynth.evaluate_checkpoint(
            checkpoint, inputs[0], targets=inputs[1], out=tmp_path / "e", **options
        )
    assert not list(tmp_path.iterdir())
    if "sampler" not in options or options["sampler"] != "heun":
        with pytest.raises(UsageError, match=r"expected|draws no samples"):
            dfsynth.load_generator(checkpoint, mc_samples=2, **options)


def test_an_evaluation_says_how_samples_were_drawn(
    inputs: tuple[Path, Path], diffusion: Path, tmp_path: Path
) -> None:
    found = dfsynth.evaluate_checkpoint(
        diffusion,
        inputs[0],
        targets=inputs[1],
        split="all",
        calibration="none",
        out=tmp_path / "evaluation",
        mc_samples=2,
        precision="fp32",
        sampler="dpm-solver",
        sampler_steps=3,
    )
    assert found.sampling is not None
    assert found.sampling.words == "dpm-solver of 3 steps"
    (tmp_path / "page").mkdir()
    write_evaluation_report(tmp_path / "page", tmp_path / "evaluation")
    pages = [page.read_text() for page in (tmp_path / "page").rglob("*.html")]
    assert any("dpm-solver of 3 steps" in page for page in pages)


@pytest.mark.parametrize(("options", "words"), [({}, ""), ({"sampler_steps": 4}, "euler of 4")])
def test_intervals_of_a_card_are_those_of_its_sampler(
    inputs: tuple[Path, Path], tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    network = FlowNetwork(FlowConfig((8, 16), 1, (0.0, 0.5), 3))
    factors = dict.fromkeys(("0.5", "0.8", "0.9", "0.95"), 1.0)
    card = small_card(network.config, network="flow", calibration=factors)
    save_checkpoint(tmp_path / "flow", network, card)
    found = dfsynth.evaluate_checkpoint(
        tmp_path / "flow",
        inputs[0],
        targets=inputs[1],
        split="all",
        calibration="card",
        mc_samples=2,
        precision="fp32",
        **options,
    )
    said = [warning for warning in found.warnings if "may hold more or less" in warning]
    assert bool(said) == bool(options)
    assert all("calibrated with euler of 3 steps" in text and words in text for text in said)


def test_one_image_is_made_as_a_build_makes_it(
    inputs: tuple[Path, Path], diffusion: Path, tmp_path: Path
) -> None:
    drawn: dict[str, Any] = {"sampler": "dpm-solver", "sampler_steps": 3, "guidance": 1.0}
    build(inputs[0], tmp_path / "x.zarr", diffusion, **drawn)
    made = dfsynth.generate(
        inputs[0] / "case000.png",
        checkpoint=str(diffusion),
        size=16,
        mc_samples=2,
        dtype="float32",
        precision="fp32",
        **drawn,
    )
    np.testing.assert_allclose(made.dark_field, maps(tmp_path / "x.zarr")[0], rtol=0, atol=1e-5)


def test_a_cascade_has_no_sampler_to_record(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    network = build_cascade(CascadeConfig(1, (8, 16)))
    checkpoint = write(tmp_path / "cascade", network, "upgan-compact")
    build(inputs[0], tmp_path / "x.zarr", checkpoint)
    document = json.loads(StoreLayout(tmp_path / "x.zarr").build.read_bytes())
    assert not document["fingerprint"].keys() & DRAWN.keys()
    assert "sampler" not in dfsynth.open_store(tmp_path / "x.zarr").provenance
