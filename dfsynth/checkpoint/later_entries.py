"""Entries of configurations that came later, which cards and runs from before do not have."""

from dataclasses import fields
from typing import Any, Final

from dfsynth.checkpoint.cascade import CascadeConfig
from dfsynth.checkpoint.denoiser import DenoiserConfig, DenoiserMembersConfig
from dfsynth.checkpoint.members import MembersConfig

_OF_DENOISERS: Final = frozenset(
    {"sampler", "guidance", "drop_condition", "residual", "conditional", "degrade_level"}
)
_OF_CASCADES: Final = frozenset({"residual"})


def leave_out_later(config: object, entries: dict[str, Any]) -> None:
    """Takes from the entries of a configuration what says that all is as before it could be said.

    Cards and runs from before come back byte for byte; configurations of other networks are left.
    """
    if isinstance(config, MembersConfig):
        leave_out_later(config.cascade, entries["cascade"])
    elif isinstance(config, DenoiserMembersConfig):
        leave_out_later(config.network, entries["network"])
    elif isinstance(config, CascadeConfig | DenoiserConfig):
        later = _OF_CASCADES if isinstance(config, CascadeConfig) else _OF_DENOISERS
        for field in fields(config):
            if field.name in later and entries[field.name] == field.default:
                del entries[field.name]
