"""All scores of an image: which there are, and computing them.

A new score is a `Scorer` in a module of its own, and its line in `SCORERS`. The list is explicit
because its order is that of the manifest's columns, a contract that names of files could not keep.
The new columns say in which version of the schema they come (`ScoreColumn.since`).
"""

import math
from collections.abc import Mapping
from typing import Final

from dfsynth.errors import CheckpointError, ErrorCode, ImageError
from dfsynth.records import LEARNED_FLAGS, NO_LUNG, Generated, ModelInput, Scored
from dfsynth.score.dark_field import DARK_FIELD
from dfsynth.score.deviations import ALEATORIC, EPISTEMIC
from dfsynth.score.error_bound import ERROR_BOUND
from dfsynth.score.lung import LUNG, lung_region, predicted_lung
from dfsynth.score.noise_uncertainty import NOISE_UNCERTAINTY
from dfsynth.score.out_of_distribution import OUT_OF_DISTRIBUTION
from dfsynth.score.patient_uncertainty import PATIENT_UNCERTAINTY
from dfsynth.score.predicted_error import PREDICTED_ERROR
from dfsynth.score.scorer import ImageMaps, ScoreColumn, Scorer
from dfsynth.score.structure_uncertainty import STRUCTURE_UNCERTAINTY
from dfsynth.score.uncertainty import UNCERTAINTY

SCORERS: Final[tuple[Scorer, ...]] = (
    DARK_FIELD,
    ALEATORIC,
    EPISTEMIC,
    UNCERTAINTY,
    NOISE_UNCERTAINTY,
    PATIENT_UNCERTAINTY,
    STRUCTURE_UNCERTAINTY,
    PREDICTED_ERROR,
    ERROR_BOUND,
    LUNG,
    OUT_OF_DISTRIBUTION,
)
SCORE_COLUMNS: Final[tuple[ScoreColumn, ...]] = tuple(
    column for scorer in SCORERS for column in scorer.columns
)
"""Every score, in the order of the manifest."""
LEARNED_SCORES: Final[tuple[str, ...]] = tuple(
    column.name for scorer in SCORERS if scorer.learned for column in scorer.columns
)
"""The names of those that are null where the checkpoint has no heads for them."""
NO_SCORES: Final[Mapping[str, float | None]] = {column.name: None for column in SCORE_COLUMNS}
"""Those of an image that could not be made."""


def score(generated: Generated, source: ModelInput) -> Scored:
    """Computes every score of one image; padding is left out of all of them.

    Where the checkpoint has no lung output, scores of the lung are null and `uncertainty` is taken
    over the whole image. An image on which no lung is found is flagged, and its scores of the lung
    are null. Scores that the checkpoint has no heads for are null.

    Args:
        generated: Maps (y, x) of the grid, and what the checkpoint's heads say.
        source: What they were generated from.

    Raises:
        CheckpointError: The heads give a score or a flag that is not known here.
        ImageError: NON_FINITE, where they give a score that is NaN or infinite.
    """
    _check_learned(generated)
    maps = _maps_of(generated, source)
    values: dict[str, float | None] = {}
    for scorer in SCORERS:
        names = [column.name for column in scorer.columns]
        values.update(zip(names, scorer.compute(maps), strict=True))
    lung_is_missing = maps.lung is not None and maps.lung_region is None
    flags = (*source.flags, NO_LUNG) if lung_is_missing else source.flags
    return Scored(values, (*flags, *generated.learned_flags))


def _check_learned(generated: Generated) -> None:
    learned = generated.learned or {}
    for what, found, known in (
        ("score", learned, LEARNED_SCORES),
        ("flag", generated.learned_flags, tuple(LEARNED_FLAGS)),
    ):
        unknown = sorted(set(found) - set(known))
        if unknown:
            raise CheckpointError(
                f"the checkpoint's heads give the {what} {unknown[0]!r}; this version of dfsynth "
                f"knows {', '.join(known)}; use the version that the checkpoint was made for"
            )
    for name, value in learned.items():
        if not math.isfinite(value):
            raise ImageError(
                ErrorCode.NON_FINITE, f"the checkpoint's heads give no finite value for {name}"
            )


def _maps_of(generated: Generated, source: ModelInput) -> ImageMaps:
    content = source.geometry.content
    lung = None if generated.lung is None else predicted_lung(generated.lung[content])
    return ImageMaps(
        dark_field=generated.mean[content],
        aleatoric=generated.aleatoric[content],
        epistemic=generated.epistemic[content],
        lung=lung,
        lung_region=None if lung is None else lung_region(lung),
        source=source,
        learned=generated.learned or {},
    )
