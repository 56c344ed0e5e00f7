"""source → decode → preprocess for one input; the boundary that one bad input never crosses."""

import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias, TypeVar

from dfsynth.decode import DecodeLimits, decode_raw
from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.jobs.image_rows import Failed, Prepared
from dfsynth.jobs.stages import DECODE, READ
from dfsynth.preprocess import ModelInputReader
from dfsynth.records import ImageFacts, Intensity, IntensityWindow, ModelInput, SourceItem
from dfsynth.source import CorpusSource, Source
from dfsynth.threads.activity import Activity

Outcome: TypeAlias = Prepared | Failed
Result = TypeVar("Result")

_NO_MEMORY: Final = re.compile(
    r"bad_alloc|(insufficient|not enough|out of) memory|(cannot|could not|failed to|unable to) "
    r"alloc|memory allocation",
    re.IGNORECASE,
)
"""How libraries say it that raise another error than MemoryError."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one image or pair could not be made."""

    code: ErrorCode
    sentence: str


@dataclass(frozen=True, slots=True)
class InputStage:
    """Reads, decodes and letterboxes inputs; shared by all decoding threads."""

    source: Source
    reader: ModelInputReader
    activity: Activity = field(default_factory=Activity)

    def __call__(self, item: SourceItem) -> Outcome:
        """Never raises for a bad input, only where the whole run may be wrong.

        Raises:
            DfsynthError: the source itself is gone.
        """
        max_bytes = self.reader.limits.max_bytes
        with self.activity.doing(READ, item.image_id):
            data = attempt(lambda: self.source.read(item, max_bytes), item.image_id)
        if isinstance(data, Failure):
            return Failed(item, data.code, data.sentence)
        digest = hashlib.sha256(data).hexdigest()
        with self.activity.doing(DECODE, item.image_id):
            found = attempt(lambda: self._decoded(data, item), item.image_id)
        if isinstance(found, Failure):
            return Failed(item, found.code, found.sentence, digest)
        return Prepared(item, digest, *found)

    def _decoded(self, data: bytes, item: SourceItem) -> tuple[ImageFacts, ModelInput]:
        return self.reader(data, _field_mm(item), item.pixel_mm)


def reader_of(
    source: Source, grid: tuple[int, int], intensity: Intensity, limits: DecodeLimits
) -> ModelInputReader:
    """The reader of a source's files into a grid (height, width).

    Files of bare pixels are read as their corpus says, but where values in a unit are wanted: they
    are grey values, and of those a decoder of values says so.
    """
    layout = source.corpus.images.raw if isinstance(source, CorpusSource) else None
    if layout is None or not isinstance(intensity, IntensityWindow):
        return ModelInputReader(grid, intensity, limits)
    return ModelInputReader(grid, intensity, limits, partial(decode_raw, layout=layout))


def _field_mm(item: SourceItem) -> tuple[float, float] | None:
    """(height, width) of the image at the detector, where the corpus tells both."""
    if item.height_mm and item.width_mm:
        return item.height_mm, item.width_mm
    return None


def lacks_memory(error: BaseException) -> bool:
    """Whether memory that was not to be had is behind an error, in its own words or its cause's."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError) or _NO_MEMORY.search(str(cause)):
            return True
        cause = cause.__cause__
    return False


def attempt(work: Callable[[], Result], image_id: str) -> Result | Failure:
    """What `work` gives for one image or pair, or why it gives nothing.

    Raises:
        DfsynthError: as `work` does where the whole run may be wrong, or memory is at its end.
    """
    try:
        return work()
    except Exception as error:
        if lacks_memory(error):
            # The machine's failure, not the image's: a failed row would stay.
            raise DfsynthError(
                "out of memory at one image; use fewer --workers, or smaller images (build: "
                "--max-pixels, simulate: --size), and run the command again"
            ) from error
        if isinstance(error, ImageError):
            return Failure(error.code, str(error))
        if isinstance(error, DfsynthError):
            raise
        _log.debug("unexpected error at %s", image_id, exc_info=True)
        sentence = f"an unexpected {type(error).__name__}; run again with -v to see where"
        return Failure(ErrorCode.INTERNAL, sentence)
