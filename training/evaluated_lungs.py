"""What an evaluation found in each image's lung, from the table that it wrote."""

import csv
from pathlib import Path


def lung_rows(folder: Path, target: str) -> dict[str, dict[str, str]]:
    """By its key, the line of each image: in the lung, after the last stage.

    `folder` is the `--out` of `dfsynth evaluate`; `target` is clean or noisy.
    """
    with (folder / "images.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    last = max(int(row["stage"]) for row in rows)
    wanted = (str(last), "lung", target)
    return {r["key"]: r for r in rows if (r["stage"], r["region"], r["target"]) == wanted}
