"""The panels of a store of pairs: what was simulated, beside its truth."""

from collections.abc import Sequence
from typing import Any

from dfsynth.jobs.sheet_content import Panels, number_caption
from dfsynth.records import Float32Map
from dfsynth.report import SheetRow, columns_of_pairs
from dfsynth.store.opened import Store
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.row import shown_map


def panels_of_pairs(
    store: Store, record: PairsRecord, lines: Sequence[dict[str, Any]], by: str | None = None
) -> Panels:
    """The panels of the manifest rows `lines`, with their number in the column `by`.

    Without `by`, with their severity and scattering coefficient.

    Raises:
        StoreError: a damaged store.
    """
    names = list(columns_of_pairs(record.task))
    images = [{name: shown_map(store.read, name, line) for name in names} for line in lines]
    semi_synthetic = any(line["truth"] == "semi-synthetic" for line in lines)
    measured = any(line["truth"] == "measured" for line in lines)
    footer = f"{'Measured and simulated' if measured else 'Simulated'} images, not for diagnosis."
    if semi_synthetic:
        footer += " Semi-synthetic (cxr): a real radiograph beside a simulated dark-field image."
    return Panels(
        rows=[_row(maps, line, by, measured) for maps, line in zip(images, lines, strict=True)],
        columns=list(columns_of_pairs(record.task, images).values()),
        title=f"{record.task.card.pairs_noun}, origin {record.fingerprint.origin}",
        footer=footer,
        blank=0,
    )


def _row(
    maps: dict[str, Float32Map], line: dict[str, Any], by: str | None, measured: bool
) -> SheetRow:
    """`measured`: some rows of the sheet are, so that each says whether it is."""
    numbers = _drawn_parameters(line) if by is None else number_caption(line, by)
    made = [line["truth"]] if measured else []
    caption = [line["image_id"], line["origin"], *made, *numbers, *line["flags"]]
    return SheetRow(tuple(caption), tuple(maps.values()), failure=line["error_code"])


def _drawn_parameters(line: dict[str, Any]) -> list[str]:
    found = []
    if line.get("severity") is not None:
        found.append(f"severity {line['severity']:.2f}")
    if line.get("eps_bar_per_m") is not None:
        found.append(f"eps {line['eps_bar_per_m']:.2f} /m")
    if line.get("slice") is not None:
        found.append(f"slice {line['slice']}")
    return found
