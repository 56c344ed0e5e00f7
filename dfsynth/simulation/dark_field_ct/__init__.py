"""Dark-field computed tomography: slices of known coefficient in a shaking interferometer."""

from dfsynth.simulation.dark_field_ct.slice_object import SliceObject

__all__ = ["SliceObject"]
