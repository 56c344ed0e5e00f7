"""`dfsynth sources`: the known corpora, and files that describe further ones."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from dfsynth.cli.completion import complete_corpus
from dfsynth.cli.console import console_of
from dfsynth.cli.formats import format_counts
from dfsynth.cli.group import DfsynthGroup
from dfsynth.cli.hanging import hanging_lines
from dfsynth.cli.options import JsonFlag, Quiet, Verbose, Views
from dfsynth.counted_nouns import counted

if TYPE_CHECKING:
    from dfsynth.source import Corpus
    from dfsynth.source.corpus_check import CorpusReport

EXAMPLE: Final = "Example: dfsynth sources show nih"
_LABEL: Final = 10  # columns, the space behind the longest label included
_MOST_FINDINGS: Final = 30

CorpusName: TypeAlias = Annotated[
    str,
    typer.Argument(help="A corpus's name, or its TOML file.", autocompletion=complete_corpus),
]

app = typer.Typer(cls=DfsynthGroup, epilog=EXAMPLE, invoke_without_command=True)


@app.callback()
def sources(
    context: typer.Context, json: JsonFlag = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """List the known corpora; show, check or describe one."""
    if context.invoked_subcommand is not None:
        return
    with console_of(json, quiet, verbose) as console:
        from dfsynth.source import known_corpora
        from dfsynth.source.corpus_description import describe_corpora

        corpora = known_corpora()
        width = max(len(corpus.name) for corpus in corpora) + 2
        columns = shutil.get_terminal_size().columns
        lines = [
            line
            for corpus in corpora
            for line in hanging_lines(corpus.name, _summary(corpus), width, columns)
        ]
        lines += ["", "dfsynth sources show NAME tells licence, layout and how to obtain one"]
        console.result(describe_corpora(corpora), "\n".join(lines))


@app.command(epilog=EXAMPLE)
def show(
    name: CorpusName,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Tell everything of one corpus: licence, layout, quirks, and how to obtain it."""
    with console_of(json, quiet, verbose) as console:
        from dfsynth.source import find_corpus
        from dfsynth.source.corpus_description import describe_corpus

        corpus = find_corpus(name)
        columns = shutil.get_terminal_size().columns
        console.result(describe_corpus(corpus), "\n".join(_lines(corpus, columns)))


@app.command(epilog="Example: dfsynth sources check mine.toml --root /data/mine")
def check(
    name: CorpusName,
    root: Annotated[
        str,
        typer.Option(help="Where it lies, or the folder that holds it; or s3://BUCKET/PREFIX."),
    ],
    views: Views = None,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what a corpus's description finds at a root, problems first; exit 1 if there are any."""
    with console_of(json, quiet, verbose) as console:
        from dfsynth.errors import ExitStatus
        from dfsynth.files.object_path import to_any_path
        from dfsynth.options.build_options import VIEW_CHOICES
        from dfsynth.options.checks import require_one_of
        from dfsynth.source import find_corpus
        from dfsynth.source.corpus_check import check_corpus

        if views is not None:
            require_one_of("--views", views, VIEW_CHOICES)
        report = check_corpus(find_corpus(name), to_any_path(root), views != "all")
        console.result(report, "\n".join(_report_lines(report)))
        if report.problems:
            raise typer.Exit(ExitStatus.FAILURE)


@app.command(epilog="Example: dfsynth sources new mine.toml")
def new(
    out: Annotated[Path, typer.Argument(help="The corpus file to write, for example mine.toml.")],
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write a commented template of a corpus file, which parses as it is."""
    with console_of(json, quiet, verbose) as console:
        from dfsynth.source.corpus_starter import CorpusTemplate, write_template

        write_template(out)
        text = f"{out}: change it, then: dfsynth sources check {out} --root FOLDER"
        console.result(CorpusTemplate(out), text)


def _report_lines(report: "CorpusReport") -> Iterator[str]:
    for problem in report.problems:
        yield from (f"  {row}" for row in problem.rows)
        yield f"problem: {problem.sentence}"
    if not report.problems:
        yield "no problems"
    yield (
        f"{report.corpus} in {report.root}: {counted(report.images, 'image')} of "
        f"{counted(report.patients, 'patient')}"
    )
    for name, counts in report.counts.items():
        if counts:
            yield f"  {name}: {', '.join(f'{value} {count}' for value, count in counts.items())}"
    yield "  known of images: " + ", ".join(f"{n} {count}" for n, count in report.known.items())
    for name, (has, has_not, may) in list(report.findings.items())[:_MOST_FINDINGS]:
        yield f"  {name}: {has} positive, {has_not} negative, {may} uncertain"
    if len(report.findings) > _MOST_FINDINGS:
        yield f"  and {counted(len(report.findings) - _MOST_FINDINGS, 'further finding')}"
    if report.excluded:
        yield "  left out: " + format_counts(report.excluded)
    yield from (f"  {remark}" for remark in report.remarks)


def _summary(corpus: "Corpus") -> str:
    size = _size(corpus)
    return f"{corpus.title}; {size}" if size else corpus.title


def _lines(corpus: "Corpus", columns: int) -> Iterator[str]:
    """What people want to know of a corpus, each fact with a hanging indent."""
    yield from hanging_lines(corpus.name, corpus.title, _LABEL, columns)
    facts = [
        ("licence", corpus.license),
        ("citation", corpus.citation),
        ("homepage", corpus.homepage),
        ("size", _size(corpus)),
        ("layout", corpus.layout),
        ("obtain", corpus.obtain),
        *_listed("quirks", corpus.quirks),
        *_listed("doubts", corpus.doubts),
        *_listed("sources", corpus.sources),
    ]
    for label, text in facts:
        if text:
            yield from hanging_lines(label, text, _LABEL, columns, indent=2)


def _listed(label: str, texts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for number, text in enumerate(texts):
        yield "" if number else label, f"- {text}"


def _size(corpus: "Corpus") -> str:
    size = corpus.size
    known = [] if size.images is None else [counted(size.images, "image", grouped=True)]
    if size.patients is not None:
        known.append(counted(size.patients, "patient", grouped=True))
    if size.gigabytes is not None:
        known.append(f"{size.gigabytes:g} GB")
    if corpus.paediatric:
        known.append("children")
    return ", ".join(known)
