"""The libraries that only CT volumes need, loaded when the first volume is opened."""

import importlib
from types import ModuleType

from dfsynth.errors import UsageError


def load_extra(module: str) -> ModuleType:
    """The module of SimpleITK, scipy or scikit-image by its full name.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"CT volumes need {module.split('.', maxsplit=1)[0]}, which is not installed; "
            "install it with: pip install 'dfsynth[simulate]'"
        ) from error
