"""What every packaged checkpoint of a generator must be: free, and small."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from dfsynth.checkpoint import WEIGHTS, CheckpointFiles, ModelCard, read_checkpoint
from dfsynth.inference import load_network, save_checkpoint
from dfsynth.manifest import read_manifest
from dfsynth.store import StoreLayout
from dfsynth.trust import TrustHeads


def require_free(name: str, is_free: bool) -> None:
    """Lets what a checkpoint was trained on pass, a licence or a volume by name, if it is free.

    Raises:
        SystemExit: it is not known to be.
    """
    if not is_free:
        raise SystemExit(f"{name!r} is not known to be free; it cannot be in packaged weights")


def count_trained(pairs: Path, column: str) -> Counter[str | None]:
    """How many pairs of a store that are not of test patients have each value of a column."""
    manifest = read_manifest(StoreLayout(pairs).manifest)
    values, splits = (manifest[name].to_pylist() for name in (column, "split"))
    return Counter(v for v, split in zip(values, splits, strict=True) if split != "test")


def package_best(best: Path, folder: Path, most_bytes: int, **said: Any) -> None:
    """Writes the best checkpoint of a run, with what is `said` in place of entries of its card.

    Raises:
        SystemExit: it is too large.
    """
    files = read_checkpoint(best)
    write_package(folder, files, replace(files.card, license="Apache-2.0", **said), most_bytes)


def write_package(
    folder: Path,
    files: CheckpointFiles,
    card: ModelCard,
    most_bytes: int,
    heads: TrustHeads | None = None,
) -> None:
    """Writes the network of a checkpoint under a card of its own, and says how large it is.

    Raises:
        SystemExit: it is too large.
    """
    with torch.inference_mode():
        save_checkpoint(folder, load_network(files), card, heads)
    size = (folder / WEIGHTS).stat().st_size
    if size > most_bytes:
        raise SystemExit(f"{size} bytes of weights; a packaged checkpoint has at most {most_bytes}")
    print(f"{folder}: {size / 1e6:.1f} MB")
