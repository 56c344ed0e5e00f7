"""Corpora: what a TOML file says of a published collection of images."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from dfsynth.records import RawLayout
from dfsynth.source.corpus_pattern import CorpusPattern
from dfsynth.source.template import Template

ReadFiles: TypeAlias = Literal["first", "all"]
Need: TypeAlias = Literal["required", "expected", "optional"]
SeveralFiles: TypeAlias = Literal["refuse", "first_pattern"]
SeveralRows: TypeAlias = Literal["refuse", "merge", "majority"]
FindingsForm: TypeAlias = Literal["separated", "python_list"]

IMAGE_FACTS: Final = (
    "patient_id",
    "view",
    "sex",
    "age",
    "findings",
    "split",
    "width_mm",
    "height_mm",
    "width_px",
    "height_px",
    "pitch_x_mm",
    "pitch_y_mm",
    "pixel_mm",
    "birth_year",
    "study_date",
)
"""What a corpus can say of an image. Pixels times pitch give mm where there is no mm, and a date
less the year of birth gives the age where there is no age."""
WORD_FACTS: Final = ("patient_id", "view", "sex", "age", "findings", "split")
"""Facts whose words a corpus can translate."""
FRONTAL_VIEWS: Final = ("PA", "AP", "FRONTAL")


@dataclass(frozen=True, slots=True)
class ImageLayout:
    """Which files are the images, and what their paths say of them."""

    files: tuple[CorpusPattern, ...]
    """The first that a path fits counts."""
    archives: tuple[CorpusPattern, ...]
    """Zips whose members count as if they were unpacked where the zip lies."""
    image_id: Template
    several_files: SeveralFiles
    """What to do with an image that lies there in several forms, such as DICOM and PNG."""
    facts: Mapping[str, Template]
    """A name of `IMAGE_FACTS` → the text where no table says one."""
    raw: RawLayout | None
    """Of files that are bare pixels."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Columns with a state each: positive, negative, uncertain; anything else says nothing."""

    names: Mapping[str, str]
    """Header → finding."""
    positive: tuple[str, ...]
    """Cells; numbers are equal however they are written. `*` stands for any other text."""
    negative: tuple[str, ...]
    uncertain: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowExclusion:
    """Images that are left out for what a column of a table says."""

    column: str
    values: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class CorpusTable:
    """A table of a corpus: its files, what joins it to images, and which columns say what."""

    files: tuple[str, ...]
    """Paths relative to the root, where `*` stands for any part of a name."""
    read: ReadFiles
    """`first`: the first file that is there, so the newest stands first; `all`: one below the
    other."""
    need: Need
    """Without the table: `required` refuses the corpus, `expected` warns, `optional` is silent."""
    headers: tuple[str, ...]
    """Names of the columns of a table without a line of names; else empty."""
    separator: str
    """Between columns; empty to find out; a blank stands for any number of blanks."""
    encoding: str
    key: tuple[Template, ...]
    """Of a row, from its columns; the first whose columns are there counts."""
    image: Template
    """Of an image; rows with an equal key are about it."""
    several_rows: SeveralRows
    columns: Mapping[str, tuple[str, ...]]
    """A name of `IMAGE_FACTS` → headers; the first with a text counts, row by row."""
    findings_form: FindingsForm
    findings_separators: str
    labels: Labels | None
    oldest_years: float
    exclude: tuple[RowExclusion, ...]

    @property
    def title(self) -> str:
        """What messages call the table."""
        return " or ".join(self.files) if self.read == "first" else ", ".join(self.files)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A short text file beside each image."""

    file: Template
    """Its path below the root."""
    encoding: str
    facts: Mapping[str, re.Pattern[str]]
    """A name of `IMAGE_FACTS` → what finds it in the text: the first group."""


@dataclass(frozen=True, slots=True)
class SplitList:
    """A text file with one image a line, and the split that they form."""

    file: str
    split: str
    key: Template
    """Of a line, which is called `line`."""
    image: Template
    """What of an image equals a key."""


@dataclass(frozen=True, slots=True)
class KnownExclusion:
    """Images that are known to be broken, or no chest radiographs."""

    reason: str
    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Views:
    """Which images count as frontal."""

    frontal: tuple[str, ...]
    keep_unknown: bool
    """Whether images of which nothing says the view are taken for frontal."""


@dataclass(frozen=True, slots=True)
class CorpusSize:
    """What the corpus has when it is complete; null where its makers do not say."""

    images: int | None
    patients: int | None
    gigabytes: float | None


@dataclass(frozen=True, slots=True)
class Corpus:
    """One corpus: what to say of it, and how its folders and tables lie."""

    name: str
    title: str
    license: str
    citation: str
    homepage: str
    obtain: str
    layout: str
    quirks: tuple[str, ...]
    sources: tuple[str, ...]
    """Where its layout was looked up."""
    doubts: tuple[str, ...]
    """What those could not confirm, or say differently."""
    paediatric: bool
    size: CorpusSize
    root_names: tuple[str, ...]
    """What its folder may be called: the root may also be the folder that holds it."""
    images: ImageLayout
    tables: tuple[CorpusTable, ...]
    sidecars: tuple[Sidecar, ...]
    splits: tuple[SplitList, ...]
    exclude: tuple[KnownExclusion, ...]
    views: Views
    words: Mapping[str, Mapping[str, str]]
    """A name of `WORD_FACTS` → the corpus's word → ours; an empty one is null."""
