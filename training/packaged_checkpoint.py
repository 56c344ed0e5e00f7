"""What every packaged checkpoint of a generator must be: free, and small."""

from pathlib import Path

import torch

from dfsynth.checkpoint import WEIGHTS, CheckpointFiles, ModelCard
from dfsynth.inference import load_network, save_checkpoint
from dfsynth.trust import TrustHeads


def require_free(name: str, is_free: bool) -> None:
    """Lets what a checkpoint was trained on pass, a licence or a volume by name, if it is free.

    Raises:
        SystemExit: it is not known to be.
    """
    if not is_free:
        raise SystemExit(f"{name!r} is not known to be free; it cannot be in packaged weights")


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
