"""The card says what the manifest holds, acts upon nothing that it quotes, and stays the same."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import yaml
import zarr
from odd_corpus import HOSTILE, build_corpus
from pair_schemas import PAIRS
from toy_simulator import ToyPairMaker

from dfsynth.description.licenses import hub_license, license_reference, spdx_identifier
from dfsynth.description.markdown import escape, front_matter, link, one_line, table
from dfsynth.description.reading import READING
from dfsynth.jobs.info import describe_store
from dfsynth.jobs.simulate import run_simulation
from dfsynth.jobs.verify import verify_store
from dfsynth.manifest import COLUMNS
from dfsynth.options import SimulateOptions
from dfsynth.progress import Silent
from dfsynth.score import SCORE_COLUMNS
from dfsynth.source import find_corpus
from dfsynth.store import FORMATS, StoreLayout


def card_of(store: Path) -> str:
    return StoreLayout(store).card.read_bytes().decode()


def cells(card: str, first: str) -> list[str]:
    """The cells of the one line of a table that begins with `first`."""
    (line,) = [line for line in card.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_hubs_read_its_front_matter(store):
    _, front, _ = card_of(store).split("---\n", 2)
    entries = yaml.safe_load(front)
    assert entries["license"] == "other"
    assert entries["license_link"] == find_corpus("nih").homepage
    assert entries["size_categories"] == ["n<1K"]
    assert "synthetic" in entries["tags"]
    assert entries["configs"] == [
        {"config_name": "manifest", "data_files": "manifest/part-*.parquet"}
    ]
    assert find_corpus("nih").title in entries["pretty_name"]


def test_it_counts_what_the_manifest_holds(store):
    card = card_of(store)
    assert "card of a finished store" in card
    assert "3 different patients." in card
    assert cells(card, "ok")[1] == "4"
    assert cells(card, "failed")[1] == "1"
    assert cells(card, r"not\_an\_image")[1] == "1"
    assert (cells(card, "PA")[1], cells(card, "AP")[1]) == ("4", "1")
    assert cells(card, r"train\_val")[1] == "2"
    assert (cells(card, "Cardiomegaly")[1], cells(card, "Effusion")[1]) == ("2", "2")


def test_it_gives_the_spread_of_each_score_as_info_does(store):
    card, scores = card_of(store), describe_store(store).scores
    section = card.split("## Scores\n")[1].split("\n## ")[0]
    for column in SCORE_COLUMNS:
        name, unit, meaning, rows, *marks = cells(section, f"`{column.name}`")
        assert (unit, meaning) == (escape(column.unit or ""), escape(column.description))
        known = scores.get(column.name)
        assert rows == ("0" if known is None else "4"), name
        expected = [""] * 5 if known is None else [f"{mark:.4g}" for mark in known.values()]
        assert marks == expected, name


def test_it_says_what_every_column_means(store):
    section = card_of(store).split("## Columns of the manifest\n")[1]
    for column in COLUMNS:
        assert cells(section, f"`{column.name}`")[3] == escape(column.description)


def test_it_names_the_source_its_terms_and_where_to_get_it(store):
    card, corpus = card_of(store), find_corpus("nih")
    for text in (corpus.license, corpus.citation, corpus.obtain, *corpus.quirks):
        assert escape(text) in card
    assert f"<{corpus.homepage}>" in card
    assert "0" * 64 in card, "the checkpoint's SHA-256"
    assert "not for diagnosis" in card
    assert "Not for diagnosis" in card


def test_what_files_say_does_nothing(store):
    card = card_of(store)
    assert escape(HOSTILE) in card
    assert "<script" not in card
    assert "\x1b" not in card
    assert "\u202e" not in card
    assert "http://evil" not in card
    assert card.replace("\n", "").isprintable()


def test_it_names_no_place_on_this_machine(store, corpus):
    for document in (StoreLayout(store).card, StoreLayout(store).croissant):
        text = document.read_text(encoding="utf-8")
        assert str(corpus) not in text
        assert "private-place" not in text
        assert str(store.parent) not in text


def test_the_same_store_built_again_has_the_same_bytes(store, corpus, tmp_path):
    again = build_corpus(corpus, tmp_path / store.name)
    for name in ("README.md", "croissant.json"):
        one, other = (StoreLayout(path).folder / name for path in (store, again))
        assert one.read_bytes() == other.read_bytes()


def test_its_snippets_run_where_it_lies(store):
    folder, card = StoreLayout(store).folder, card_of(store)
    pieces = re.findall(r"With (\w+):\n\n```python\n(.*?)```", card, re.DOTALL)
    assert len(pieces) == 4
    for library, code in pieces:
        result = "counts" if library == "DuckDB" else "image.shape"
        printed = subprocess.run(
            [sys.executable, "-W", "error", "-c", f"{code}\nprint({result})"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
            capture_output=True,
            text=True,
            check=False,
        )
        assert printed.returncode == 0, printed.stderr
        expected = ("('ok', 4)" in printed.stdout) if library == "DuckDB" else None
        assert expected or printed.stdout == "(16, 16)\n", printed.stdout


def test_no_reader_is_disturbed(store):
    assert verify_store(store, False, Silent()).damage == ()
    folder = StoreLayout(store).folder
    with duckdb.connect() as connection:
        (rows,) = connection.execute(
            f"SELECT count(*) FROM read_parquet('{folder}/**/*.parquet')"
        ).fetchall()
    assert rows == (5,)
    if store.suffix == ".zarr":
        group = zarr.open_group(store, mode="r")
        assert set(group.array_keys()) == set(describe_names(store))


def describe_names(store: Path) -> list[str]:
    attributes = json.loads((store / "zarr.json").read_text())
    return list(attributes["consolidated_metadata"]["metadata"])


def test_pairs_have_a_card_of_their_own(tmp_path):
    options = SimulateOptions(out=tmp_path / "p.zarr", n=5, size=64, shard_size=3)
    run_simulation(options, ToyPairMaker(options), Silent())
    card = card_of(options.out)
    assert "Simulated pairs" in card
    assert "checkpoint" not in card.lower()
    assert cells(card, "phantom")[1] == "5"
    section = card.split("## Numbers\n")[1].split("\n## ")[0]
    assert cells(section, "`severity`")[3] == "4", "one pair fails"
    assert "`seconds`" not in section
    for column in PAIRS.columns:
        assert f"| `{column.name}` |" in card


def test_every_format_says_how_it_is_read():
    assert set(READING) == {known.name for known in FORMATS}


@pytest.mark.parametrize(
    ("text", "name", "hub"),
    [
        ("CC BY 4.0", "CC-BY-4.0", "cc-by-4.0"),
        ("cc-by-4.0", "CC-BY-4.0", "cc-by-4.0"),
        ("CC0", "CC0-1.0", "cc0-1.0"),
        ("Apache-2.0", "Apache-2.0", "apache-2.0"),
        ("CC BY-NC-ND 4.0, as each record says", None, "other"),
        ("unknown", None, "unknown"),
    ],
)
def test_licenses_with_a_name_are_known_by_it(text, name, hub):
    assert spdx_identifier(text) == name
    assert hub_license([text]) == hub
    assert license_reference(text) == (f"https://spdx.org/licenses/{name}.html" if name else text)


def test_several_licenses_are_none_of_them():
    assert hub_license(["CC BY 4.0", "CC0"]) == "other"
    assert hub_license(["CC0", "CC0 1.0"]) == "cc0-1.0"
    assert hub_license([]) == "other"


def test_markdown_of_odd_text():
    assert one_line("a\n\tb\x00 \ud800") == "a b\\u0000 \\ud800"
    assert escape("a|b & <i>") == r"a\|b &amp; &lt;i&gt;"
    assert table(("x", "n "), [("a", "1")]) == "| x | n |\n| --- | ---: |\n| a | 1 |"
    assert link("https://a.example/b?c=1") == "<https://a.example/b?c=1>"
    assert link("javascript:alert(1)") == "javascript:alert(1)"
    assert link("https://a.example/ <b>") == r"https:\//a.example/ &lt;b&gt;"
    odd = {"key": 'quote " colon: # \\ end'}
    assert yaml.safe_load(front_matter(odd).strip("-\n")) == odd
