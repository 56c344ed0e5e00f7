"""The step of each baseline as one would first write it in PyTorch, on a batch that lies ready.

Networks and discriminators are ours; everything around them is written out: the loss of the paper
from the raw channels of the network, backward, Adam. No learning rate changes, no gradient is
clipped or looked at, no average is kept, no number is read back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfsynth.checkpoint import NOISE_LEVELS, CascadeConfig, DiffusionConfig
from dfsynth.datasets import PairBatch
from dfsynth.devices import mixed_precision
from dfsynth.models import Denoiser
from dfsynth.models.cascade import Cascade
from dfsynth.models.discriminator import PatchDiscriminator
from dfsynth.train import Recipe
from dfsynth.train.families import family_of

Step = Callable[[], None]


@dataclass
class BareTraining:
    """What every bare loop has; maps of the batch are (n, 1, H, W), and nothing is padding."""

    recipe: Recipe
    batch: PairBatch
    precision: str
    network: nn.Module = field(init=False)
    optimiser: torch.optim.Optimizer = field(init=False)

    def __post_init__(self) -> None:
        options, device = self.recipe.optimiser, self.batch.image.device
        network = family_of(self.recipe.network).build(self.recipe.network)
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        kind = torch.optim.Adam if options.name == "adam" else torch.optim.AdamW
        self.optimiser = kind(
            self.network.parameters(),
            self.recipe.phase[-1].learning_rate,
            betas=options.betas,
            weight_decay=options.weight_decay,
        )

    def autocast(self) -> torch.autocast:
        """In which the network runs; losses and discriminators stay in float32, as ours do."""
        return mixed_precision(self.batch.image.device, self.precision)

    def update(self, loss: Tensor) -> None:
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()


def bare_step(recipe: Recipe, batch: PairBatch, precision: str) -> Step:
    """The step of a recipe, with weights of its own; every call moves them."""
    if not isinstance(recipe.network, CascadeConfig):
        return DenoisingStep(recipe, batch, precision)
    if recipe.network.stages > 1:
        return CascadeStep(recipe, batch, precision)
    if recipe.loss.adversarial:
        return AdversarialStep(recipe, batch, precision)
    return OneNetworkStep(recipe, batch, precision)


class OneNetworkStep(BareTraining):
    """A network and its loss: L1, Gaussian likelihood, or squared errors and quantiles."""

    def __call__(self) -> None:
        raw = self.raw_output()
        self.update(PIXEL_LOSSES[self.recipe.name](raw, self.batch.target) + self.lung_loss(raw))

    def raw_output(self) -> Tensor:
        """(n, channels, H, W), with whole channels dropped where the recipe says so."""
        assert isinstance(self.network, Cascade)
        stage, image = self.network.stage(0), self.batch.image
        config = self.network.config
        masks = [
            F.dropout(image.new_ones(len(image), channels), config.dropout)
            for channels in stage.dropout_channels
        ]
        with self.autocast():
            return stage.decode(stage.encode(image), masks)

    def lung_loss(self, raw: Tensor) -> Tensor:
        """The lung's cross-entropy, of the last channel; 0 where the task has no lung."""
        assert isinstance(self.recipe.network, CascadeConfig)
        if not self.recipe.network.lung_head or self.batch.lung is None:
            return raw.new_zeros(())
        weight, batch = self.recipe.loss.lung, self.batch
        return weight * F.binary_cross_entropy_with_logits(
            raw[:, -1:], self.batch.lung, batch.lung_weight
        )


def l1(raw: Tensor, target: Tensor) -> Tensor:
    return F.l1_loss(raw[:, :1], target)


def gaussian_likelihood(raw: Tensor, target: Tensor) -> Tensor:
    alpha = F.softplus(raw[:, 1:2] - 2) + 1e-3
    return (((raw[:, :1] - target) / alpha).square() + alpha.log()).mean()


