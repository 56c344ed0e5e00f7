"""Which networks degrade, and what a card says of them."""

from dataclasses import asdict
from typing import Any

import pytest

from dfsynth.checkpoint import (
    CascadeConfig,
    DiffusionConfig,
    FlowConfig,
    MunitConfig,
    NetworkConfig,
    choose_sampler,
    is_degrader,
    require_degrader,
    require_generator,
    require_sampling,
)
from dfsynth.checkpoint.denoiser import read_diffusion_config
from dfsynth.checkpoint.entries import Entries
from dfsynth.checkpoint.munit import read_munit_config
from dfsynth.errors import UsageError
from dfsynth.records import SamplerChoice

DEGRADERS = (MunitConfig(), DiffusionConfig(conditional=False))
GENERATORS = (CascadeConfig(), DiffusionConfig(), FlowConfig())


@pytest.mark.parametrize("config", DEGRADERS)
def test_a_degrader_is_no_generator(config: NetworkConfig) -> None:
    assert is_degrader(config)
    require_degrader(config)
    with pytest.raises(UsageError, match=r"is a degrader.*simulate --task restoration"):
        require_generator(config)
    with pytest.raises(UsageError, match="is a degrader"):
        require_sampling(config, 20, "full")


@pytest.mark.parametrize("config", DEGRADERS)
def test_guidance_of_a_degrader_is_one_line(config: NetworkConfig) -> None:
    with pytest.raises(UsageError, match="is a degrader, which makes low-quality partners"):
        choose_sampler(config, SamplerChoice(guidance=2.0))


@pytest.mark.parametrize("change", [{"drop_condition": 0.1}, {"residual": 0.5}])
def test_a_network_without_a_condition_has_none_to_drop_or_to_add_to(
    change: dict[str, float],
) -> None:
    with pytest.raises(ValueError, match="without a condition the sampler ddim, and drop_cond"):
        DiffusionConfig(conditional=False, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("config", GENERATORS)
def test_a_generator_is_no_degrader(config: NetworkConfig) -> None:
    assert not is_degrader(config)
    require_generator(config)
    with pytest.raises(UsageError, match=r"is a generator and degrades nothing.*munit-64"):
        require_degrader(config)


def as_in_a_card(config: Any) -> Entries:
    found = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(config).items()}
    return Entries(found, "arguments")


def test_a_card_gives_the_configuration_back() -> None:
    munit = MunitConfig(24, 2, 3, 4)
    assert read_munit_config(as_in_a_card(munit)) == munit
    diffusion = DiffusionConfig(conditional=False, steps=20, degrade_level=300)
    assert read_diffusion_config(as_in_a_card(diffusion)) == diffusion


def test_cards_of_before_are_of_conditional_networks() -> None:
    entries = {"widths": [8, 16], "blocks": 1, "span": [0.0, 1.0], "steps": 10}
    found = read_diffusion_config(Entries(entries, "arguments"))
    assert isinstance(found, DiffusionConfig)
    assert found.conditional


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": 0}, "a width of 1 or more, found 0"),
        ({"halvings": 0}, "halvings"),
        ({"style": -1}, "style"),
    ],
)
def test_numbers_out_of_range_are_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        MunitConfig(**changes)


@pytest.mark.parametrize("level", [0, 30, 1050])
def test_a_level_is_reached_by_whole_steps(level: int) -> None:
    with pytest.raises(ValueError, match=f"a multiple of 50, .* 20 steps.*found {level}"):
        DiffusionConfig(conditional=False, steps=20, degrade_level=level)
    assert DiffusionConfig(steps=20, degrade_level=level).conditional
