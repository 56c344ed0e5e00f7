"""What a contact sheet shows of a store, whatever the store holds."""

from dataclasses import dataclass
from typing import Any

from dfsynth.report import SheetColumn, SheetRow


@dataclass(frozen=True, slots=True)
class Panels:
    """Rows and columns of a sheet, and the words around them."""

    rows: list[SheetRow]
    columns: list[SheetColumn]
    title: str
    """What made the store."""
    footer: str
    blank: int
    """Finished images whose attenuation neither store nor source gives."""


def number_caption(line: dict[str, Any], name: str) -> list[str]:
    """The number of a manifest row in the column `name`, as a caption has it; none where null."""
    value = line[name]
    if value is None:
        return []
    return [f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"]
