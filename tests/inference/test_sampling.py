"""Maps from samples: the same in any batch, their moments, and what cannot be asked of them."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from dfsynth.checkpoint import DiffusionConfig, FlowConfig
from dfsynth.errors import DfsynthError, UsageError
from dfsynth.inference import sampling
from dfsynth.inference.sampling import SamplingGenerator, StepNoise, sample_moments
from dfsynth.inference.streams import image_stream, noise_samples, step_stream
from dfsynth.models import DiffusionNetwork, FlowNetwork
from dfsynth.records import IntensityWindow, SamplerSettings

SPAN = (0.0, 0.5)
CPU = torch.device("cpu")


def network(seed: int = 0) -> FlowNetwork:
    """With weights that do something: the last layer of a new network gives zero."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = FlowNetwork(FlowConfig((8, 16), 1, SPAN, 2))
        with torch.no_grad():
            for weight in made.parameters():
                weight.add_(0.05 * torch.randn_like(weight))
    return made


def generator(members: int = 1, **choices: Any) -> SamplingGenerator:
    values: dict[str, Any] = {"mc_samples": 3, "seed": 7, "heads": None, "mc": "full"} | choices
    networks = [network(seed) for seed in range(members)]
    return SamplingGenerator(networks, CPU, "fp32", intensity=IntensityWindow(), **values)


def images(count: int, height: int = 9, width: int = 7) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((count, height, width), np.float32)


def test_an_image_gives_the_same_maps_in_any_batch() -> None:
    given = images(4)
    together = generator()(given, ["a", "b", "c", "d"])
    alone = generator()(given[2:3], ["c"])
    for name in ("mean", "aleatoric"):
        whole, one = getattr(together, name), getattr(alone, name)
        assert whole.shape == given.shape
        assert whole.dtype == np.float32
        np.testing.assert_allclose(whole[2:3], one, rtol=0, atol=1e-5)
    assert np.abs(together.mean - generator(seed=8)(given, ["a", "b", "c", "d"]).mean).max() > 1e-3
    assert np.abs(together.mean - generator()(given, ["a", "x", "c", "d"]).mean).max() > 1e-3


def ancestral(members: int, **choices: Any) -> SamplingGenerator:
    values: dict[str, Any] = {"mc_samples": 5, "seed": 7, "heads": None, "mc": "full"} | choices
    networks = []
    for seed in range(members):
        made = DiffusionNetwork(DiffusionConfig((8, 16), 1, SPAN, 5, "ancestral"))
        made.load_state_dict(network(seed).state_dict())
        networks.append(made)
    return SamplingGenerator(networks, CPU, "fp32", intensity=IntensityWindow(), **values)


@pytest.mark.parametrize("members", [1, 2])
def test_noise_on_the_way_is_the_same_in_any_batch_and_pass(
    members: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, ids = images(4), ["a", "b", "c", "d"]
    together = ancestral(members)(given, ids)
    monkeypatch.setattr(sampling, "_CPU_PIXELS_A_PASS", 3 * 10 * 8)
    again, alone = ancestral(members)(given, ids), ancestral(members)(given[2:3], ["c"])
    for name in ("mean", "aleatoric", "epistemic"):
        whole = getattr(together, name)
        np.testing.assert_allclose(whole, getattr(again, name), rtol=0, atol=1e-4)
        np.testing.assert_allclose(whole[2:3], getattr(alone, name), rtol=0, atol=1e-4)


def test_each_step_of_each_sample_draws_its_own_noise() -> None:
    fresh, shape = StepNoise(3, [("a", 0), ("a", 1), ("b", 0)]), torch.zeros(3, 1, 40, 40)
    drawn = torch.cat([fresh(shape), fresh(shape)])
    alike = np.corrcoef(drawn.flatten(1).numpy())
    assert np.abs(alike - np.eye(6)).max() < 0.12
    assert float(drawn.std()) == pytest.approx(1, abs=0.05)
    again = StepNoise(3, [("b", 0)])
    assert torch.equal(again(shape[:1]), drawn[2:3])
    assert torch.equal(again(shape[:1]), drawn[5:6])
    assert step_stream(3, "a", 0).random() != image_stream(3, "a\x000").random()


def test_how_samples_are_drawn_can_be_chosen() -> None:
    given = images(2)
    plain = generator()(given)
    same = generator(settings=SamplerSettings("euler", 2, 0.0))(given)
    np.testing.assert_array_equal(plain.mean, same.mean)
    other = generator(settings=SamplerSettings("midpoint", 2, 0.0))(given)
    assert np.abs(plain.mean - other.mean).max() > 1e-4


def test_one_stage_says_all() -> None:
    given = images(2)
    [found] = generator().stages(given)
    assert not found.epistemic.any()
    assert found.lung is None
    assert found.beta is not None
    assert (found.beta == 2).all()
    np.testing.assert_array_equal(found.mean, generator()(given).mean)
    assert (found.aleatoric > 0).all()


def test_more_samples_begin_with_the_same_noise() -> None:
    few, many = (noise_samples(1, "image", n, 4, 6) for n in (2, 5))
    np.testing.assert_array_equal(many[:2], few)
    assert many.dtype == np.float32
    assert abs(float(noise_samples(1, "image", 50, 20, 20).std()) - 1) < 0.02


def test_the_maps_are_the_moments_of_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FlowNetwork, "draw", lambda _, image, noise, *__: image + 0.1 * noise)
    given = images(2, 8, 6)
    found = generator(mc_samples=5)(given, ["a", "b"])
    drawn = np.stack([given[i] + 0.1 * noise_samples(7, "ab"[i], 5, 8, 6) for i in range(2)])
    np.testing.assert_allclose(found.mean, drawn.mean(axis=1), rtol=0, atol=1e-6)
    np.testing.assert_allclose(found.aleatoric, drawn.std(axis=1, ddof=1), rtol=0, atol=1e-6)


