"""All pairs of a store, with what a checkpoint makes of the blurred ones, made once and kept."""

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import numpy as np
import torch
from numpy.typing import NDArray

from dfsynth.checkpoint import checkpoint_path, read_checkpoint
from dfsynth.datasets import PairImages, PairInfo, PairSource, open_pairs
from dfsynth.devices import resolve_precision
from dfsynth.evaluate.prediction import predict_pairs
from dfsynth.files.durable import make_folder
from dfsynth.inference import load_map_generator
from dfsynth.progress import Silent
from dfsynth.records import AS_THE_CARD_SAYS, SAMPLERS, SamplerChoice
from dfsynth.tasks import task_named

_TASK: Final = "restoration"
_AT_ONCE: Final = 16
"""Pairs between two files that are kept."""
_SAMPLES: Final = 4
"""Of an image, averaged."""


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Pairs, and each restored."""

    rows: Sequence[PairInfo]
    pairs: Sequence[PairImages]
    restored: NDArray[np.float32]
    """(n, H, W), grey values; anything in padding."""
    identity: str
    """Of the pairs and of what restored them."""
    restored_by: str
    """In words."""

    def of(self, kind: str) -> NDArray[np.float32]:
        """(n, H, W) of `blurred`, `restored` or `sharp`."""
        if kind == "restored":
            return self.restored
        return np.stack([p.image if kind == "blurred" else p.target for p in self.pairs])

    def take(self, chosen: Sequence[int]) -> "Pictures":
        """Some of them."""
        return replace(
            self,
            rows=[self.rows[i] for i in chosen],
            pairs=[self.pairs[i] for i in chosen],
            restored=self.restored[list(chosen)],
        )


@dataclass(frozen=True, slots=True)
class Restorer:
    """A checkpoint of restoration and the pairs that it restores."""

    pairs: Path
    checkpoint: str
    samples: int = _SAMPLES
    choice: SamplerChoice = AS_THE_CARD_SAYS
    device: str = "cpu"

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """What commands take."""
        parser.add_argument("--pairs", type=Path, required=True, help="a store of dfsynth simulate")
        parser.add_argument("--checkpoint", required=True, help="of restoration: folder or name")
        parser.add_argument("--samples", type=int, default=_SAMPLES, help="of an image, averaged")
        parser.add_argument("--sampler", choices=SAMPLERS, help="that of the checkpoint's card")
        parser.add_argument("--sampler-steps", type=int, help="passes of the network a sample")

    @classmethod
    def of(cls, given: argparse.Namespace) -> Self:
        """As the command was told."""
        choice = SamplerChoice(given.sampler, given.sampler_steps)
        device = "cuda" if given.gpu else "cpu"
        return cls(given.pairs, given.checkpoint, given.samples, choice, device)

    def pictures(self, out: Path) -> Pictures:
        """Restores all pairs in parts, each of which is kept below `out`.

        Raises:
            UsageError: pairs or a checkpoint that cannot be used.
        """
        files, task = read_checkpoint(checkpoint_path(self.checkpoint)), task_named(_TASK)
        size = files.card.grid[0]
        source = open_pairs(self.pairs, None, size, task.window, task.input.convention, task)
        how = f"{files.sha256} {self.samples} {self.choice}"
        identity = hashlib.blake2b(f"{source.fingerprint()} {how}".encode(), digest_size=12)
        folder = out / f"restored-{identity.hexdigest()}"
        make_folder(folder)
        device = torch.device(self.device)
        precision = resolve_precision("auto" if device.type == "cuda" else "fp32", device)
        generator = load_map_generator(
            files, device, precision, mc_samples=self.samples, choice=self.choice
        )
        parts = []
        for start in range(0, len(source.rows), _AT_ONCE):
            path = folder / f"{start:06}.npy"
            if not path.exists():
                chosen = range(start, min(start + _AT_ONCE, len(source.rows)))
                predicted = predict_pairs(generator, source, chosen, Silent())
                images = np.stack([p.generated.mean for p in predicted])
                _write(path, images)
            parts.append(np.load(path))
        given = " ".join(f"{k} {v}" for k, v in self.choice.given.items())
        return Pictures(
            source.rows,
            _read_all(source),
            np.concatenate(parts),
            identity.hexdigest(),
            f"{files.card.name}, {self.samples} samples{', ' if given else ''}{given}",
        )


def _read_all(source: PairSource) -> list[PairImages]:
    return [source.read(index) for index in range(len(source.rows))]


def _write(path: Path, images: NDArray[np.float32]) -> None:
    """Whole or not at all."""
    part = path.with_suffix(".part.npy")
    np.save(part, images)
    part.rename(path)
