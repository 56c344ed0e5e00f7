"""A simulator of a few numpy operations, so that whole stores of pairs take milliseconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from pair_schemas import NO_PARAMETERS

from dfsynth.errors import ErrorCode, ImageError
from dfsynth.options import SimulateOptions
from dfsynth.records import MadePair, PairFacts, PairItem, Subject, Subjects
from dfsynth.store import Json


@dataclass
class ToyPairMaker:
    """Implements `dfsynth.jobs.pair_maker.PairMaker`; some pairs fail as radiographs may."""

    options: SimulateOptions
    extra: Mapping[str, Json] = field(default_factory=dict)
    fail_every: int | None = 5
    excluded: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    listed: int = 0
    opened: int = 0

    def make(self, item: PairItem) -> MadePair:
        if self.fail_every is not None and item.row % self.fail_every == 2:
            raise ImageError(ErrorCode.NOT_AN_IMAGE, "no lungs were found")
        rng = np.random.default_rng(item.seed)
        side = self.options.size
        severity = rng.uniform(*self.options.severity)
        y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
        thickness = 150 * np.clip(1 - ((np.abs(x) - 0.45) / 0.35) ** 2 - (y / 0.8) ** 2, 0, None)
        clean = 2.5e-3 * (1 - severity) * thickness
        transmission = np.exp(-3 * np.clip(1 - x**2, 0, None) + thickness / 100)
        arrays = {
            "attenuation": 1 - transmission / transmission.max(),
            "transmission": transmission,
            "dark_field": clean + rng.normal(0, 0.02, clean.shape),
            "dark_field_clean": clean,
            "lung_thickness_mm": thickness,
            "severity": severity * (thickness > 0),
        }
        maps = {name: values.astype(np.float32) for name, values in arrays.items()}
        maps["lung_mask"] = (thickness > 0).astype(np.uint8) + (thickness > 100).astype(np.uint8)
        facts = PairFacts(
            source_sha256=None if item.source is None else "0" * 64,
            severity=severity,
            truth="semi-synthetic" if item.origin == "cxr" else "simulated",
            laa950=0.4 * severity,
            eps_bar_per_m=2.5 * (1 - severity),
            sdf_m2=0.016,
            lung_volume_l=5.5,
            pixel_mm=400 / side,
            kvp=float(rng.uniform(*self.options.kvp)),
            n0=1.5e5,
            v0=0.3,
            parameters={**NO_PARAMETERS, "height_cm": 170.0, "sex": "F", "projection": "PA"},
            flags=("emphysema",) if severity > 0.5 else (),
        )
        return MadePair(maps, facts)

    def settings(self) -> Mapping[str, Json]:
        return {"simulator_version": 1, "sources": ("a", "b"), **self.extra}

    def subjects(self, n: int | None) -> Subjects:
        assert n is not None
        self.listed += 1
        return Subjects(tuple(self.subject(row) for row in range(n)), self.excluded, self.warnings)

    def subject(self, row: int) -> Subject:
        origin = self.options.origin
        if origin == "mixed":
            origin = ("phantom", "ct", "cxr")[row % 3]
        if origin == "ct":
            return Subject(f"ct:volume{row % 2}", "ct", f"volume{row % 2}.nii", "CC-BY-4.0")
        if origin == "cxr":
            return Subject(f"cxr:{row}", "cxr", f"folder/{row}.png", "CC0-1.0")
        return Subject(f"phantom:{self.options.seed}:{row}", "phantom", None, "CC0-1.0")

    def open(self) -> str:
        self.opened += 1
        return "numpy"
