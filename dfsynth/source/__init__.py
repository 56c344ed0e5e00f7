"""WHERE images come from: corpora, folders, archives and tables, listed without opening one."""

from dfsynth.source.corpus import Corpus
from dfsynth.source.corpus_file import find_corpus, known_corpora, load_corpus
from dfsynth.source.corpus_source import CorpusSource
from dfsynth.source.opening import open_source
from dfsynth.source.presence import require_present
from dfsynth.source.protocol import Source
from dfsynth.source.schema import LISTING_SCHEMA, Listing

__all__ = [
    "LISTING_SCHEMA",
    "Corpus",
    "CorpusSource",
    "Listing",
    "Source",
    "find_corpus",
    "known_corpora",
    "load_corpus",
    "open_source",
    "require_present",
]
