"""WHERE images come from: corpora, folders, archives and tables, listed without opening one."""

from dfsynth.source.corpus import Corpus, CorpusTable, SplitList, known_corpora
from dfsynth.source.opening import open_source
from dfsynth.source.protocol import Source
from dfsynth.source.schema import LISTING_SCHEMA, Listing

__all__ = [
    "LISTING_SCHEMA",
    "Corpus",
    "CorpusTable",
    "Listing",
    "Source",
    "SplitList",
    "known_corpora",
    "open_source",
]
