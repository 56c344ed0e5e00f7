"""The origin `phantom`: bodies drawn from numbers, every one a person of its own."""

import torch

from dfsynth.records import MadePair, PairItem, Subject
from dfsynth.simulation.columns import phantom_columns
from dfsynth.simulation.origins.origin import SubjectListing
from dfsynth.simulation.pair import SceneImaging, make_pair
from dfsynth.simulation.phantom import draw_body
from dfsynth.simulation.sampling import SamplingOptions
from dfsynth.simulation.scene import pose_phantom
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import draw_tissue


class PhantomOrigin:
    """Implements `PairOrigin`; a subject is named by what its body is drawn from."""

    def __init__(
        self,
        options: SamplingOptions,
        seed: int,
        device: torch.device,
        image: SceneImaging = make_pair,
    ) -> None:
        """Phantoms of the store with this `seed`, computed on `device`, made pairs by `image`."""
        self._options = options
        self._image = image
        self._seed = seed
        self._device = device

    def list_subjects(self, count: int) -> SubjectListing:
        """See `PairOrigin`."""
        names = (f"phantom-{self._seed}-{number:07d}" for number in range(count))
        lines = [Subject(name, "phantom", None, "none") for name in names]
        return SubjectListing(lines, {}, (), by_pair_index=True)

    def fingerprint(self) -> str:
        """See `PairOrigin`; there are no inputs."""
        return ""

    def make(self, item: PairItem) -> MadePair:
        """See `PairOrigin`."""
        streams = Streams(item.seed)
        tissue = draw_tissue(streams, self._options.severity, self._options.without)
        body = draw_body(streams("body"))
        scene = pose_phantom(body, tissue, streams, self._options.size, self._device)
        return self._image(scene, self._options, streams, phantom_columns(body))
