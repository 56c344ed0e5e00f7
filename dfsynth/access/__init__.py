"""Using a finished or growing store: arrays, manifest, filters, and a torch Dataset."""

from dfsynth.access.filtering import filter_manifest
from dfsynth.access.opened import Store, open_store

__all__ = ["Store", "filter_manifest", "open_store"]
