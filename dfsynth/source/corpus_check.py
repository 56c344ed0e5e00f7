"""What a corpus's description finds below a root: problems first, then counts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.files.object_path import AnyPath
from dfsynth.source.corpus import Corpus
from dfsynth.source.labels import FINDING_LISTS
from dfsynth.source.opening import open_corpus
from dfsynth.source.problems import Complaint

_TEXTS: Final = ("view", "sex", "split")
_KNOWN: Final = ("patient_id", "view", "sex", "age", "findings", "split")


@dataclass(frozen=True, slots=True)
class CorpusReport:
    """A corpus below one root."""

    corpus: str
    root: str
    """The corpus's own folder, or its address in an object store."""
    problems: tuple[Complaint, ...]
    """What the description or the tables should mend."""
    remarks: tuple[str, ...]
    """What is normal and worth a word."""
    images: int
    """Images that a build would take."""
    patients: int
    excluded: Mapping[str, int]
    """What it would leave out: reason → count."""
    known: Mapping[str, int]
    """Fact → images of which it is known; `size` is pitch or field."""
    counts: Mapping[str, Mapping[str, int]]
    """view, sex, split → value → images."""
    findings: Mapping[str, tuple[int, int, int]]
    """Finding → images that have it, have it not, may have it."""


def check_corpus(corpus: Corpus, root: AnyPath, frontal_only: bool = True) -> CorpusReport:
    """Lists a corpus as a build would, and counts what is known of its images.

    Raises:
        UsageError: nothing can be listed: no images, no table, or one that contradicts itself.
        DfsynthError: the object store that holds it refuses.
    """
    source = open_corpus(corpus, root, frontal_only)
    survey = source.survey()
    table = survey.listing.table
    known = {name: table.num_rows - table.column(name).null_count for name in _KNOWN}
    sized = pc.or_(pc.is_valid(table.column("pixel_mm")), pc.is_valid(table.column("width_mm")))
    known["size"] = table.filter(sized).num_rows
    return CorpusReport(
        corpus=corpus.name,
        root=str(source.root),
        problems=survey.complaints,
        remarks=survey.remarks,
        images=table.num_rows,
        patients=len(pc.unique(table.column("patient_id").drop_null())),
        excluded=survey.listing.excluded,
        known=known,
        counts={name: _counted(table.column(name).to_pylist()) for name in _TEXTS},
        findings=_findings(table),
    )


def _counted(values: list[str | None]) -> dict[str, int]:
    return dict(Counter(value for value in values if value is not None).most_common())


def _findings(table: pa.Table) -> dict[str, tuple[int, int, int]]:
    """By how many images have each, the most frequent first."""
    counted = [
        Counter(map(str, pc.list_flatten(table.column(name)).to_pylist())) for name in FINDING_LISTS
    ]
    names = dict.fromkeys(name for counter in counted for name, _ in counter.most_common())
    return {name: (counted[0][name], counted[1][name], counted[2][name]) for name in names}
