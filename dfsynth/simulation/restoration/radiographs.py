"""The origin `cxr` of restoration: real radiographs, blurred."""

from pathlib import Path

import numpy as np

from dfsynth.manifest import null_parameters, pair_schema
from dfsynth.options.simulate_tasks import RESTORATION
from dfsynth.records import MadePair, PairFacts, PairItem
from dfsynth.simulation.origins.origin import SubjectListing
from dfsynth.simulation.origins.radiograph_library import RadiographLibrary
from dfsynth.simulation.restoration.blurring import Blurring, pair_arrays
from dfsynth.simulation.restoration.plain_look import (
    draw_plain_look,
    show_plainly,
    standardise_look,
)
from dfsynth.simulation.restoration.whole_lungs import require_whole_lungs
from dfsynth.simulation.streams import Streams


class BlurredRadiographs:
    """Implements `PairOrigin`: the radiograph is the target, and nodules of its own are unknown."""

    def __init__(self, place: Path, size: int, blurring: Blurring) -> None:
        """Radiographs of the folder or table `place`; reads nothing yet.

        Raises:
            UsageError: there is no source that can be opened.
        """
        self._radiographs = RadiographLibrary(place, size, require_whole_lungs)
        self._blurring = blurring

    def list_subjects(self, count: int) -> SubjectListing:
        """See `PairOrigin` and `RadiographLibrary`; what is cropped is left out as well."""
        return self._radiographs.list_subjects(count)

    def fingerprint(self) -> str:
        """See `PairOrigin`."""
        return self._radiographs.fingerprint()

    def make(self, item: PairItem) -> MadePair:
        """See `PairOrigin`; the lungs are those that the lung network sees.

        The target is measured and its partner computed, as in the tasks of MRI: the truth of a pair
        is no drawn one, and is called `simulated` as there.
        """
        found = self._radiographs.read(str(item.source))
        image, content = found.ready.image, found.ready.geometry.content
        lung = self._radiographs.find_lungs(found.ready).labels
        streams = Streams(item.seed)
        shown = image
        if self._blurring.plain:
            shown = show_plainly(image, content, draw_plain_look(streams("plain look")))
            image = standardise_look(image, content)
        made = self._blurring.blur(shown, content, streams)
        facts = PairFacts(
            source_sha256=found.sha256,
            pixel_mm=found.pixel_mm,
            parameters=null_parameters(pair_schema(RESTORATION)) | made.columns,
            flags=found.ready.flags,
        )
        arrays = pair_arrays(image, made.blurred, lung, np.zeros_like(lung))
        return MadePair(arrays, facts)
