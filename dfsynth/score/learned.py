"""Reading what the checkpoint's heads say of an image; it is null where they say nothing."""

from dfsynth.score.scorer import ImageMaps


def learned_score(maps: ImageMaps, name: str) -> float | None:
    """The heads' value for the column `name`."""
    value = maps.learned.get(name)
    return None if value is None else float(value)


def learned_lung_score(maps: ImageMaps, name: str) -> float | None:
    """The same of what the column says of the lung: null also where no lung is seen."""
    lung_is_missing = maps.lung is not None and maps.lung_region is None
    return None if lung_is_missing else learned_score(maps, name)
