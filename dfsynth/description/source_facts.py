"""Where the images of a store come from and what made them, as far as a record lets us look it up.

A record names the corpus and the checkpoint. More is known of those that are installed with
dfsynth; a checkpoint is known again by its SHA-256.
"""

from dataclasses import dataclass, replace
from typing import Final

from dfsynth.checkpoint import checkpoint_path, read_checkpoint
from dfsynth.checkpoint.packaged import packaged_networks
from dfsynth.source import known_corpora
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.pairs_record import PairsRecord

_SIMULATED: Final = {
    "phantom": "drawn bodies",
    "ct": "CT volumes",
    "cxr": "real radiographs, whose dark-field images are simulated",
    "volume": "slices of measured volumes",
}


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A source, in the words of its corpus file where it has one; unknown texts are empty."""

    name: str
    title: str
    licenses: tuple[str, ...]
    citation: str = ""
    homepage: str = ""
    obtain: str = ""
    """How to get the original images."""
    remarks: tuple[str, ...] = ()
    """What is odd about them."""
    paediatric: bool = False


@dataclass(frozen=True, slots=True)
class CheckpointFacts:
    """The generator of a store; what only its card says is empty where that is not at hand."""

    name: str
    sha256: str
    license: str
    intended_use: str = ""
    limits: str = ""
    training_data: tuple[tuple[str, str], ...] = ()
    """Names and licenses."""


def sources(record: BuildRecord | PairsRecord) -> SourceFacts:
    """The source of a store.

    Raises:
        UsageError: a packaged corpus file is damaged.
    """
    if isinstance(record, PairsRecord):
        origin = record.fingerprint.origin
        made_of = record.task.card.mixed if origin == "mixed" else _SIMULATED.get(origin, origin)
        title = f"{record.task.card.pairs_noun} of {made_of}"
        return SourceFacts(f"simulated:{origin}", title, record.licenses)
    name, notes = record.fingerprint.source, record.source_notes
    title = str(notes.get("title", ""))
    # A corpus file of one's own may bear the name of another corpus.
    corpora = known_corpora() if title else ()
    known = next((c for c in corpora if (c.name, c.title) == (name, title)), None)
    return SourceFacts(
        name=name,
        title=title or name,
        licenses=(record.source_license,),
        citation=str(notes.get("citation", "")),
        homepage=str(notes.get("homepage", "")),
        obtain="" if known is None else known.obtain,
        remarks=() if known is None else known.quirks,
        paediatric=bool(notes.get("paediatric", False)),
    )


def find_checkpoint(record: BuildRecord) -> CheckpointFacts:
    """The checkpoint of a store.

    Raises:
        CheckpointError: a packaged checkpoint is damaged.
    """
    sha256 = record.fingerprint.checkpoint_sha256
    found = CheckpointFacts(record.checkpoint, sha256, record.checkpoint_license)
    for known in packaged_networks():
        # By name first: all weights are read for a SHA-256.
        if known.trained_as != found.name:
            continue
        if read_checkpoint(checkpoint_path(known.name)).sha256 == sha256:
            data = ((part["name"], part["licence"]) for part in known.training_data)
            return replace(
                found,
                intended_use=known.intended_use,
                limits=known.limits,
                training_data=tuple(dict.fromkeys(data)),
            )
    return found
