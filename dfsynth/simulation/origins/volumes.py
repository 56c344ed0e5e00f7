"""The origin `ct`: volumes of the chest, each posed anew for every pair."""

from pathlib import Path

import torch

from dfsynth.records import MadePair, PairItem
from dfsynth.simulation.columns import pose_columns
from dfsynth.simulation.ct import draw_pose
from dfsynth.simulation.origins.origin import SubjectListing
from dfsynth.simulation.origins.thorax_library import ThoraxLibrary
from dfsynth.simulation.pair import SceneImaging, make_pair
from dfsynth.simulation.sampling import SamplingOptions
from dfsynth.simulation.scene import pose_ct
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import draw_tissue


class CtOrigin:
    """Implements `PairOrigin`: CT volumes, each in many poses."""

    def __init__(
        self,
        options: SamplingOptions,
        root: Path,
        device: torch.device,
        image: SceneImaging = make_pair,
    ) -> None:
        """Volumes below `root`, computed on `device`, made pairs by `image`; reads nothing yet."""
        self._options = options
        self._image = image
        self._volumes = ThoraxLibrary(root, device)

    def list_subjects(self, count: int) -> SubjectListing:
        """See `PairOrigin`. Reads and segments every volume, which takes some 10 s each."""
        return self._volumes.list_subjects(count)

    def fingerprint(self) -> str:
        """See `PairOrigin`."""
        return self._volumes.fingerprint()

    def make(self, item: PairItem) -> MadePair:
        """See `PairOrigin`."""
        thorax = self._volumes.thorax(str(item.source))
        streams = Streams(item.seed)
        options = self._options
        tissue = draw_tissue(streams, options.severity, options.without, thorax.scatter_ratio)
        pose = draw_pose(streams("pose"))
        scene = pose_ct(thorax, pose, tissue, streams, options.size)
        flags = ("lungs_cut",) if thorax.lungs_cut else ()
        return self._image(scene, options, streams, pose_columns(pose), thorax.sha256, flags)
