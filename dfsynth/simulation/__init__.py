"""Paired training data with known truth: images of drawn bodies, CT volumes, radiographs.

Three layers make a pair: the job asks `Simulator` for planned pairs and writes them; an origin
(`origins/`) draws the patient and gives a scene; `pair.py` projects the scene and images it.
"""

from dfsynth.simulation.simulator import Simulator

__all__ = ["Simulator"]
