"""Contact sheets as files."""

import re
from collections.abc import Sequence
from pathlib import Path

from dfsynth.report import SheetColumn, SheetRow, contact_sheet, encode_png


def write_sheet(
    folder: Path, title: str, rows: Sequence[SheetRow], columns: Sequence[SheetColumn]
) -> None:
    """Draws a contact sheet into a PNG of `folder`, which is made, named after its title."""
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^a-z0-9]+", "-", title.lower())
    sheet = contact_sheet(rows, columns, title, "Simulated images are not for diagnosis.")
    (folder / f"{name}.png").write_bytes(encode_png(sheet))
