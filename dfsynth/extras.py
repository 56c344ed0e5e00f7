"""Modules whose libraries need not be installed for anything else, loaded when they are needed."""

from importlib import import_module
from importlib.util import find_spec
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
        raise _missing(error.name, doing, extra) from error


def require_library(library: str, doing: str, extra: str) -> None:
    """Requires a library of an extra, which is looked for and not imported.

    The arguments are those of `load_extra`; `library` is a top-level module.

    Raises:
        UsageError: it is not installed; the message names it and the extra.
    """
    try:
        found = find_spec(library)
    except ValueError:
        # What cannot be imported stands as None among the loaded modules.
        found = None
    if found is None:
        raise _missing(library, doing, extra)


def _missing(library: str, doing: str, extra: str) -> UsageError:
    return UsageError(
        f"{doing} needs the library {library}, which is not installed; "
        f"install dfsynth with its extra: dfsynth[{extra}]"
    )
