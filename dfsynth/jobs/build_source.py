"""The source of a build, opened as its checkpoint takes images."""

from dfsynth.files.object_path import AnyPath
from dfsynth.options import BuildOptions
from dfsynth.records import Intensity, IntensityRange
from dfsynth.source import Source, open_source


def open_build_source(options: BuildOptions, intensity: Intensity) -> Source:
    """The source that the options name; nothing is listed yet.

    Raises:
        UsageError: as `open_source`.
    """
    return open_inputs(options.source, options.root, intensity, options.views != "all")


def open_inputs(
    spec: str, root: AnyPath | None, intensity: Intensity, frontal_only: bool = False
) -> Source:
    """The source of model inputs of a convention: where values have a unit, volumes hold slices.

    Raises:
        UsageError: as `open_source`.
    """
    return open_source(spec, root, frontal_only, volumes=isinstance(intensity, IntensityRange))
