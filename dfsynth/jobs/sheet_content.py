"""What a contact sheet shows of a store, whatever the store holds."""

from dataclasses import dataclass

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
