"""Joins the simulator's stages to the pipeline, which knows neither physics nor torch."""

from dfsynth.simulator.maker import SIMULATOR_VERSION, make_simulator

__all__ = ["SIMULATOR_VERSION", "make_simulator"]
