"""MUNIT: images of two unpaired collections as content, which they share, and style.

Huang et al., "Multimodal Unsupervised Image-to-Image Translation", ECCV 2018. Each collection has
an encoder of content, one of style, and a decoder that takes the style by adaptive instance
normalisation (Huang & Belongie, ICCV 2017). The content of a good radiograph, decoded with a style
drawn for the other collection, is its low-quality partner (MUNIT-LQ of Goyal et al., 2025,
"DiffusionXRay"). Unlike the paper's, decoders enlarge bilinearly, by 3×3 convolutions: less work,
and no checkerboard.
"""

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfsynth.checkpoint import MunitConfig
from dfsynth.models.network import TrainableNetwork


class MunitImages(NamedTuple):
    """What a step compares: good radiographs and images of the other collection, n of each.

    Images are (n, 1, H, W) in [0, 1], contents (n, C, h, w), styles (n, S).
    """

    good_again: Tensor
    """Each from its own content and style, as `poor_again`."""
    poor_again: Tensor
    good_made: Tensor
    """From the content of the other collection and a drawn style, as `poor_made`."""
    poor_made: Tensor
    good_cycle: Tensor
    """From the content of what was made of it and its own style, as `poor_cycle`."""
    poor_cycle: Tensor
    contents: tuple[Tensor, Tensor]
    """Of good and poor images."""
    contents_again: tuple[Tensor, Tensor]
    """The same, found in what was made of them."""
    styles: tuple[Tensor, Tensor]
    """Drawn, for good and poor images."""
    styles_again: tuple[Tensor, Tensor]
    """The same, found in `good_made` and `poor_made`."""


class Munit(TrainableNetwork):
    """An autoencoder of content and style for each of two collections of images in [0, 1]."""

    config: MunitConfig

    def __init__(self, config: MunitConfig) -> None:
        """Builds the network with initial weights from torch's global generator."""
        super().__init__()
        self.config = config
        self.good = _Autoencoder(config)
        self.poor = _Autoencoder(config)
        # Alike at first: of two that begin apart, one may take dark for what the other calls dense.
        self.poor.load_state_dict(self.good.state_dict())
        self.divisor = 2**config.halvings

    def stage(self, m: int) -> nn.Module:  # noqa: ARG002
        """Gives all of it, which is trained together."""
        return self

    def forward(
        self, good: Tensor, poor: Tensor, good_style: Tensor, poor_style: Tensor
    ) -> MunitImages:
        """Makes all that the losses compare, of images (n, 1, H, W) in [0, 1] and styles (n, S).

        H and W must be divisible by `divisor`.
        """
        good_content, own_good = self.good.encode(good)
        poor_content, own_poor = self.poor.encode(poor)
        good_made = self.good.decode(poor_content, good_style)
        poor_made = self.poor.decode(good_content, poor_style)
        poor_content_again, good_style_again = self.good.encode(good_made)
        good_content_again, poor_style_again = self.poor.encode(poor_made)
        return MunitImages(
            good_again=self.good.decode(good_content, own_good),
            poor_again=self.poor.decode(poor_content, own_poor),
            good_made=good_made,
            poor_made=poor_made,
            good_cycle=self.good.decode(good_content_again, own_good),
            poor_cycle=self.poor.decode(poor_content_again, own_poor),
            contents=(good_content, poor_content),
            contents_again=(good_content_again, poor_content_again),
            styles=(good_style, poor_style),
            styles_again=(good_style_again, poor_style_again),
        )

    def noise_shape(self, height: int, width: int) -> tuple[int, ...]:  # noqa: ARG002
        """Gives the shape of what is drawn for an image of height × width pixels: a style."""
        return (self.config.style,)

    def degrade(self, images: Tensor, noise: Tensor) -> Tensor:
        """Makes partners of good radiographs (n, 1, H, W) in [0, 1], of the same shape and range.

        `noise` (n, S) is standard normal: a style of the other collection each.
        """
        height, width = images.shape[-2:]
        content = self.good.content(self.pad_by_edges(images))
        return self.poor.decode(content, noise)[..., :height, :width]


