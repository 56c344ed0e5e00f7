"""What people and programs want to know of a corpus before they fetch it."""

from collections.abc import Iterable
from dataclasses import dataclass

from dfsynth.source.corpus import Corpus


@dataclass(frozen=True, slots=True)
class CorpusDescription:
    """One corpus."""

    name: str
    """What `--source` takes."""
    title: str
    license: str
    citation: str
    homepage: str
    obtain: str
    """How to get it."""
    layout: str
    """Where what lies."""
    quirks: tuple[str, ...]
    """What users should know."""
    sources: tuple[str, ...]
    """Where its layout was looked up."""
    doubts: tuple[str, ...]
    """What those could not confirm, or say differently."""
    paediatric: bool
    """Whether the images are of children."""
    root_names: tuple[str, ...]
    """What its folder may be called."""
    images: int | None
    """Of the complete corpus; null where its makers do not say, as in the next two."""
    patients: int | None
    gigabytes: float | None
    files: tuple[str, ...]
    """Patterns of image files."""
    tables: tuple[str, ...]
    """Files with what is known of the images."""


@dataclass(frozen=True, slots=True)
class CorpusDescriptions:
    """Several corpora."""

    corpora: tuple[CorpusDescription, ...]
    """By name."""


def describe_corpus(corpus: Corpus) -> CorpusDescription:
    """Describes one corpus."""
    return CorpusDescription(
        name=corpus.name,
        title=corpus.title,
        license=corpus.license,
        citation=corpus.citation,
        homepage=corpus.homepage,
        obtain=corpus.obtain,
        layout=corpus.layout,
        quirks=corpus.quirks,
        sources=corpus.sources,
        doubts=corpus.doubts,
        paediatric=corpus.paediatric,
        root_names=corpus.root_names,
        images=corpus.size.images,
        patients=corpus.size.patients,
        gigabytes=corpus.size.gigabytes,
        files=tuple(pattern.text for pattern in corpus.images.files),
        tables=tuple(file for table in corpus.tables for file in table.files),
    )


def describe_corpora(corpora: Iterable[Corpus]) -> CorpusDescriptions:
    """Describes several, in their order."""
    return CorpusDescriptions(tuple(describe_corpus(corpus) for corpus in corpora))
