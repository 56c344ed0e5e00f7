"""source → decode → preprocess for one input; the boundary that one bad input never crosses."""

import hashlib
import logging
from dataclasses import dataclass, replace
from typing import TypeAlias

from dfsynth.decode import DecodeLimits, decode
from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.pipeline.describe import Failed, Prepared, facts_of
from dfsynth.preprocess import prepare
from dfsynth.records import IntensityWindow, SourceItem
from dfsynth.source import Source

Outcome: TypeAlias = Prepared | Failed

_log = logging.getLogger(__name__)


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
        digest = None
        try:
            data = self.source.read(item, self.limits.max_bytes)
            digest = hashlib.sha256(data).hexdigest()
            decoded = decode(data, self.limits)
            facts = facts_of(decoded, item)
            ready = prepare(replace(decoded, pixel_mm=facts.pixel_mm), self.grid, self.window)
            return Prepared(item, digest, facts, ready)
        except ImageError as error:
            return Failed(item, error.code, str(error), digest)
        except DfsynthError:
            raise
        except MemoryError as error:
            # The machine's trouble, not the picture's: a failed row would stay.
            raise DfsynthError(
                "out of memory while reading images; use fewer --workers or a smaller --max-pixels "
                "and run the command again"
            ) from error
        except Exception as error:  # noqa: BLE001 - a bad input must not end a run of 100,000
            _log.debug("unexpected error at %s", item.image_id, exc_info=True)
            sentence = f"an unexpected {type(error).__name__}; run again with -v to see where"
            return Failed(item, ErrorCode.INTERNAL, sentence, digest)