def squares_and_quantiles(raw: Tensor, target: Tensor) -> Tensor:
    below, above = (F.softplus(raw[:, 1:3] - 2) + 1e-3).chunk(2, dim=1)
    mean = raw[:, :1]
    low, high = target - (mean.detach() - below), target - (mean.detach() + above)
    pinball = torch.maximum(0.05 * low, -0.95 * low) + torch.maximum(0.95 * high, -0.05 * high)
    return F.mse_loss(mean, target) + pinball.mean()


def no_pixel_loss(raw: Tensor, target: Tensor) -> Tensor:  # noqa: ARG001 - as the others
    return raw.new_zeros(())


PIXEL_LOSSES: Final[dict[str, Callable[[Tensor, Tensor], Tensor]]] = {
    "unet-l1": l1,
    "pix2pix": l1,
    "pan": no_pixel_loss,
    "medgan": l1,
    "heteroscedastic-unet": gaussian_likelihood,
    "quantile-unet": squares_and_quantiles,
}


@dataclass
class Opponents:
    """Discriminators with an optimiser of theirs, frozen while the generator learns."""

    modules: nn.ModuleList
    optimiser: torch.optim.Optimizer

    @classmethod
    def of(cls, recipe: Recipe, device: torch.device) -> "Opponents":
        channels = 2 if recipe.loss.conditional else 1
        modules = nn.ModuleList(
            PatchDiscriminator(recipe.loss.discriminator, channels)
            for _ in range(recipe.network.stages)
        ).to(device)
        rate = recipe.phase[-1].learning_rate
        return cls(modules, torch.optim.Adam(modules.parameters(), rate, betas=(0.5, 0.999)))

    def update(self, loss: Callable[[], Tensor]) -> None:
        self.modules.requires_grad_(True)
        self.optimiser.zero_grad()
        loss().backward()
        self.optimiser.step()
        self.modules.requires_grad_(False)


class AdversarialStep(OneNetworkStep):
    """pix2pix, PAN and MedGAN: a generator against one discriminator and its features."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.opponents = Opponents.of(self.recipe, self.batch.image.device)
        self.steps = 0

    def __call__(self) -> None:
        loss, batch = self.recipe.loss, self.batch
        raw = self.raw_output()
        fake = raw[:, :1]
        self.opponents.modules.requires_grad_(False)
        pixels = PIXEL_LOSSES[self.recipe.name](raw, batch.target)
        self.update(loss.fidelity * pixels + self.lung_loss(raw) + self.against(fake))
        if self.steps % loss.discriminator_every == 0:
            self.opponents.update(lambda: self.of_discriminator(fake.detach()))
        self.steps += 1

    def seen(self, *images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Scores and features by the discriminator, of all images in one pass."""
        if self.recipe.loss.conditional:
            images = tuple(torch.cat([self.batch.image, image], dim=1) for image in images)
        scores, features = self.opponents.modules[0](torch.cat(images))
        return scores, features

    def against(self, fake: Tensor) -> Tensor:
        """The generator's adversarial, perceptual and style losses."""
        loss = self.recipe.loss
        scores, features = self.seen(fake)
        total = loss.adversarial * F.mse_loss(scores, torch.ones_like(scores))
        if not loss.perceptual:
            return total
        with torch.no_grad():
            wanted = self.seen(self.batch.target)[1]
        total = total + distance(features, wanted, loss.perceptual)
        if loss.style:
            total = total + loss.style * style(features, wanted)
        return total

    def of_discriminator(self, fake: Tensor) -> Tensor:
        """Least squares, and the margin of PAN."""
        loss = self.recipe.loss
        scores, features = self.seen(self.batch.target, fake)
        total = least_squares(scores)
        if loss.margin:
            real, generated = zip(*(f.chunk(2) for f in features), strict=True)
            total = total + F.relu(loss.margin - distance(generated, real, loss.perceptual))
        return total


def least_squares(scores: Tensor) -> Tensor:
    """Of scores (2 n, 1, h, w), those of measured images before those of generated ones."""
    real, fake = scores.chunk(2)
    return F.mse_loss(real, torch.ones_like(real)) + fake.square().mean()


