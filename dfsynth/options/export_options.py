"""What `dfsynth export` is asked to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Literal, TypeAlias, get_args

from dfsynth.errors import UsageError
from dfsynth.options.checks import require_one_of, require_out
from dfsynth.options.coercion import to_path
from dfsynth.options.given import GivenOptions

ExportSpace: TypeAlias = Literal["grid", "source"]
EXPORT_SPACES: Final = get_args(ExportSpace)


@dataclass(frozen=True, slots=True)
class ExportOptions(GivenOptions):
    """What `dfsynth export` is asked to do.

    Raises:
        UsageError: `out` cannot be a store's name, or options that do not go together.
    """

    _coercions: ClassVar = {"store": Path, "out": to_path}

    store: Path
    out: Path
    """What is written."""
    to: str
    """As what: a name of `dfsynth.jobs.export.EXPORTERS`."""
    where: str | None = None
    """A SQL condition on the manifest's columns; by default every finished image."""
    include_no_lung: bool = False
    """Whether, with `where`, images on which no lung was found can pass."""
    space: ExportSpace = "grid"
    """In whose geometry maps are written: the store's grid, or the source's own pixels."""
    dtype: str | None = None
    """Of the values, where the format leaves a choice: TIFF as uint16, the default, or float32."""
    overwrite: bool = False
    """Whether a store, or an export, that is there is to be removed."""

    def __post_init__(self) -> None:
        require_out(self.out)
        require_one_of("--space", self.space, EXPORT_SPACES)
        if self.include_no_lung and self.where is None:
            raise UsageError(
                "--include-no-lung goes with --where, which was not given: without it every "
                "finished image is exported, with lung or without"
            )
