"""Pairs of dark-field CT: an object of any origin, scanned and reconstructed."""

from typing import Any

import torch
from numpy.typing import NDArray

from dfsynth.files.json_record import stored_entries
from dfsynth.manifest import null_parameters, pair_schema
from dfsynth.options import SimulateOptions
from dfsynth.options.simulate_tasks import CT_TASK, SCAN_FIELDS
from dfsynth.records import MadePair, PairFacts, PairItem, Parameter
from dfsynth.simulation.dark_field_ct.coefficients import TUBE
from dfsynth.simulation.dark_field_ct.objects import (
    CtVolumeObjects,
    DrawnObject,
    ObjectOptions,
    ObjectOrigin,
    ProceduralObjects,
)
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings
from dfsynth.simulation.dark_field_ct.scanning import ScannedSlice, scan
from dfsynth.simulation.origins.origin import SubjectListing
from dfsynth.simulation.pair_simulation import PairSimulation
from dfsynth.simulation.streams import Streams


class ScannedObjects:
    """Implements `PairOrigin` for the objects of an origin."""

    def __init__(self, objects: ObjectOrigin, settings: ScanSettings, device: torch.device) -> None:
        self._objects = objects
        self._settings = settings
        self._device = device

    def list_subjects(self, count: int) -> SubjectListing:
        """See `PairOrigin`."""
        return self._objects.list_subjects(count)

    def fingerprint(self) -> str:
        """See `PairOrigin`."""
        return self._objects.fingerprint()

    def make(self, item: PairItem) -> MadePair:
        """See `PairOrigin`."""
        drawn = self._objects.draw(item)
        found = scan(drawn.slice_object, self._settings, Streams(item.seed)("scan"), self._device)
        arrays: dict[str, NDArray[Any]] = {
            "single_rotation": found.single_rotation,
            "multi_rotation": found.multi_rotation,
            "truth": found.truth,
            "attenuation": found.attenuation,
            "lung_mask": drawn.slice_object.lung_mask,
            "air_mask": drawn.slice_object.air_mask,
        }
        return MadePair(arrays, self._facts(drawn, found))

    def _facts(self, drawn: DrawnObject, found: ScannedSlice) -> PairFacts:
        named = {**drawn.slice_object.parameters, **found.parameters}
        severity, eps_bar = named.pop("severity", 0.0), named.pop("eps_bar_per_m", None)
        laa950 = named.pop("laa950", None)
        return PairFacts(
            source_sha256=drawn.source_sha256,
            severity=_number(severity) or 0.0,
            laa950=_number(laa950),
            eps_bar_per_m=_number(eps_bar) or 0.0,
            pixel_mm=drawn.slice_object.pixel_mm,
            kvp=TUBE.kvp,
            n0=self._settings.photons if self._settings.photon_noise else None,
            v0=self._settings.visibility,
            parameters=null_parameters(pair_schema(CT_TASK)) | named,
            flags=drawn.flags,
        )


def slice_pairs(options: SimulateOptions, device: torch.device) -> PairSimulation:
    """The simulation of `dark-field-ct`, by options that are already validated.

    Raises:
        UsageError: a scan that cannot be.
    """
    settings = settings_of(options)
    drawn = ObjectOptions(options.size, options.severity, frozenset(options.without))
    objects: dict[str, ObjectOrigin] = {}
    if options.origin in ("phantom", "mixed"):
        objects["phantom"] = ProceduralObjects(drawn, options.seed, device)
    if options.ct is not None:
        objects["ct"] = CtVolumeObjects(drawn, options.ct, device)
    origins = {name: ScannedObjects(held, settings, device) for name, held in objects.items()}
    entries = {f"scan {name}": value for name, value in stored_entries(settings).items()}
    return PairSimulation(origins, entries)


def settings_of(options: SimulateOptions) -> ScanSettings:
    """The scanner that options ask for.

    Raises:
        UsageError: a value out of its range, or a fringe phase that changes too little.
    """
    asked = {field: getattr(options, name) for name, field in SCAN_FIELDS.items()}
    given = {field: value for field, value in asked.items() if value is not None}
    return ScanSettings(**given, photon_noise="noise" not in options.without)


def _number(value: Parameter) -> float | None:
    return None if value is None else float(value)
