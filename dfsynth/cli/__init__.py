"""The command line."""

from dfsynth.cli.app import app, main

__all__ = ["app", "main"]
