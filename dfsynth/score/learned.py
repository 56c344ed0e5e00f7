"""Scores that the checkpoint's heads say of an image; they are null where they say nothing."""

from dfsynth.score.scorer import ImageMaps, ScoreColumn, Scorer


def learned_scorer(*columns: ScoreColumn, of_lung: tuple[str, ...] = ()) -> Scorer:
    """Makes the scorer of columns whose values the heads say.

    Those named in `of_lung` say something of the lung: they are null also where no lung is seen.
    """

    def compute(maps: ImageMaps) -> tuple[float | None, ...]:
        lung_is_missing = maps.lung is not None and maps.lung_region is None
        return tuple(
            None if lung_is_missing and column.name in of_lung else _said(maps, column.name)
            for column in columns
        )

    return Scorer(columns, compute, learned=True)


def _said(maps: ImageMaps, name: str) -> float | None:
    value = maps.learned.get(name)
    return None if value is None else float(value)
