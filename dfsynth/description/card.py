"""The dataset card, `README.md`: Markdown with a YAML block, as dataset hubs read it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Final

from dfsynth.counted_nouns import counted
from dfsynth.description.facts import Counts, StoreFacts
from dfsynth.description.licenses import hub_license
from dfsynth.description.limits import biases_of, limits_of, personal_information, uses_of
from dfsynth.description.markdown import escape, front_matter, link, one_line, table
from dfsynth.description.reading import describe_array, snippets
from dfsynth.manifest import QUANTILES
from dfsynth.records import IMAGE_FLAGS

_MOST_VALUES: Final = 40
"""Values of a column that are listed; findings of some corpora are hundreds."""
_SIZES: Final = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))
_MARK: Final = (
    "<!-- dfsynth: card of {} store, written anew where the store changes; "
    "take this line away to keep a card of your own -->"
)


class CardState(Enum):
    """What an existing card says of its store."""

    FINISHED = "a finished"
    UNFINISHED = "an unfinished"
    OWN = "own"
    """Somebody else wrote it, or took it over: it is left alone."""


_STATE: Final = re.compile(rb"<!-- dfsynth: card of (a finished|an unfinished) store,")


def card_state(card: bytes) -> CardState:
    """What the bytes of a `README.md` are, by the mark that every card of ours bears."""
    found = _STATE.search(card)
    return CardState.OWN if found is None else CardState(found[1].decode())


def write_card(facts: StoreFacts) -> bytes:
    """The card in UTF-8; equal facts give equal bytes, and no time is in it."""
    parts = (part for section in _SECTIONS for part in section(facts))
    return ("\n\n".join((_front_matter(facts), *parts)) + "\n").encode()


def title(facts: StoreFacts) -> str:
    """What a store is called in one line; plain text."""
    card = facts.task.card
    what = card.pairs_noun.capitalize() if facts.is_of_pairs else card.title
    return one_line(f"{what}: {facts.source.title}")


def _front_matter(facts: StoreFacts) -> str:
    license_ = hub_license(facts.source.licenses)
    named: dict[str, str] = {}
    if license_ == "other":
        named["license_name"] = "terms-of-the-source"
        if facts.source.homepage:
            named["license_link"] = one_line(facts.source.homepage)
    size = next((name for most, name in _SIZES if facts.rows < most), "1M<n<10M")
    return front_matter(
        {
            "license": license_,
            **named,
            "pretty_name": title(facts),
            "tags": ["synthetic", "medical", *facts.task.card.tags, "uncertainty", facts.format],
            "task_categories": ["image-to-image"],
            "size_categories": [size],
            "configs": [{"config_name": "manifest", "data_files": "manifest/part-*.parquet"}],
        }
    )


def _what(facts: StoreFacts) -> Iterator[str]:
    state = CardState.UNFINISHED if facts.counts is None else CardState.FINISHED
    yield _MARK.format(state.value)
    yield f"# {escape(title(facts))}"
    yield f"**{escape(facts.notice)}**"
    noun = "pair" if facts.is_of_pairs else "image"
    rows = counted(facts.rows, noun, grouped=True)
    shards = counted(facts.shards, "shard", grouped=True)
    if facts.counts is None:
        planned = counted(facts.rows, f"{noun} is", f"{noun}s are", grouped=True)
        yield (
            f"**This store is not finished**: {planned} planned in {shards}. `dfsynth info` "
            "counts what is there; the command that began the store, run again, finishes it and "
            "this card."
        )
    else:
        yield f"{rows} in {shards}. {uses_of(facts)}"


def _source(facts: StoreFacts) -> Iterator[str]:
    source = facts.source
    yield "## Source and licence"
    named = "" if source.title == source.name else f" ({source.name})"
    lines = [("Source", f"{source.title}{named}")]
    lines += [("Licence of the source", license_) for license_ in source.licenses]
    lines += [("Citation", source.citation), ("Homepage", source.homepage)]
    yield _facts_table([*lines, ("How to obtain the originals", source.obtain)])
    if not facts.is_of_pairs:
        yield (
            "What is made from an image may be bound by its licence: ask whether its terms allow "
            "you to share this store before you do."
        )


def _facts_table(lines: Iterable[tuple[str, str]]) -> str:
    """Names and texts; those without a text are left out."""
    return table(("", ""), ((escape(name), link(text)) for name, text in lines if text))


def _made(facts: StoreFacts) -> Iterator[str]:
    yield "## How it was made"
    lines = []
    checkpoint = facts.checkpoint
    if checkpoint is not None:
        lines += [("Checkpoint", checkpoint.name), ("SHA-256", checkpoint.sha256)]
        lines += [("Licence of the checkpoint", checkpoint.license)]
        lines += [("Intended use", checkpoint.intended_use)]
        trained = "; ".join(f"{name} ({license_})" for name, license_ in checkpoint.training_data)
        lines += [("Trained on", trained)]
    lines += list(facts.settings.items())
    lines += [("Software", ", ".join(f"{name} {of}" for name, of in facts.versions.items()))]
    yield _facts_table(lines)
    if checkpoint is not None and not checkpoint.limits:
        yield "Its training data and limits are in its `model.json`, which is not in this store."


def _counts(facts: StoreFacts) -> Iterator[str]:
    counts = facts.counts
    if counts is None:
        return
    yield "## Counts"
    if counts.patients:
        yield f"{counted(counts.patients, 'different patient', grouped=True)}."
    yield _counted("status", counts.status)
    yield from _failures(facts, counts)
    for name, values in counts.values.items():
        yield _counted(name, values)
    if counts.findings:
        yield _counted("finding", counts.findings)
        yield "An image with several findings counts under each."
    if counts.flags:
        flags = [
            (escape(name), f"{number:,}", escape(IMAGE_FLAGS.get(name, "")))
            for name, number in counts.flags.items()
        ]
        yield table(("flag", "rows ", "what it says"), flags)


def _failures(facts: StoreFacts, counts: Counts) -> Iterator[str]:
    if counts.errors:
        yield _counted("error of failed rows", counts.errors)
        yield "The maps of a failed row are NaN, or 0 in arrays of whole numbers."
    if facts.excluded:
        yield _counted("inputs that were not planned", facts.excluded)


def _counted(heading: str, counts: Mapping[str, int]) -> str:
    lines = [(escape(name), f"{number:,}") for name, number in counts.items()]
    left_out = lines[_MOST_VALUES:]
    if left_out:
        lines[_MOST_VALUES:] = [(f"{len(left_out)} more", "")]
    return table((heading, "rows "), lines)


def _scores(facts: StoreFacts) -> Iterator[str]:
    yield "## Numbers" if facts.is_of_pairs else "## Scores"
    counts = facts.counts
    spread: tuple[str, ...] = () if counts is None else ("rows ", *(f"{q} " for q in QUANTILES))
    lines = []
    for column in facts.numbers:
        cells = [f"`{column.name}`", escape(column.unit or ""), escape(column.description)]
        if counts is not None:
            marks = counts.quantiles.get(column.name, {})
            cells += [f"{counts.known[column.name]:,}"]
            cells += [f"{marks[name]:.4g}" if marks else "" for name in QUANTILES]
        lines.append(cells)
    yield table(("column", "unit", "meaning", *spread), lines)
    if counts is not None:
        yield "p05 to p95 are quantiles over the rows that are ok and have the number."


def _structure(facts: StoreFacts) -> Iterator[str]:
    yield "## Arrays"
    yield "\n".join(f"- {escape(describe_array(spec))}" for spec in facts.arrays)
    yield "Row *i* of every array is the row of the manifest whose column `row` is *i*."
    yield "## Columns of the manifest"
    yield f"`manifest/part-*.parquet`, schema version {facts.schema.version}:"
    lines = (
        (
            f"`{column.name}`",
            f"`{column.type}`",
            escape(column.unit or ""),
            escape(column.description),
        )
        for column in facts.schema.columns
    )
    yield table(("column", "type", "unit", "meaning"), lines)


def _reading(facts: StoreFacts) -> Iterator[str]:
    yield "## Reading it"
    yield "Each piece runs in the folder of this file."
    for library, code in snippets(facts):
        yield f"With {library}:\n\n```python\n{code}\n```"
    yield "`croissant.json` says the same to programs that read Croissant metadata."


def _limits(facts: StoreFacts) -> Iterator[str]:
    yield "## Limits"
    sentences = (*limits_of(facts), *biases_of(facts), personal_information(facts))
    yield "\n".join(f"- {escape(sentence)}" for sentence in sentences)


_SECTIONS: Final = (_what, _source, _made, _counts, _scores, _limits, _reading, _structure)
