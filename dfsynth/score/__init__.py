"""Maps → one number each per image."""

from dfsynth.score.numbers import score

__all__ = ["score"]
