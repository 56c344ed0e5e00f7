"""dfsynth: synthetic X-ray dark-field radiographs from ordinary chest X-rays."""

from dfsynth.version import __version__

__all__ = ["__version__"]
