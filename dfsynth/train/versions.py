"""Versions of what decides the values that a training comes to."""

import platform
from importlib import metadata

from dfsynth.version import __version__


def software_versions() -> dict[str, str]:
    """Of dfsynth, Python, torch and numpy."""
    versions = {"dfsynth": __version__, "python": platform.python_version()}
    return versions | {name: metadata.version(name) for name in ("torch", "numpy")}
