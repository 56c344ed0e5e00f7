"""source → decode → preprocess for one input; the boundary that one bad input never crosses."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from dfsynth.decode import DecodeLimits, decode
from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.jobs.image_rows import Failed, Prepared, facts_of
from dfsynth.preprocess import prepare
from dfsynth.records import IntensityWindow, SourceItem
from dfsynth.source import Source

Outcome: TypeAlias = Prepared | Failed
Result = TypeVar("Result")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why one image or pair could not be made."""

    code: ErrorCode
    sentence: str


@dataclass(frozen=True, slots=True)
class Preparation:
    """Turns inputs into model inputs; shared by all decoding threads."""

    source: Source
    limits: DecodeLimits
    grid: tuple[int, int]
    window: IntensityWindow

    def __call__(self, item: SourceItem) -> Outcome:
        """Never raises for a bad input, only where the whole run is in doubt.

        Raises:
            DfsynthError: the source itself is gone.
        """
        data = attempt(lambda: self.source.read(item, self.limits.max_bytes), item.image_id)
        if isinstance(data, Trouble):
            return Failed(item, data.code, data.sentence)
        digest = hashlib.sha256(data).hexdigest()
        prepared = attempt(lambda: self._prepare(item, data, digest), item.image_id)
        if isinstance(prepared, Trouble):
            return Failed(item, prepared.code, prepared.sentence, digest)
        return prepared

    def _prepare(self, item: SourceItem, data: bytes, digest: str) -> Prepared:
        decoded = decode(data, self.limits)
        facts = facts_of(decoded, item)
        ready = prepare(replace(decoded, pixel_mm=facts.pixel_mm), self.grid, self.window)
        return Prepared(item, digest, facts, ready)


def attempt(work: Callable[[], Result], image_id: str) -> Result | Trouble:
    """What `work` gives for one image or pair, or why it gives nothing.

    Raises:
        DfsynthError: as `work` does where the whole run is in doubt, or memory is at its end.
    """
    try:
        return work()
    except ImageError as error:
        return Trouble(error.code, str(error))
    except DfsynthError:
        raise
    except MemoryError as error:
        # The machine's trouble, not the picture's: a failed row would stay.
        raise DfsynthError(
            "out of memory at one image; use fewer --workers, or smaller images (build: "
            "--max-pixels, simulate: --size), and run the command again"
        ) from error
    except Exception as error:  # noqa: BLE001 - a bad input must not end a run of 100,000
        _log.debug("unexpected error at %s", image_id, exc_info=True)
        sentence = f"an unexpected {type(error).__name__}; run again with -v to see where"
        return Trouble(ErrorCode.INTERNAL, sentence)
