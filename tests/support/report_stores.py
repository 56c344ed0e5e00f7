"""Stores that a report is made of: of a few numpy operations, with findings and failures."""

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from radiograph_files import write_bad_files, write_folder
from toy_generator import ToyGenerator, ToyMaker, stream

from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.records import Generated, ModelInput

FINISHED = 40
WITHOUT_LUNG = 3
SHARD_SIZE = 8
FINDINGS = ("Effusion", "Mass|Effusion", "", "No Finding")
MARKUP = "<img src=x onerror=alert(1)></script>"
ESCAPE = "red\x1b[31m\u202egnp"


def facts_of(report: Path) -> dict[str, Any]:
    """What the scripts of a report's page are given."""
    text = (report / "data/facts.js").read_text(encoding="utf-8")
    found = re.fullmatch(r'dfsynthReport\.takeFacts\("report",(.*)\);\n', text)
    assert found is not None
    facts: dict[str, Any] = json.loads(found[1])
    return facts


class UnsureGenerator(ToyGenerator):
    """Predicts an error for each image, from 0.2 to 0.8, by its name."""

    def one(self, source: ModelInput, image_id: str) -> Generated:
        error = float(stream(self.seed, image_id).uniform(0.2, 0.8))
        return replace(super().one(source, image_id), learned={"predicted_error": error})


class UnsureMaker(ToyMaker):
    """Makes it, in the name of a checkpoint."""

    def make(self, precision: str, grid: tuple[int, int]) -> ToyGenerator:  # noqa: ARG002
        return UnsureGenerator(self.batch_size, self.seed)


def build_report_store(
    root: Path,
    name: str = "x.zarr",
    findings: Sequence[str] = FINDINGS,
    maker: ToyMaker | None = None,
    **options: Any,
) -> Path:
    """A store of forty finished images, three of them without lung, and four that failed."""
    write_folder(root, FINISHED - WITHOUT_LUNG)
    for number in range(WITHOUT_LUNG):
        _write_bright(root / f"bright{number}.png", number)
    write_bad_files(root)
    files = sorted(path.relative_to(root) for path in root.rglob("*.png"))
    with (root / "table.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["path", "patient_id", "view", "sex", "findings", "split"])
        for n, path in enumerate(files):
            view, split = ("PA", "AP", "")[n % 3], ("train", "test")[n % 2]
            table.writerow([path, f"patient-{n}", view, "F", findings[n % len(findings)], split])
    out = root / name
    given = {"source": str(root / "table.csv"), "out": out, "shard_size": SHARD_SIZE, **options}
    run_build(BuildOptions(**given), maker or ToyMaker(), Silent())
    return out


def _write_bright(path: Path, number: int) -> None:
    """Bright but for a corner: less than a lung is dark."""
    grey = np.full((24, 20), 250, np.uint8)
    grey[:3, : 4 + number] = 10
    assert cv2.imwrite(str(path), grey)
