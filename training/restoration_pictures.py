"""A sheet of test images: input, what each network makes of it, and the truth, to be looked at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from restoration_study import Fit, Setting, Study

from dfsynth.files.durable import write_durably
from dfsynth.records import Float32Map
from dfsynth.report import SheetColumn, SheetRow, contact_sheet, encode_png

IMAGES: Final = 40
_GREY: Final = ("grey value", "gray", 0.0, 1.0)


def draw_sheet(study: Study, fits: Sequence[tuple[Fit, Setting]], path: Path) -> None:
    """Up to 40 test images, evenly spaced, a row each; sigma of the last network at the end.

    Networks that are not measured yet are left out.
    """
    places = np.linspace(0, len(study.tested) - 1, min(IMAGES, len(study.tested)))
    chosen = list(dict.fromkeys(int(place) for place in places.round()))
    pairs = [study.test.read(study.tested[n]) for n in chosen]
    maps = {fit.name: study.maps(fit, setting) for fit, setting in fits}
    known = {name: found[:, chosen] for name, found in maps.items() if found is not None}
    panels: dict[str, Sequence[Float32Map]] = {
        "input": [pair.image[pair.content] for pair in pairs],
        **{name: list(found[0]) for name, found in known.items()},
        "truth": [pair.target[pair.content] for pair in pairs],
    }
    columns = [SheetColumn(name, *_GREY) for name in panels]
    if known:
        last, found = list(known.items())[-1]
        panels["sigma"] = list(found[1])
        columns.append(SheetColumn(f"sigma, {last}", "1", "viridis", 0.0, 0.2))
    infos = [study.test.rows[study.tested[n]] for n in chosen]
    rows = [
        SheetRow((info.key, info.patient_id), tuple(images[n] for images in panels.values()))
        for n, info in enumerate(infos)
    ]
    sheet = contact_sheet(
        rows,
        columns,
        title=f"{len(rows)} test images restored",
        footer="Synthetic images, not for diagnosis.",
    )
    write_durably(path, encode_png(sheet), study.kept.out / "tmp", path.name)
