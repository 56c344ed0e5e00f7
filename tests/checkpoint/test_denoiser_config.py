"""Cards of networks that draw samples: written, read back, and refused where they cannot be."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from small_cards import small_card

from dfsynth.checkpoint import (
    CARD,
    DENOISER_MEMBERS_NETWORK,
    DIFFUSION_NETWORK,
    FLOW_NETWORK,
    WEIGHTS,
    CascadeConfig,
    DenoiserConfig,
    DenoiserMembersConfig,
    DiffusionConfig,
    FlowConfig,
    ModelCard,
    NetworkConfig,
    choose_sampler,
    encode_card,
    read_checkpoint,
    sampling,
)
from dfsynth.checkpoint.sampling import require_samples
from dfsynth.errors import CheckpointError, UsageError
from dfsynth.records import SamplerChoice, SamplerSettings

CONFIGS: Final[dict[str, NetworkConfig]] = {
    DIFFUSION_NETWORK: DiffusionConfig((8, 24), 2, (-1.0, 2.5), 20),
    FLOW_NETWORK: FlowConfig((16, 32, 64), 1, (0.0, 0.6), 3),
    DENOISER_MEMBERS_NETWORK: DenoiserMembersConfig(3, FlowConfig((8, 16))),
}
CHOSEN: Final = DiffusionConfig(
    (8, 16), steps=7, sampler="dpm-solver", guidance=1.5, drop_condition=0.1, residual=0.25
)


def entries(network: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encode_card(small_card(CONFIGS[network], network=network)))
    return found


def read(folder: Path, card: dict[str, Any]) -> ModelCard:
    (folder / CARD).write_text(json.dumps(card))
    (folder / WEIGHTS).write_bytes(b"weights")
    return read_checkpoint(folder).card


@pytest.mark.parametrize("network", sorted(CONFIGS))
def test_a_card_comes_back_as_it_was(tmp_path: Path, network: str) -> None:
    found = read(tmp_path, entries(network)).arguments
    assert found == CONFIGS[network]
    members = 3 if network == DENOISER_MEMBERS_NETWORK else 1
    assert (found.stages, found.members, found.lung_head) == (1, members, False)


def test_what_cards_could_not_say_before_is_there_only_where_it_is_said(tmp_path: Path) -> None:
    for network in CONFIGS:
        card = entries(network)
        arguments = card["arguments"].get("network", card["arguments"])
        assert arguments.keys() == {"widths", "blocks", "span", "steps", "name"}
    for config in (CHOSEN, DenoiserMembersConfig(2, CHOSEN)):
        network = DIFFUSION_NETWORK if config is CHOSEN else DENOISER_MEMBERS_NETWORK
        card = json.loads(encode_card(small_card(config, network=network)))
        assert read(tmp_path, card).arguments == config
    assert CHOSEN.sampling == SamplerSettings("dpm-solver", 7, 1.5)
    assert DiffusionConfig().sampling == SamplerSettings("ddim", 10, 0.0)
    assert FlowConfig().sampling == SamplerSettings("euler", 4, 0.0)


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        (DiffusionConfig, {"sampler": "euler"}, "ddim, ancestral, dpm-solver, found euler"),
        (FlowConfig, {"sampler": "ddim"}, "this family of networks, euler, midpoint, found ddim"),
        (FlowConfig, {"sampler": "midpoint", "steps": 5}, "an even number of steps of midpoint"),
        (DiffusionConfig, {"sampler": "ancestral", "steps": 3}, "a divisor of 1000"),
        (DiffusionConfig, {"sampler": "dpm-solver", "steps": 1000}, "fewer steps of dpm-solver"),
        (FlowConfig, {"drop_condition": 1.0}, r"drop_condition in \[0, 1\), found 1"),
        (FlowConfig, {"drop_condition": float("nan")}, "drop_condition"),
        (FlowConfig, {"residual": -0.5}, "a residual of 0 or more, found -0.5"),
        (FlowConfig, {"residual": float("nan")}, "a residual of 0 or more, found nan"),
        (FlowConfig, {"guidance": 1.0}, "no guidance of a network that is trained with every"),
        (FlowConfig, {"guidance": -1.0, "drop_condition": 0.1}, "a guidance of 0 or more"),
        (FlowConfig, {"guidance": float("inf"), "drop_condition": 0.1}, "of 0 or more, found inf"),
    ],
)
def test_samples_that_cannot_be_drawn_so_are_no_configuration(
    kind: type[DenoiserConfig], change: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        kind(**change)


def test_a_choice_changes_what_the_card_says_and_nothing_else() -> None:
    members = DenoiserMembersConfig(2, CHOSEN)
    for config in (CHOSEN, members):
        assert choose_sampler(config, SamplerChoice()) == CHOSEN.sampling
        found = choose_sampler(config, SamplerChoice("ddim", 50))
        assert found == SamplerSettings("ddim", 50, 1.5)
    assert choose_sampler(CascadeConfig(), SamplerChoice()) is None
    with pytest.raises(UsageError, match="--guidance 0: this checkpoint draws no samples"):
        choose_sampler(CascadeConfig(), SamplerChoice(guidance=0))
    with pytest.raises(UsageError, match="found midpoint; its card says dpm-solver of 7 steps, gu"):
        choose_sampler(members, SamplerChoice("midpoint"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"widths": []}, "at least two widths"),
        ({"widths": [8]}, "at least two widths"),
        ({"widths": [8, 12]}, "each a multiple of 8"),
        ({"blocks": 0}, "'blocks' is not"),
        ({"span": [0.0]}, "'span' is not a low and a higher value"),
        ({"span": [1.0, 1.0]}, "a low and a higher value"),
        ({"steps": 1001}, "expected 1 to 1000 steps"),
        ({"name": "cascade"}, "'name' is not one of diffusion"),
        ({"surprise": 1}, "unknown entries: 'surprise'"),
        ({"sampler": "midpoint"}, "'sampler' is not one of ddim, ancestral, dpm-solver"),
        ({"guidance": "much"}, "'guidance' is not finite numbers"),
        ({"drop_condition": 2}, "drop_condition in"),
    ],
)
def test_entries_that_are_something_else_are_named(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    card = entries(DIFFUSION_NETWORK)
    card["arguments"] |= change
    with pytest.raises(CheckpointError, match=words):
        read(tmp_path, card)


def test_levels_of_noise_are_passed_in_equal_steps_by_diffusion_alone() -> None:
    with pytest.raises(ValueError, match="a divisor of 1000"):
        DiffusionConfig(steps=3)
    assert FlowConfig(steps=3).steps == 3


@pytest.mark.parametrize("kind", [DiffusionConfig, FlowConfig])
def test_there_is_a_block_at_least(kind: type[DenoiserConfig]) -> None:
    with pytest.raises(ValueError, match="expected 1 block or more"):
        kind(blocks=0)


@pytest.mark.parametrize("members", [1, 17])
def test_one_member_is_no_ensemble_and_too_many_are_refused(tmp_path: Path, members: int) -> None:
    card = entries(DENOISER_MEMBERS_NETWORK)
    card["arguments"]["members"] = members
    with pytest.raises(CheckpointError, match=f"expected 2 to 16 members, found {members}"):
        read(tmp_path, card)


def test_members_are_of_either_family_and_of_no_other(tmp_path: Path) -> None:
    card = entries(DENOISER_MEMBERS_NETWORK)
    card["arguments"]["network"]["name"] = "diffusion"
    assert isinstance(read(tmp_path, card).arguments, DenoiserMembersConfig)
    card["arguments"]["network"]["name"] = "upgan-compact"
    with pytest.raises(CheckpointError, match="'name' is not one of diffusion, flow"):
        read(tmp_path, card)


def test_every_network_needs_two_samples() -> None:
    require_samples(3, 6, "full")
    with pytest.raises(UsageError, match="--mc-samples 5; use --mc full and --mc-samples 6 or"):
        require_samples(3, 5, "full")
    with pytest.raises(UsageError, match="found --mc fast"):
        require_samples(3, 20, "fast")


@dataclass(frozen=True, slots=True)
class _Wrapped:
    """Not of the classes above, and says itself that it draws samples."""

    denoiser: FlowConfig
    stages: int = 1
    members: int = 2
    lung_head: bool = False
    has_dropout: bool = False


def test_a_configuration_says_itself_whether_it_draws_samples(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "require_library", lambda *_: None)
    wrapped = _Wrapped(FlowConfig(steps=4))
    with pytest.raises(UsageError, match="--mc-samples 3; use"):
        sampling.require_sampling(wrapped, 3, "full")
    assert sampling.choose_sampler(wrapped, SamplerChoice(steps=2)) == SamplerSettings(
        "euler", 2, 0
    )
    assert CONFIGS[DENOISER_MEMBERS_NETWORK].denoiser == FlowConfig((8, 16))
    assert CascadeConfig().denoiser is None


def test_samples_and_libraries_are_asked_of_these_networks_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(sampling, "require_library", lambda library, *_: asked.append(library))
    sampling.require_sampling(CascadeConfig(), 1, "fast")
    assert not asked
    sampling.require_sampling(CONFIGS[DENOISER_MEMBERS_NETWORK], 6, "full")
    assert asked == ["einops", "monai"]
    for network, samples in ((FLOW_NETWORK, 1), (DENOISER_MEMBERS_NETWORK, 5)):
        with pytest.raises(UsageError, match=f"--mc-samples {samples}; use"):
            sampling.require_sampling(CONFIGS[network], samples, "full")
