"""Radiographs as the pipeline plans them."""

from pathlib import Path

import cv2
import numpy as np

from dfsynth.config import SimulateOptions
from dfsynth.simulator.origin import Drawing
from dfsynth.simulator.radiographs import Radiographs

OPTIONS = SimulateOptions(out=Path("pairs.zarr"), n=4, size=64, device="cpu")


def licences(root: Path) -> dict[str | None, str]:
    survey = Radiographs(Drawing.of(OPTIONS), root).survey(4)
    return {line.source: line.license for line in survey.lines}


def test_each_radiograph_has_the_licence_of_the_folders_table(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.png", "sub/b.png", "c.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8), np.uint8))
    assert set(licences(tmp_path).values()) == {"unknown"}
    (tmp_path / "licenses.csv").write_text("file,license\na.png,CC0\nsub/b.png,CC BY 4.0\n")
    assert licences(tmp_path) == {"a.png": "CC0", "sub/b.png": "CC BY 4.0", "c.png": "unknown"}
