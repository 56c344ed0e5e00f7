"""Features of an encoder as one vector an image: padding counts nowhere."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from dfsynth.inference.embedding import embed

SIDE = 24
LEVELS = ((3, 24), (5, 12), (4, 6))
"""Channels and side of each level."""


def drawn_features(count: int, seed: int) -> list[Tensor]:
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(count, c, side, side, generator=random) for c, side in LEVELS]


def boxes(top: int, bottom: int, left: int, right: int) -> Tensor:
    """One image whose content lies on cells of the coarsest level."""
    content = torch.zeros(1, 1, SIDE, SIDE)
    content[..., 4 * top : 4 * bottom, 4 * left : 4 * right] = 1
    return content


content_boxes = st.tuples(
    st.integers(0, 2), st.integers(3, 6), st.integers(0, 2), st.integers(3, 6)
).map(lambda box: boxes(*box))


@given(content=content_boxes, seed=st.integers(0, 99), noise=st.sampled_from([1.0, 1e3]))
def test_what_lies_in_the_padding_changes_nothing(content: Tensor, seed: int, noise: float) -> None:
    features = drawn_features(1, seed)
    padding = [torch.nn.functional.interpolate(1 - content, f.shape[2:]) for f in features]
    other = drawn_features(1, seed + 1)
    changed = [f + noise * p * o for f, p, o in zip(features, padding, other, strict=True)]
    torch.testing.assert_close(embed(changed, content), embed(features, content))


def test_without_padding_it_is_mean_deviation_and_fields() -> None:
    features, content = drawn_features(2, 0), torch.ones(2, 1, SIDE, SIDE)
    wanted = []
    for level in features:
        wanted += [level.mean((2, 3)), level.std((2, 3), correction=0)]
    fields = features[-1].unflatten(3, (3, 2)).unflatten(2, (3, 2)).mean((3, 5))
    torch.testing.assert_close(embed(features, content), torch.cat([*wanted, fields.flatten(1)], 1))


def test_each_image_is_described_by_itself() -> None:
    features = drawn_features(3, 1)
    content = torch.cat([boxes(0, 6, 0, 6), boxes(1, 4, 0, 5), boxes(2, 3, 2, 4)])
    together = embed(features, content)
    for n in range(3):
        alone = embed([level[n : n + 1] for level in features], content[n : n + 1])
        torch.testing.assert_close(together[n : n + 1], alone)
    assert torch.isfinite(together).all()


def test_half_precision_is_pooled_in_float32() -> None:
    features, content = drawn_features(1, 2), torch.ones(1, 1, SIDE, SIDE)
    found = embed([level.bfloat16() for level in features], content)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, embed(features, content), rtol=0.02, atol=0.02)
