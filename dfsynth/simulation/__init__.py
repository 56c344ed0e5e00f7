"""Paired training data with known truth: images of drawn bodies, CT volumes, radiographs."""

from dfsynth.simulation.simulator import SIMULATOR_VERSION, make_simulator

__all__ = ["SIMULATOR_VERSION", "make_simulator"]
