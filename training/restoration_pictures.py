"""A sheet of test images: input, what each network makes of it, and the truth, to be looked at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from restoration_study import Fit, Setting, Study

from dfsynth.evaluate.prediction import predict_pairs
from dfsynth.files.durable import write_durably
from dfsynth.progress import Silent
from dfsynth.records import Float32Map
from dfsynth.report import SheetColumn, SheetRow, contact_sheet, encode_png

IMAGES: Final = 40
_GREY: Final = ("grey value", "gray", 0.0, 1.0)


def draw_sheet(study: Study, fits: Sequence[tuple[Fit, Setting]], path: Path) -> None:
    """Up to 40 test images, evenly spaced, a row each; sigma of the last network at the end."""
    places = np.linspace(0, len(study.tested) - 1, min(IMAGES, len(study.tested)))
    chosen = [study.tested[i] for i in dict.fromkeys(int(p) for p in places.round())]
    drawn: list[list[Float32Map]] = [[] for _ in chosen]
    truths: list[Float32Map] = []
    for index, images in zip(chosen, drawn, strict=True):
        pair = study.test.read(index)
        images.append(pair.image[pair.content])
        truths.append(pair.target[pair.content])
    sigmas: list[Float32Map] = []
    for fit, setting in fits:
        pairs = predict_pairs(study.generator(fit, setting), study.test, chosen, Silent())
        stages = [pair.image.stages[-1] for pair in pairs]
        sigmas = [stage.sigma for stage in stages]
        for images, stage in zip(drawn, stages, strict=True):
            images.append(stage.mean)
    columns = [SheetColumn(name, *_GREY) for name in ("input", *(fit.name for fit, _ in fits))]
    columns.append(SheetColumn("truth", *_GREY))
    if sigmas:
        columns.append(SheetColumn(f"sigma, {fits[-1][0].name}", "1", "viridis", 0.0, 0.2))
    rows = []
    for number, index in enumerate(chosen):
        last = [sigmas[number]] if sigmas else []
        caption = (study.test.rows[index].key, study.test.rows[index].patient_id)
        rows.append(SheetRow(caption, (*drawn[number], truths[number], *last)))
    sheet = contact_sheet(
        rows,
        columns,
        title=f"{len(rows)} test images restored",
        footer="Synthetic images, not for diagnosis.",
    )
    write_durably(path, encode_png(sheet), study.kept.out / "tmp", path.name)