class _Autoencoder(nn.Module):
    """Image → content and style → image, of one collection."""

    def __init__(self, config: MunitConfig) -> None:
        super().__init__()
        widths = [config.width * 2**level for level in range(config.halvings + 1)]
        self.content = _content_encoder(widths, config.blocks)
        self.style = _style_encoder(widths, config.style)
        self.decoder = _Decoder(widths, config.blocks, config.style)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Finds content (n, C, h, w) and style (n, S) of images (n, 1, H, W) in [0, 1]."""
        return self.content(images), self.style(images).flatten(1)

    def decode(self, content: Tensor, style: Tensor) -> Tensor:
        """Makes images (n, 1, H, W) in [0, 1] of both."""
        images: Tensor = self.decoder(content, style)
        return images


def _convolution(channels_in: int, channels_out: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(
        channels_in, channels_out, kernel, stride, (kernel - 1) // 2, padding_mode="reflect"
    )


def _content_encoder(widths: list[int], blocks: int) -> nn.Sequential:
    layers: list[nn.Module] = [_convolution(1, widths[0], 7), nn.InstanceNorm2d(widths[0])]
    for fine, coarse in pairwise(widths):
        layers += [nn.ReLU(), _convolution(fine, coarse, 4, 2), nn.InstanceNorm2d(coarse)]
    layers.append(nn.ReLU())
    layers += [_ResidualBlock(widths[-1]) for _ in range(blocks)]
    return nn.Sequential(*layers)


def _style_encoder(widths: list[int], style: int) -> nn.Sequential:
    """Without norms, which would take away what style is: mean and contrast of features."""
    layers: list[nn.Module] = [_convolution(1, widths[0], 7), nn.ReLU()]
    # One halving more than the content has, so that it sees textures and not single pixels.
    for fine, coarse in pairwise([*widths, widths[-1]]):
        layers += [_convolution(fine, coarse, 4, 2), nn.ReLU()]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Conv2d(widths[-1], style, 1)]
    return nn.Sequential(*layers)


class _ResidualBlock(nn.Module):
    """Two 3×3 convolutions with instance norm around a skip; (n, C, h, w) → the same.

    The norms' weights and biases come in as an argument, or are 1 and 0.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = _convolution(width, width, 3)
        self.conv2 = _convolution(width, width, 3)

    def forward(self, x: Tensor, style: Tensor | None = None) -> Tensor:
        """`style` is (n, 4 C): biases and changes of the weights of both norms."""
        parts = (None,) * 4 if style is None else style.chunk(4, dim=1)
        hidden = F.relu(_adapted(self.conv1(x), *parts[:2]))
        return x + _adapted(self.conv2(hidden), *parts[2:])


def _adapted(maps: Tensor, bias: Tensor | None, weight: Tensor | None) -> Tensor:
    """Adaptive instance normalisation of maps (n, C, h, w): equation 8 of Huang & Belongie."""
    normed = F.instance_norm(maps)
    if bias is None or weight is None:
        return normed
    return normed * (1 + weight[:, :, None, None]) + bias[:, :, None, None]


class _Decoder(nn.Module):
    """Content (n, C, h, w) and style (n, S) → images (n, 1, H, W) in [0, 1]."""

    def __init__(self, widths: list[int], blocks: int, style: int) -> None:
        super().__init__()
        hidden, coarse = 4 * widths[0], widths[-1]
        self.styling = nn.Sequential(
            nn.Linear(style, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 4 * coarse * blocks),
        )
        self.blocks = nn.ModuleList(_ResidualBlock(coarse) for _ in range(blocks))
        self.enlarging = nn.ModuleList(
            # Norm over all channels keeps what the style says of each beside the others.
            nn.Sequential(_convolution(above, below, 3), nn.GroupNorm(1, below), nn.ReLU())
            for above, below in pairwise(reversed(widths))
        )
        self.head = _convolution(widths[0], 1, 7)

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        hidden = content
        parts = self.styling(style).chunk(len(self.blocks), dim=1)
        for block, part in zip(self.blocks, parts, strict=True):
            hidden = block(hidden, part)
        for layers in self.enlarging:
            hidden = layers(F.interpolate(hidden, scale_factor=2, mode="bilinear"))
        # The paper's hyperbolic tangent, from -1 to 1, brought to 0 to 1.
        return torch.sigmoid(2 * self.head(hidden).float())