def distance(found: Sequence[Tensor], wanted: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    terms = [w * F.l1_loss(f, t) for w, f, t in zip(weights, found, wanted, strict=True)]
    return torch.stack(terms).sum()


def style(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    total = found[0].new_zeros(())
    for f, t in zip(found, wanted, strict=True):
        width = f.shape[1]
        total = total + (gram(f) - gram(t)).square().sum((1, 2)).mean() / (4 * width**2)
    return total


def gram(features: Tensor) -> Tensor:
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


class CascadeStep(BareTraining):
    """All stages of a cascade together, each with its likelihood and its discriminator."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.opponents = Opponents.of(self.recipe, self.batch.image.device)

    def __call__(self) -> None:
        assert isinstance(self.network, Cascade)
        loss, batch = self.recipe.loss, self.batch
        shape = (len(batch.image), self.network.mask_width)
        masks = F.dropout(batch.image.new_ones(shape), self.network.config.dropout)
        with self.autocast():
            stages = self.network(batch.image, masks)
        self.opponents.modules.requires_grad_(False)
        total = batch.image.new_zeros(())
        for stage, discriminator in zip(stages, self.opponents.modules, strict=True):
            residual = stage.mean - batch.target
            misfit = (residual.abs() / stage.alpha).clamp_min(1e-4) ** stage.beta
            likelihood = misfit - torch.log(stage.beta / stage.alpha) + torch.lgamma(1 / stage.beta)
            scores = discriminator(stage.mean).scores
            total = total + loss.fidelity * likelihood.mean()
            total = total + loss.residual * high_pass(residual, loss.residual_box).abs().mean()
            total = total + loss.adversarial * F.mse_loss(scores, torch.ones_like(scores))
        if stages[0].lung_logit is not None and batch.lung is not None:
            total = total + loss.lung * F.binary_cross_entropy_with_logits(
                stages[0].lung_logit, batch.lung, batch.lung_weight
            )
        self.update(total)
        self.opponents.update(lambda: self.of_discriminators([s.mean.detach() for s in stages]))

    def of_discriminators(self, fakes: Sequence[Tensor]) -> Tensor:
        total = fakes[0].new_zeros(())
        for fake, discriminator in zip(fakes, self.opponents.modules, strict=True):
            seen = discriminator(torch.cat([self.batch.target, fake]))
            total = total + least_squares(seen.scores)
        return total


def high_pass(image: Tensor, box: int) -> Tensor:
    return image - F.avg_pool2d(F.pad(image, [box // 2] * 4, mode="reflect"), box, stride=1)


class DenoisingStep(BareTraining):
    """Diffusion or flow matching: squared errors of the velocity at a drawn time."""

    def __post_init__(self) -> None:
        super().__post_init__()
        assert isinstance(self.network, Denoiser)
        self.clean = self.network.normalise(self.batch.target, self.batch.image)
        betas = torch.linspace(1e-4, 2e-2, NOISE_LEVELS, device=self.clean.device)
        self.kept = torch.cumprod(1 - betas, dim=0)

    def __call__(self) -> None:
        drawn = torch.rand(len(self.clean), device=self.clean.device)
        noisy, times, velocity = self.mixture(drawn, torch.randn_like(self.clean))
        with self.autocast():
            found = self.network(noisy, self.batch.image, times)
        self.update(F.mse_loss(found.float(), velocity))

    def mixture(self, drawn: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Noisy images, their times (n,) and velocities, from numbers in [0, 1) (n,) and noise."""
        if isinstance(self.recipe.network, DiffusionConfig):
            levels = (drawn * NOISE_LEVELS).long()
            kept = self.kept[levels][:, None, None, None]
            signal, spread = kept.sqrt(), (1 - kept).sqrt()
            noisy = signal * self.clean + spread * noise
            return noisy, levels, signal * noise - spread * self.clean
        share = drawn[:, None, None, None]
        return (1 - share) * self.clean + share * noise, NOISE_LEVELS * drawn, self.clean - noise
