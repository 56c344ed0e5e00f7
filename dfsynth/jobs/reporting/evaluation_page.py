"""The folder of an evaluation → its page: stages, streaks, reliability, risk, worst cases."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dfsynth.errors import StoreError
from dfsynth.files.faults import store_faults
from dfsynth.files.json_record import Json, parse_object
from dfsynth.jobs.reporting.slice_figures import streak_figures
from dfsynth.records import SamplerSettings
from dfsynth.report.browser import EvaluationPage, write_evaluation_page

METRICS: Final = "metrics.json"
IMAGES: Final = "images.csv"
"""The names of the files in the folder of an evaluation."""
_CURVES: Final = ("deciles", "sparsification", "best_sparsification", "coverage_over_images")
_TARGETS: Final = ("clean", "noisy")
_NOT_FIGURES: Final = frozenset({"key", "patient_id", "stage", "region", "target"})


@dataclass(frozen=True, slots=True)
class EvaluationReportFacts:
    """What was written."""

    images: int
    remarks: tuple[str, ...]


def write_evaluation_report(folder: Path, evaluation: Path) -> EvaluationReportFacts:
    """Writes the page of an evaluation into `folder`.

    Args:
        folder: Where the page goes.
        evaluation: What `dfsynth evaluate --out` wrote: metrics.json, and images.csv beside it.

    Raises:
        StoreError: a file is damaged or cannot be read.
        OSError: the disk refuses.
    """
    with store_faults(f"read {evaluation / METRICS}"):
        raw = (evaluation / METRICS).read_bytes()
    try:
        found = parse_object(raw)
        page = _page(found, _cases(evaluation / IMAGES, found))
        write_evaluation_page(folder, page)
    except (ValueError, LookupError, TypeError, AttributeError, csv.Error) as error:
        raise StoreError(
            f"{evaluation / METRICS} or {IMAGES} beside it is damaged: found other entries than "
            "dfsynth evaluate writes; evaluate again"
        ) from error
    return EvaluationReportFacts(int(found["images"]), page.warnings)


def _page(found: Mapping[str, Any], cases: Json) -> EvaluationPage:
    facts: dict[str, Json] = {
        "stages": [_stage(stage) for stage in found["stages"]],
        "risk": found["risk_coverage"] or {},
        "outside": found["outside_lung"],
        "streaks": streak_figures(found["streaks"]) if "streaks" in found else None,
        "ood": found["ood_auroc"],
        "cases": cases,
    }
    calibration = found["calibration"]
    stated = (
        ("checkpoint", str(found["checkpoint"])),
        ("checkpoint sha256", str(found["checkpoint_sha256"])),
        ("pairs", str(found["data"])),
        ("split", str(found["split"])),
        ("images", str(found["images"])),
        ("patients", str(found["patients"])),
        ("outline of the lung", str(found["lung_of"])),
        ("intervals from", str(calibration["source"])),
        ("Monte-Carlo samples", str(found["mc_samples"])),
        *_sampling(found.get("sampling")),
        ("seed", str(found["seed"])),
        ("precision", str(found["precision"])),
    )
    return EvaluationPage(
        title=str(found["checkpoint"]),
        data=str(found["data"]),
        notice=str(found["notice"]),
        facts=facts,
        tiles=(
            ("images", str(found["images"])),
            ("patients", str(found["patients"])),
            ("split", str(found["split"])),
            ("stages", str(len(found["stages"]))),
        ),
        stated=stated,
        warnings=tuple(map(str, found["warnings"])),
    )


def _stage(stage: Mapping[str, Any]) -> dict[str, Json]:
    regions: dict[str, Json] = {}
    for region in ("lung", "whole"):
        if stage[region] is not None:
            regions[region] = {
                target: _target(figures)
                for target, figures in stage[region].items()
                if figures is not None
            }
    return {"stage": stage["stage"], "regions": regions}


def _target(figures: Mapping[str, Any]) -> dict[str, Json]:
    intervals = {name: value for name, value in figures.items() if name not in _CURVES}
    curves = {name: figures[name] for name in _CURVES}
    return {"figures": intervals, **curves}


def _sampling(found: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    """How samples were drawn out of noise, where some were and the evaluation says it."""
    return () if found is None else (("sampler", SamplerSettings(**found).words),)


def _cases(path: Path, found: Mapping[str, Any]) -> Json:
    """The figures of single images: last stage, lung if known, clean target if known.

    Names of patients stay out.
    """
    if not path.is_file():
        return None
    last = found["stages"][-1]
    region = "whole" if last["lung"] is None else "lung"
    known = [target for target in _TARGETS if last[region][target] is not None]
    target = known[0]
    wanted = {"stage": str(last["stage"]), "region": region, "target": target}
    with store_faults(f"read {path}"), path.open(newline="", encoding="utf-8") as stream:
        table = csv.DictReader(stream)
        names = [name for name in table.fieldnames or () if name not in _NOT_FIGURES]
        lines = [
            [line["key"], *(_number(line[name]) for name in names)]
            for line in table
            if all(line[name] == value for name, value in wanted.items())
        ]
    return {"figures": names, "region": region, "target": target, "lines": lines}


def _number(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None
