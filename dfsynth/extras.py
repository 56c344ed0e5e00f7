"""Modules whose libraries need not be installed for anything else, loaded when they are needed."""

from importlib import import_module
from types import ModuleType

from dfsynth.errors import UsageError


def load_evaluation() -> ModuleType:
    """Imports `dfsynth.evaluate`, whose libraries come with the extra `train`.

    Raises:
        UsageError: one of them is not installed.
    """
    return load_extra("dfsynth.evaluate", "evaluating", "train")


def load_extra(module: str, doing: str, extra: str) -> ModuleType:
    """Imports `module`, a library of an extra or a module of dfsynth that needs one.

    Args:
        module: its full name, for example `dfsynth.evaluate` or `scipy.ndimage`.
        doing: what it is needed for, for the message: "evaluating".
        extra: the extra of dfsynth that brings the library: "train".

    Raises:
        UsageError: a library is not installed; the message names it and the extra.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("dfsynth"):
            raise
        raise UsageError(
            f"{doing} needs the library {error.name}, which is not installed; "
            f"install dfsynth with its extra: dfsynth[{extra}]"
        ) from error
