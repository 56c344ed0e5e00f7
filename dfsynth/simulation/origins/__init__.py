"""What pairs are made of: phantoms, CT volumes, radiographs.

Each origin lists its subjects, and makes a pair of one: it draws the patient, and hands a scene to
`dfsynth.simulation.pair`.
"""

from dfsynth.simulation.origins.origin import PairOrigin, SubjectListing
from dfsynth.simulation.origins.phantoms import PhantomOrigin
from dfsynth.simulation.origins.radiographs import RadiographOrigin
from dfsynth.simulation.origins.volumes import CtOrigin

__all__ = ["CtOrigin", "PairOrigin", "PhantomOrigin", "RadiographOrigin", "SubjectListing"]
