"""What networks that draw samples need, known before anything is loaded or written."""

from dataclasses import replace
from typing import Final

from dfsynth.checkpoint.degraders import require_generator
from dfsynth.checkpoint.networks import NetworkConfig
from dfsynth.errors import UsageError
from dfsynth.extras import require_library
from dfsynth.records import MonteCarloMode, SamplerChoice, SamplerSettings

LEAST_SAMPLES: Final = 2
"""Of each network and image: one alone has no spread."""
_LIBRARIES: Final = ("einops", "monai")
_OPTIONS: Final = {
    "sampler": "--sampler",
    "steps": "--sampler-steps",
    "guidance": "--guidance",
}


def require_sampling(arguments: NetworkConfig, mc_samples: int, mc: MonteCarloMode) -> None:
    """Requires libraries and enough samples, if a network of these arguments draws samples.

    Raises:
        UsageError: a library is missing, there are too few samples to say how sure they are, or
            the network is no generator.
    """
    require_generator(arguments)
    require_diffusion(arguments)
    if arguments.denoiser is not None:
        require_samples(arguments.members, mc_samples, mc)


def require_diffusion(arguments: NetworkConfig) -> None:
    """Requires the libraries of diffusion and flow matching, if these arguments are of either.

    Raises:
        UsageError: one of them is not installed; the message names it and the extra.
    """
    if arguments.denoiser is not None:
        for library in _LIBRARIES:
            require_library(library, "this network", "diffusion")


def choose_sampler(arguments: NetworkConfig, choice: SamplerChoice) -> SamplerSettings | None:
    """Says how a network of these arguments draws samples; None of one that draws none.

    Raises:
        UsageError: the network cannot be sampled as is chosen, or is no generator.
    """
    require_generator(arguments)
    asked = " ".join(f"{_OPTIONS[name]} {value}" for name, value in choice.given.items())
    config = arguments.denoiser
    if config is None:
        if asked:
            raise UsageError(
                f"{asked}: this checkpoint draws no samples out of noise, as those of the families "
                "diffusion and flow do; leave it out"
            )
        return None
    try:
        return replace(config, **choice.given).sampling
    except ValueError as error:
        raise UsageError(f"{asked}: {error}; its card says {config.sampling.words}") from error


def require_samples(members: int, mc_samples: int, mc: MonteCarloMode) -> None:
    """Requires at least `LEAST_SAMPLES` of each of the networks.

    Raises:
        UsageError: there are fewer, or the mode is that of a single pass of each.
    """
    least = LEAST_SAMPLES * members
    if mc_samples < least or mc == "fast":
        found = "--mc fast" if mc == "fast" else f"--mc-samples {mc_samples}"
        raise UsageError(
            f"this checkpoint says how sure it is by the spread of its samples: found {found}; "
            f"use --mc full and --mc-samples {least} or more"
        )
