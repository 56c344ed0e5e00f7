"""What was found of a corpus, and what is wrong with it."""

from dataclasses import dataclass

from dfsynth.source.problems import Complaint
from dfsynth.source.schema import Listing


@dataclass(frozen=True, slots=True)
class Survey:
    """A listing with its problems in full."""

    listing: Listing
    complaints: tuple[Complaint, ...]
    """What may be wrong, with the rows; the listing's warnings hold the sentences."""
    remarks: tuple[str, ...]
    """What is normal and worth a word, such as a corpus that is there in part."""
