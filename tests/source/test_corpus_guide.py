"""docs/corpora.md and the template say all that a corpus file can hold, and nothing else."""

import re
import tomllib
from pathlib import Path

import pytest

from dfsynth.errors import UsageError
from dfsynth.source import known_corpora, load_corpus, open_source
from dfsynth.source.corpus import IMAGE_FACTS
from dfsynth.source.corpus_starter import TEMPLATE, write_template
from dfsynth.source.template import FILTERS
from dfsynth.source.toml_section import TomlSection

GUIDE = (Path(__file__).parents[2] / "docs" / "corpora.md").read_text(encoding="utf-8")


def optional_keys() -> str:
    lines = []
    for line in TEMPLATE.splitlines():
        plain = line.removeprefix("# ")
        lines.append(plain if re.match(r"\[|\w+ = ", plain) else line)
    return "\n".join(lines)


def everything(folder: Path) -> Path:
    """A corpus file with all the optional keys of the template."""
    path = folder / "everything.toml"
    text = optional_keys().replace('files = ["**/*.png", "**/*.jpg", "**/*.dcm"]', PATTERN)
    path.write_text(text, encoding="utf-8")
    return path


PATTERN = 'files = ["{patient}/{study}/*.png"]'


def test_the_template_describes_a_folder(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    write_template(path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.PNG").write_bytes(b"1")
    listing = open_source(str(path), tmp_path).listing()
    assert listing.table.column("image_id").to_pylist() == ["a/b"]
    assert listing.warnings == ()


def test_every_optional_line_of_the_template_is_right(tmp_path) -> None:
    corpus = load_corpus(everything(tmp_path))
    assert corpus.paediatric
    assert corpus.tables[0].labels is not None
    assert corpus.sidecars[0].facts["age"].findall("Age: 045Y") == ["045Y"]
    assert (corpus.images.raw, corpus.exclude, corpus.splits) != (None, (), ())


def test_the_guide_has_every_key_and_no_other(tmp_path, monkeypatch) -> None:
    asked: set[str] = set()
    plain = TomlSection._get

    def remember(section: TomlSection, key: str) -> object:
        asked.add(re.sub(r"\[\d+\]", "", f"{section._place}{key}"))
        return plain(section, key)

    monkeypatch.setattr(TomlSection, "_get", remember)
    load_corpus(everything(tmp_path))
    sections = {key.rpartition(".")[0] for key in asked}
    facts = ("images.facts", "table.columns", "sidecar.facts")
    wanted = {key for key in asked - sections | set(facts) if key.rpartition(".")[0] not in facts}
    rows = [line.split("|")[1] for line in GUIDE.splitlines() if line.startswith("| `")]
    written = {key for row in rows for key in re.findall(r"`([\w.]+)`", row)}
    assert wanted == {key for key in written if key not in FILTERS and ":" not in key}


def test_the_guide_names_every_fact_and_filter() -> None:
    assert all(f"`{name}`" in GUIDE for name in IMAGE_FACTS)
    assert all(f"`{name}`" in GUIDE for name in FILTERS)


def test_the_guide_lists_every_known_corpus() -> None:
    listed = re.findall(r"^\| ([\w-]+) \| .* \| (?:by|with) ", GUIDE, re.MULTILINE)
    assert listed == [corpus.name for corpus in known_corpora()]


def test_the_example_of_the_guide_is_a_corpus_file(tmp_path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    assert tomllib.loads(example)["name"] == "mine"
    path = tmp_path / "mine.toml"
    path.write_text(example)
    assert load_corpus(path).tables[0].key[0].names == ("subject", "study")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mine.txt", "ends in .toml"),
        ("there.toml", "is there already"),
        ("no/where.toml", "No such file or directory"),
    ],
)
def test_a_template_never_replaces(tmp_path, name, words) -> None:
    (tmp_path / "there.toml").write_text("kept")
    with pytest.raises(UsageError, match=words):
        write_template(tmp_path / name)
    assert (tmp_path / "there.toml").read_text() == "kept"
