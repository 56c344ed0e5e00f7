"""Which checkpoints are degraders: they make low-quality partners of good radiographs.

MUNIT and diffusion without a condition are trained on two unpaired collections, and are no
generators: `dfsynth simulate --task restoration --degrader CHECKPOINT` uses them.
"""

from dfsynth.checkpoint.denoiser import DiffusionConfig
from dfsynth.checkpoint.munit import MunitConfig
from dfsynth.checkpoint.networks import NetworkConfig
from dfsynth.errors import UsageError


def is_degrader(arguments: NetworkConfig) -> bool:
    """Whether a network of these arguments degrades radiographs."""
    if isinstance(arguments, DiffusionConfig):
        return not arguments.conditional
    return isinstance(arguments, MunitConfig)


def require_generator(arguments: NetworkConfig) -> None:
    """Requires a network that makes outputs from inputs.

    Raises:
        UsageError: it is a degrader; the message says what that is for.
    """
    if is_degrader(arguments):
        raise UsageError(
            "this checkpoint is a degrader, which makes low-quality partners of good radiographs "
            "and generates nothing; use it as dfsynth simulate --task restoration --cxr DIR "
            "--degrader CHECKPOINT"
        )


def require_degrader(arguments: NetworkConfig) -> None:
    """Requires a network that degrades radiographs.

    Raises:
        UsageError: it is a generator; the message says what makes a degrader.
    """
    if not is_degrader(arguments):
        raise UsageError(
            "this checkpoint is a generator and degrades nothing; expected one that an unpaired "
            "recipe made, such as dfsynth train munit-64 --data GOOD --targets DRRS"
        )