def test_equal_samples_are_not_certain() -> None:
    found = sample_moments([torch.ones(1, 4, 2, 2)], SPAN)
    torch.testing.assert_close(found.mean, torch.ones(1, 2, 2))
    torch.testing.assert_close(found.within, torch.full((1, 2, 2), 0.5e-3))
    assert not found.between.any()


def test_deviations_within_and_between_networks_are_told_apart() -> None:
    """Many pixels, of one truth each: noise of 0.2, networks that are off by 0.3."""
    generator = torch.Generator().manual_seed(0)
    networks = [0.3 * torch.randn(1, 1, 200, 200, generator=generator) for _ in range(4)]
    samples = [n + 0.2 * torch.randn(1, 3, 200, 200, generator=generator) for n in networks]
    found = sample_moments(samples, SPAN)
    assert found.mean.shape == (1, 200, 200)
    torch.testing.assert_close(found.mean, torch.cat(samples, dim=1).mean(dim=1))
    assert float(found.within.square().mean().sqrt()) == pytest.approx(0.2, abs=0.005)
    assert float(found.between.square().mean().sqrt()) == pytest.approx(0.3, abs=0.01)
    alike = [0.2 * torch.randn(1, 3, 200, 200, generator=generator) for _ in range(4)]
    assert float(sample_moments(alike, SPAN).between.square().mean().sqrt()) < 0.08


def test_networks_of_few_samples_do_not_pass_for_networks_that_disagree() -> None:
    """What samples give the networks' means is taken off by each network's own number of them."""
    generator = torch.Generator().manual_seed(0)
    apart, noise = 2.0, 0.5
    networks = [apart * torch.randn(1, 1, 500, 500, generator=generator) for _ in range(2)]
    samples = [
        n + noise * torch.randn(1, count, 500, 500, generator=generator)
        for n, count in zip(networks, (2, 30), strict=True)
    ]
    found = sample_moments(samples, SPAN)
    means = torch.stack([s.mean(dim=1) for s in samples])
    taken_off = means.var(dim=0) - found.between.square()
    seen = taken_off[found.between > 0].mean()
    assert float(seen) == pytest.approx(noise**2 * (1 / 2 + 1 / 30) / 2, rel=0.02)


def test_members_share_the_samples_out() -> None:
    given, ids = images(2), ["a", "b"]
    found = generator(members=2, mc_samples=5)(given, ids)
    assert found.epistemic.any()
    noise = torch.from_numpy(np.stack([noise_samples(7, i, 5, 10, 8) for i in ids]))
    padded = network().pad(torch.from_numpy(given)[:, None])
    with torch.inference_mode():
        drawn = [
            torch.stack([network(m).draw(padded, n[:, None])[:, 0, :9, :7] for n in start], dim=1)
            for m, start in enumerate((noise[:, 0::2].unbind(1), noise[:, 1::2].unbind(1)))
        ]
    wanted = sample_moments(drawn, SPAN)
    np.testing.assert_allclose(found.mean, wanted.mean.numpy(), rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.aleatoric, wanted.within.numpy(), rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.epistemic, wanted.between.numpy(), rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"mc_samples": 1}, "--mc-samples 1; use --mc full and --mc-samples 2 or more"),
        ({"members": 2}, "--mc-samples 3; use --mc full and --mc-samples 4 or more"),
        ({"mc": "fast"}, "found --mc fast"),
        ({"heads": lambda _: ()}, "heads for trust judge what cascades make"),
    ],
)
def test_what_samples_cannot_say_is_refused(choice: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        generator(**choice)


def test_arrays_of_another_kind_and_missing_ids_are_refused() -> None:
    with pytest.raises(ValueError, match="floating-point"):
        generator()(np.zeros((1, 4, 4), np.uint8))
    with pytest.raises(ValueError, match="expected 2 image ids, found 1"):
        generator()(images(2), ["only"])


def test_a_batch_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(_: FlowNetwork, image: Tensor, *how: Any) -> Tensor:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(FlowNetwork, "draw", draw)
    with pytest.raises(DfsynthError, match=r"2 images of 10x8 does not fit .* --batch-size"):
        generator()(images(2))


def test_batches_shrink_as_images_and_samples_grow() -> None:
    assert generator(mc_samples=2).auto_batch_size((8, 8)) == 32
    assert generator(mc_samples=4).auto_batch_size((32, 32)) == 4
    assert generator(mc_samples=20).auto_batch_size((512, 512)) == 1
    guided = generator(mc_samples=4, settings=SamplerSettings("euler", 2, 1.0))
    assert guided.auto_batch_size((32, 32)) == 2
