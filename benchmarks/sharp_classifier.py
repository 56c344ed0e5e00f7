"""A small classifier of radiographs that sees the finest texture first.

What gives a simulated radiograph away is often its texture, which a network that shrinks its input
at once never sees. So fixed filters (Laws, 1980) measure the energy of texture at full and at half
resolution, its logarithm joins the features of a small convolutional network, and its mean goes
straight to the head.
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

_KERNELS = ((1, 4, 6, 4, 1), (-1, -2, 0, 2, 1), (-1, 0, 2, 0, -1), (1, -4, 6, -4, 1))
"""Level, edge, spot and ripple, one after the other at higher frequencies."""
_BLOCK = 8
"""Pixels over which an energy is taken."""
_TEXTURES = 18
_FLOOR = 1e-6
"""About the variance of rounding to 8 bits: nothing below it is seen."""
_WIDTHS = (16, 24, 32)
_LAST = 48
_CROP = 192
_BATCH = 16
_RATE = 3e-3


class SharpClassifier(nn.Module):
    """(n, 1, y, x) in [0, 1] → (n,) logit; sides of at least 64 pixels that 16 divides."""

    filters: Tensor
    """(15, 1, 5, 5)"""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filters", _texture_filters())
        self.texture_norm = nn.BatchNorm2d(_TEXTURES)
        # All of four pixels goes in: the first step to half the resolution loses nothing.
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            *_block(4, _WIDTHS[0], stride=1),
            *_block(_WIDTHS[0], _WIDTHS[1], stride=2),
            *_block(_WIDTHS[1], _WIDTHS[2], stride=2),
        )
        self.joint = nn.Sequential(*_block(_WIDTHS[2] + _TEXTURES, _LAST, stride=2))
        self.hidden = nn.Linear(_TEXTURES + 2 * _LAST, 32)
        self.head = nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            textures = torch.cat([self._energies(x), self._half_energies(x)], dim=1)
        textures = self.texture_norm(textures)
        deep = self.joint(torch.cat([self.body(x - 0.5), textures], dim=1))
        pooled = [textures.mean(dim=(2, 3)), deep.mean(dim=(2, 3)), deep.amax(dim=(2, 3))]
        logit: Tensor = self.head(F.relu(self.hidden(torch.cat(pooled, dim=1))))[:, 0]
        return logit

    def _energies(self, x: Tensor, block: int = _BLOCK) -> Tensor:
        """Log energy of nine textures in blocks, directions merged, (n, 9, rows, columns)."""
        # Every second response does: an energy is a mean.
        response = F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), self.filters, stride=2)
        energy = F.avg_pool2d(response.square(), block // 2)
        merged = 0.5 * (energy[:, _PAIRS[0]] + energy[:, _PAIRS[1]])
        return torch.log(merged + _FLOOR)

    def _half_energies(self, x: Tensor) -> Tensor:
        return self._energies(F.avg_pool2d(x, 2), _BLOCK // 2)


_PAIRS = (
    [i * 4 + j - 1 for i in range(4) for j in range(i, 4) if j],
    [j * 4 + i - 1 for i in range(4) for j in range(i, 4) if j],
)


def train_classifier(
    negative: NDArray[np.uint8], positive: NDArray[np.uint8], steps: int, seed: int
) -> SharpClassifier:
    """Trains on two stacks of images (n, y, x), as many of each in every batch."""
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        # Layers draw their first weights from the global generator and take no other.
        torch.default_generator.manual_seed(seed)
        network = SharpClassifier()
    # torch declares no overload of `Module.to` that takes a memory format alone.
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps)
    label = torch.tensor([0.0, 1.0]).repeat_interleave(_BATCH // 2)
    for _ in range(steps):
        batch = [
            _varied(stack[i], rng)
            for stack in (negative, positive)
            for i in rng.integers(0, len(stack), _BATCH // 2)
        ]
        logit = network(torch.from_numpy(np.stack(batch))[:, None])
        loss = F.binary_cross_entropy_with_logits(logit, label)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


@torch.inference_mode()
def classify(network: SharpClassifier, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Logit of each image (n, y, x), averaged with its mirror image."""
    scores = []
    for image in images:
        unit = torch.from_numpy(image.astype(np.float32) / np.float32(255))
        scores.append(float(network(torch.stack([unit, unit.flip(1)])[:, None]).mean()))
    return np.array(scores)


def _block(before: int, after: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU()]


def _texture_filters() -> Tensor:
    """(15, 1, 5, 5): all products of two kernels but level times level, each of unit norm."""
    lines = [torch.tensor(k, dtype=torch.float32) for k in _KERNELS]
    products = torch.stack([torch.outer(a, b) for a in lines for b in lines][1:])
    return (products / products.flatten(1).norm(dim=1)[:, None, None])[:, None]


def _varied(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """A crop, its mirror image or not, other contrast: nothing that resamples and so blurs."""
    height, width = image.shape
    top, left = rng.integers(0, height - _CROP + 1), rng.integers(0, width - _CROP + 1)
    crop = image[top : top + _CROP, left : left + _CROP].astype(np.float32) / np.float32(255)
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    curved = crop ** np.float32(np.exp(rng.normal(0, 0.2)))
    return curved * np.float32(rng.uniform(0.7, 1.0)) + np.float32(rng.uniform(0.0, 0.15))
