"""The published cascade at its published size, to measure against.

Width 64, four levels, residual blocks whose long path has three convolutions and whose short path
has one, three heads; 33.0 M parameters and 2.47 TFLOP a stage at 1024² (Upadhyay et al., MICCAI
2021, whose code computes each block's long path twice; here it is computed once, the fair peer).
Weights are random: only its speed is of interest here.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (64, 128, 256, 512, 512)
DROPOUT = 0.1


class Block(nn.Module):
    """Three 3×3 convolutions beside one, added."""

    def __init__(self, channels_in: int, middle: int, channels_out: int) -> None:
        super().__init__()
        self.long = nn.Sequential(
            nn.Conv2d(channels_in, middle, 3, padding=1),
            nn.BatchNorm2d(middle),
            nn.ReLU(),
            nn.Conv2d(middle, middle, 3, padding=1),
            nn.BatchNorm2d(middle),
            nn.ReLU(),
            nn.Conv2d(middle, channels_out, 3, padding=1),
        )
        self.short = nn.Conv2d(channels_in, channels_out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.long(x) + self.short(x))


class PublishedStage(nn.Module):
    """One stage: mean, alpha and beta, each (n, 1, H, W)."""

    def __init__(self, channels_in: int) -> None:
        super().__init__()
        w = WIDTHS
        self.stem = Block(channels_in, w[0], w[0])
        self.down = nn.ModuleList(Block(w[i], w[i + 1], w[i + 1]) for i in range(4))
        self.up = nn.ModuleList(Block(2 * w[i], w[i], w[max(i - 1, 0)]) for i in (3, 2, 1, 0))
        self.heads = nn.ModuleList(nn.Conv2d(w[0], 1, 3, padding=1) for _ in range(3))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        skips = [self.stem(x)]
        for block in self.down:
            skips.append(block(F.max_pool2d(skips[-1], 2)))
        hidden = skips.pop()
        for block in self.up:
            hidden = F.interpolate(hidden, scale_factor=2, mode="bilinear", align_corners=True)
            hidden = F.dropout2d(block(torch.cat([skips.pop(), hidden], dim=1)), DROPOUT)
        mean, alpha, beta = (head(hidden) for head in self.heads)
        return mean, F.softplus(alpha) + 1e-3, F.softplus(beta) + 0.5


class PublishedCascade(nn.Module):
    """Three stages joined by the attention map, one Monte-Carlo sample a call."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList([PublishedStage(1), PublishedStage(2), PublishedStage(2)])

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """image (n, 1, H, W) → mean and standard deviation of the last stage."""
        mean, alpha, beta = self.stages[0](image)
        for stage in list(self.stages)[1:]:
            sigma = _sigma(alpha, beta)
            guided = mean * sigma / sigma.mean(dim=(1, 2, 3), keepdim=True)
            mean, alpha, beta = stage(torch.cat([image, guided], dim=1))
        return mean, _sigma(alpha, beta)


def _sigma(alpha: Tensor, beta: Tensor) -> Tensor:
    return alpha * torch.exp(0.5 * (torch.lgamma(3 / beta) - torch.lgamma(1 / beta)))
