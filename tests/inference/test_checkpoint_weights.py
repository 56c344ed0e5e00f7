"""Weights on disk: written, read back, and refused when they are anything else."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from dfsynth.checkpoint import (
    CARD,
    WEIGHTS,
    CascadeConfig,
    CheckpointFiles,
    ModelCard,
    read_checkpoint,
)
from dfsynth.errors import CheckpointError
from dfsynth.inference import load_map_generator, load_network, save_checkpoint
from dfsynth.models import Cascade, build_cascade

MakeCard = Callable[[CascadeConfig], ModelCard]


def refusal(files: CheckpointFiles) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_network(files)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def with_weights(files: CheckpointFiles, **tensors: torch.Tensor) -> CheckpointFiles:
    state = load(files.weights)
    state.update({name.replace("__", "."): tensor for name, tensor in tensors.items()})
    return replace(files, weights=save(state))


def test_a_network_comes_back_to_float16(
    saved: CheckpointFiles, make_cascade: Callable[..., Cascade]
) -> None:
    written, found = make_cascade(), load_network(saved)
    assert found.config == written.config
    assert not found.training
    state = found.state_dict()
    assert state.keys() == written.state_dict().keys()
    for name, weight in written.state_dict().items():
        assert state[name].dtype == torch.float32
        assert state[name].device.type == "cpu"
        torch.testing.assert_close(state[name], weight.half().float(), rtol=0, atol=0)
    image, masks = torch.rand(2, 1, 16, 16), torch.ones(2, written.mask_width)
    with torch.inference_mode():
        for a, b in zip(found(image, masks), written(image, masks), strict=True):
            torch.testing.assert_close(a.mean, b.mean, rtol=1e-2, atol=5e-3)


CHOICES = [
    {"backbone": "coarse"},
    {"backbone": "published"},
    {"guidance": "concat"},
    {"guidance": "none"},
    {"likelihood": "laplace"},
    {"likelihood": "point", "lung_head": False},
    {"backbone": "published", "guidance": "concat", "likelihood": "gaussian"},
]


@pytest.mark.parametrize("choices", CHOICES, ids=lambda c: "-".join(map(str, c.values())))
def test_networks_of_every_choice_come_back_and_generate(
    tmp_path: Path, make_card: MakeCard, choices: dict[str, Any]
) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        written = build_cascade(CascadeConfig(2, (8, 16), **choices)).eval()
    save_checkpoint(tmp_path / "x", written, make_card(written.config))
    found = load_network(read_checkpoint(tmp_path / "x"))
    assert found.config == written.config
    for name, weight in written.state_dict().items():
        assert torch.equal(found.state_dict()[name], weight.half().float())
    generator = load_map_generator(
        read_checkpoint(tmp_path / "x"), torch.device("cpu"), "fp32", 3, 0
    )
    # Sides that the network cannot halve are padded.
    maps = generator(np.random.default_rng(0).random((2, 15, 18)).astype(np.float32))
    assert (maps.lung is not None) == written.config.lung_head
    for values in (maps.mean, maps.aleatoric, maps.epistemic):
        assert values.shape == (2, 15, 18)
        assert np.isfinite(values).all()
    assert (maps.aleatoric > 0).all()
    assert maps.epistemic.max() > 0


def test_loading_draws_nothing_from_the_global_stream(saved: CheckpointFiles) -> None:
    before = torch.get_rng_state()
    load_network(saved)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_loaded_network_can_be_trained_on(saved: CheckpointFiles) -> None:
    network = load_network(saved)
    assert all(p.requires_grad and p.is_leaf for p in network.parameters())


def test_truncated_weights_are_refused(saved: CheckpointFiles) -> None:
    length = len(saved.weights)
    for end in (0, 1, 7, 8, 9, 100, length // 2, length - 1):
        assert WEIGHTS in refusal(replace(saved, weights=saved.weights[:end]))
    refusal(replace(saved, weights=saved.weights + b"\0"))


def test_a_flipped_bit_in_the_header_is_refused(saved: CheckpointFiles) -> None:
    end = 8 + int.from_bytes(saved.weights[:8], "little")
    rng = np.random.default_rng(5)
    for place in {*range(9), *rng.integers(0, end, 150).tolist()}:
        damaged = bytearray(saved.weights)
        damaged[place] ^= 1 << int(rng.integers(0, 7))
        try:
            network = load_network(replace(saved, weights=bytes(damaged)))
        except CheckpointError:
            continue
        # Blanks that pad the header may change; nothing that a tensor depends on may.
        for name, weight in load_network(saved).state_dict().items():
            assert torch.equal(network.state_dict()[name], weight), place


@pytest.mark.parametrize(
    "raw",
    [
        pickle.dumps({"stages.0.stem.bias": [0.0] * 8}),
        json.dumps({"stages.0.stem.bias": [0.0] * 8}).encode(),
        b"PK\x03\x04" + bytes(200),
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    ],
    ids=["pickle", "json", "zip", "pointer"],
)
def test_files_of_another_kind_are_refused(saved: CheckpointFiles, raw: bytes) -> None:
    assert "is damaged or no safetensors file" in refusal(replace(saved, weights=raw))


def test_a_pickle_is_never_run(saved: CheckpointFiles, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
            return Path.touch, (tmp_path / "ran",)

    for raw in (pickle.dumps(Trap()), pickle.dumps(Trap(), 0)):
        refusal(replace(saved, weights=raw))
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(Trap()))  # noqa: S301 - shows that the trap works
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_no_numbers_are_refused(saved: CheckpointFiles, value: float) -> None:
    bias = torch.zeros(8)
    bias[3] = value
    message = refusal(with_weights(saved, stages__1__stem__bias=bias))
    assert "1 of its" in message


def test_weights_of_another_type_are_refused(saved: CheckpointFiles) -> None:
    refusal(with_weights(saved, stages__0__stem__bias=torch.zeros(8, dtype=torch.int64)))
    refusal(with_weights(saved, stages__0__stem__bias=torch.zeros(8, dtype=torch.bool)))


def test_weights_of_another_network_are_refused(saved: CheckpointFiles) -> None:
    reshaped = with_weights(saved, stages__0__stem__bias=torch.zeros(9))
    added = with_weights(saved, stages__2__stem__bias=torch.zeros(8))
    state = load(saved.weights)
    del state["stages.0.head2.bias"]
    for files in (reshaped, added, replace(saved, weights=save(state))):
        assert "the two files do not belong together" in refusal(files)


@pytest.mark.parametrize(
    "changed",
    [
        {"stages": 3},
        {"widths": (8, 24)},
        {"widths": (8, 16, 16)},
        {"lung_head": False},
        {"backbone": "published"},
        {"guidance": "concat"},
        {"likelihood": "gaussian"},
        {"likelihood": "point"},
    ],
)
def test_a_card_of_another_network_is_refused(
    saved: CheckpointFiles, changed: dict[str, Any]
) -> None:
    arguments = replace(saved.card.arguments, **changed)
    files = replace(saved, card=replace(saved.card, arguments=arguments))
    assert "the two files do not belong together" in refusal(files)


@pytest.mark.parametrize("widths", [(), (8,), (8, 12), (2**30, 2**30)])
def test_a_card_of_a_network_that_cannot_be_is_refused(
    saved: CheckpointFiles, widths: tuple[int, ...]
) -> None:
    arguments = replace(saved.card.arguments, widths=widths)
    message = refusal(replace(saved, card=replace(saved.card, arguments=arguments)))
    assert CARD in message
    assert "cannot be built" in message


def test_saving_refuses_a_card_of_another_network(
    tmp_path: Path, make_cascade: Callable[..., Cascade], make_card: MakeCard
) -> None:
    network = make_cascade()
    with pytest.raises(ValueError, match="the card is of"):
        save_checkpoint(tmp_path / "x", network, make_card(replace(network.config, dropout=0.3)))
    assert not (tmp_path / "x").exists()


def test_saving_refuses_weights_that_float16_cannot_hold(
    tmp_path: Path, make_cascade: Callable[..., Cascade], make_card: MakeCard
) -> None:
    network = make_cascade()
    with torch.no_grad():
        network.get_parameter("stages.0.stem.weight")[0, 0, 0, 0] = 1e5
    with pytest.raises(ValueError, match=r"no finite float16 numbers: stages\.0\.stem\.weight"):
        save_checkpoint(tmp_path / "x", network, make_card(network.config))
    assert not (tmp_path / "x").exists()
