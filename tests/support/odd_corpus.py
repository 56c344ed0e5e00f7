"""A corpus in miniature whose table holds what a card must not act upon, and a store of it."""

import csv
from pathlib import Path

from radiograph_files import write_image
from toy_generator import ToyMaker

from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent

HOSTILE = "<script>alert(1)</script> **bold** [x](http://evil.example) `tick` \x1b[31mred\u202e"
"""A finding with markup of several kinds, a terminal's escape and a change of direction."""


def write_corpus(root: Path) -> Path:
    """NIH ChestX-ray14 as it lies on disk: five images of three patients, one file damaged."""
    lines = [
        ("00000001_000.png", "Cardiomegaly|Effusion", 1, "PA", "F"),
        ("00000001_001.png", "Cardiomegaly", 1, "PA", "F"),
        ("00000002_000.png", "No Finding", 2, "AP", "M"),
        ("00000003_000.png", HOSTILE, 3, "PA", "M"),
        ("00000003_001.png", "Effusion", 3, "PA", "M"),
    ]
    for number, line in enumerate(lines):
        write_image(root / "images" / line[0], number)
    (root / "images" / "00000003_001.png").write_bytes(b"no image")
    with (root / "Data_Entry_2017_v2020.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(
            ("Image Index", "Finding Labels", "Patient ID", "View Position", "Patient Sex")
        )
        table.writerows(lines)
    (root / "train_val_list.txt").write_text("00000001_000.png\n00000001_001.png\n")
    (root / "test_list.txt").write_text("00000002_000.png\n")
    return root


def build_corpus(root: Path, out: Path) -> Path:
    options = BuildOptions(source="nih", root=root, out=out, shard_size=2, workers=1)
    run_build(options, ToyMaker(batch_size=1), Silent())
    return out
