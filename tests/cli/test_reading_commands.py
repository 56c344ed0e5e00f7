"""info, verify, filter, show and sources on a small store."""

import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from radiograph_files import write_bad_files, write_folder
from toy_generator import ToyMaker

import dfsynth
from dfsynth.jobs.build import run_build
from dfsynth.manifest import encode_part, read_part, rows_of
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.score import NO_SCORES
from dfsynth.source import find_corpus
from dfsynth.source.corpus_description import describe_corpus
from dfsynth.store import StoreLayout
from dfsynth.store.opened import open_store
from dfsynth.store.zarr.paths import shard_path


@pytest.fixture
def images(tmp_path) -> Path:
    root = write_folder(tmp_path / "images", 7)
    write_bad_files(root)
    return root


@pytest.fixture
def store(images, tmp_path) -> Path:
    out = tmp_path / "x.zarr"
    run_build(BuildOptions(source=str(images), out=out, shard_size=4), ToyMaker(), Silent())
    return out


def test_info_counts(run_cli, store):
    status, out, _ = run_cli("info", store, "--json")
    found = json.loads(out)
    assert status == 0
    assert found["status"] == {"ok": 7, "failed": 4, "pending": 0}
    assert found["errors"] == {"empty": 1, "constant": 1, "not_an_image": 1, "truncated": 1}
    assert found["size_bytes"] > 1000
    status, out, _ = run_cli("info", store)
    assert "7 ok, 4 failed, 0 pending" in out


def test_info_names_a_few_missing_files_and_counts_the_rest(run_cli, store):
    lost = sorted(store.glob("*/c.*"))[:4]
    for path in lost[:3]:
        path.unlink()
    assert "more" not in run_cli("info", store)[1]
    lost[3].unlink()

    _, out, _ = run_cli("info", store)

    (line,) = [line for line in out.splitlines() if line.startswith("missing: ")]
    assert sum(str(path) in line for path in lost) == 3
    assert " and 1 more (--json names all); " in line
    found = json.loads(run_cli("info", store, "--json")[1])
    assert sorted(found["missing"]) == sorted(map(str, lost))


def test_info_fits_the_terminal(run_cli, store, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    text, _ = run_cli("info", store)[1].split("scores:")
    facts = text[text.index("notice: ") :].splitlines()
    assert max(map(len, facts)) <= 60
    assert facts[1].startswith("    ")


def test_info_does_not_count_rows_that_the_plan_lacks(run_cli, store):
    """Less than nothing was pending."""
    layout = StoreLayout(store)
    shutil.copy(layout.part(0), layout.part(7))
    status, _, err = run_cli("info", store)
    assert (status, err.count("\n")) == (1, 1)
    assert "has 15 rows, its plan 11" in err


def test_info_shows_how_scores_are_spread(run_cli, store):
    """Failed rows and scores that no image has are left out."""
    table = open_store(store).manifest
    ok = table.filter(pc.equal(table["status"], pa.scalar("ok")))
    found = json.loads(run_cli("info", store, "--json")[1])["scores"]
    assert list(found["uncertainty"]) == ["p05", "p25", "median", "p75", "p95"]
    for name, marks in found.items():
        expected = np.nanquantile(ok[name].to_numpy(), [0.05, 0.25, 0.5, 0.75, 0.95])
        np.testing.assert_allclose(list(marks.values()), expected, rtol=1e-6)
    null = {name for name in NO_SCORES if ok[name].null_count == ok.num_rows}
    assert set(found) == set(NO_SCORES) - null
    assert "predicted_error" in null
    lines = run_cli("info", store)[1].splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("scores:"))
    assert lines[at].split()[1:] == list(found["uncertainty"])
    assert [line.split()[0] for line in lines[at + 1 :]][: len(found)] == list(found)


def test_info_counts_pending_rows(run_cli, store):
    StoreLayout(store).part(1).unlink()
    found = json.loads(run_cli("info", store, "--json")[1])
    assert found["status"]["pending"] == 4
    assert found["shards_done"] == 2


@pytest.mark.parametrize("command", ["info", "verify", "filter", "show"])
@pytest.mark.parametrize("kind", ["nothing", "folder", "file"])
def test_no_store_is_wrong_usage_in_one_clear_line(run_cli, tmp_path, command, kind):
    path = tmp_path / "nowhere.zarr"
    if kind == "folder":
        path.mkdir()
    elif kind == "file":
        path.touch()
    status, _, err = run_cli(command, path)
    assert status == 2
    assert "no dfsynth store" in err
    assert "expected" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["info", "verify", "filter", "show"])
def test_damaged_build_record_is_a_failure(run_cli, store, command):
    StoreLayout(store).build.write_text('{"schema_version": 1')
    status, _, err = run_cli(command, store)
    assert status == 1
    assert "damaged" in err


def test_info_is_read_by_people(run_cli, store, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    text, _ = run_cli("info", store)[1].split("scores:")
    lines = text.splitlines()
    facts = dict(line.split(": ", 1) for line in lines[1:])
    assert facts["generator"] == f"toy (sha256 {'0' * 12}…), licence: none"
    assert facts["software"].startswith(f"dfsynth {dfsynth.__version__}, python 3.")
    assert facts["grid size"] == "16 × 16"
    assert facts["dark field window"] == "0.0 to 1.0"
    assert not set("{}[]'") & set("".join(lines[2:]))
    assert json.loads(run_cli("info", store, "--json")[1])["provenance"]["generator"] == {
        "name": "toy",
        "sha256": "0" * 64,
        "licence": "none",
    }


@pytest.mark.parametrize("at_look", [1, 2])
def test_info_passes_over_a_file_that_vanishes(run_cli, store, monkeypatch, at_look):
    """A build in progress renames its temporaries all the time."""
    vanishing = StoreLayout(store).scratch / "shard-0000009.c.9.0.0.abc.tmp"
    vanishing.write_bytes(b"in hand")
    looks = []

    def vanishes(look):
        def watched(path, *arguments, **options):
            if Path(os.fspath(path)) == vanishing:
                looks.append(path)
                if len(looks) == at_look:
                    vanishing.unlink()
            return look(path, *arguments, **options)

        return watched

    monkeypatch.setattr(os, "stat", vanishes(os.stat))
    monkeypatch.setattr(os, "lstat", vanishes(os.lstat))
    assert run_cli("info", store)[0] == 0
    assert looks


def test_verify_exits_1_on_damage(run_cli, store):
    assert run_cli("verify", store)[0] == 0
    path = shard_path(StoreLayout(store), "dark_field", 0)
    path.write_bytes(path.read_bytes()[:-3])
    status, out, _ = run_cli("verify", store)
    assert status == 1
    assert "part0/image0000.png" in out
    assert run_cli("verify", store, "--repair")[0] == 1
    assert json.loads(run_cli("info", store, "--json")[1])["shards_done"] == 2


@pytest.mark.parametrize(
    ("command", "name"), [("filter", "kept.csv"), ("filter", "kept.json"), ("show", "sheet.jpg")]
)
def test_the_ending_says_what_is_written(run_cli, store, tmp_path, command, name):
    out = tmp_path / name
    assert run_cli(command, store, "--out", out)[0] == 0
    start = {".csv": b'"image_id","row"', ".json": b'{"provenance": ', ".jpg": b"\xff\xd8\xff"}
    assert out.read_bytes().startswith(start[out.suffix])


@pytest.mark.parametrize(("command", "name"), [("filter", "kept.xlsx"), ("show", "sheet.gif")])
def test_another_ending_is_refused(run_cli, store, tmp_path, command, name):
    status, _, err = run_cli(command, store, "--out", tmp_path / name)
    assert (status, err.count("\n")) == (2, 1)
    assert "expected a name that ends in" in err
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(("command", "name"), [("filter", "plan.parquet"), ("show", "x.png")])
@pytest.mark.parametrize("other", [False, True])
def test_nothing_is_written_into_a_store(run_cli, store, tmp_path, command, name, other):
    """Not into another one either."""
    held = tmp_path / "other.zarr" if other else store
    if other:
        shutil.copytree(store, held)
    file = held / "run" / name
    before = file.read_bytes() if file.exists() else None
    status, _, err = run_cli(command, store, "--out", file)
    assert (status, err.count("\n")) == (2, 1)
    assert f"it lies in the store {held}" in err
    assert (file.read_bytes() if file.exists() else None) == before


@pytest.mark.parametrize(("command", "name"), [("filter", "k.parquet"), ("show", "k.png")])
def test_no_pipe_is_replaced(run_cli, store, tmp_path, command, name):
    pipe = tmp_path / name
    os.mkfifo(pipe)
    status, _, err = run_cli(command, store, "--out", pipe)
    assert (status, err.count("\n")) == (2, 1)
    assert pipe.is_fifo()


def test_filter_keeps_the_lowest_and_writes_provenance(run_cli, store, tmp_path):
    kept = tmp_path / "kept.parquet"
    status, out, _ = run_cli("filter", store, "--keep", "0.5", "--out", kept, "--json")
    found = json.loads(out)
    assert status == 0
    assert (found["kept"], found["total"]) == (4, 7)
    table = pq.read_table(kept)
    assert set(table["status"].to_pylist()) == {"ok"}
    assert any(b"not for diagnosis" in value for value in table.schema.metadata.values())


@pytest.mark.parametrize("inside", ["manifest/k.parquet", "run/plan.parquet", "manifest/../k.csv"])
def test_filter_writes_nothing_into_the_store(run_cli, store, tmp_path, inside):
    (tmp_path / "link").symlink_to(store)
    before = sorted((p, p.read_bytes()) for p in store.rglob("*") if p.is_file())
    for path in (store, tmp_path / "link"):
        status, _, err = run_cli("filter", store, "--out", path / inside)
        assert status == 2
        assert "beside the store" in err
    assert sorted((p, p.read_bytes()) for p in store.rglob("*") if p.is_file()) == before


def test_filter_says_how_many_have_no_lung(run_cli, store):
    assert "no lung" not in run_cli("filter", store)[1]
    flag_no_lung(store)
    out = run_cli("filter", store)[1]
    assert "6 of 7 images kept" in out
    assert "1 left out: no lung found (--include-no-lung keeps them)" in out
    assert json.loads(run_cli("filter", store, "--json")[1])["no_lung"] == 1
    out = run_cli("filter", store, "--include-no-lung")[1]
    assert "7 of 7 images kept" in out
    assert "left out" not in out


def test_filter_lists_findings_only_where_some_are_known(run_cli, images, tmp_path, store):
    assert "by finding" not in run_cli("filter", store)[1]
    rows = [
        f"part0/image{n:04}.png,{finding}" for n, finding in ((0, "Mass"), (2, ""), (4, "Mass"))
    ]
    table, out = images / "labels.csv", tmp_path / "labelled.zarr"
    table.write_text("\n".join(["path,findings", *rows]))
    run_build(BuildOptions(source=str(table), out=out), ToyMaker(), Silent())
    printed = run_cli("filter", out)[1]
    assert "kept, by finding:" in printed
    assert "  Mass       2 of 2" in printed
    assert "(unknown)" in printed


def flag_no_lung(store: Path) -> None:
    """Marks the first image of shard 1 as one without lung."""
    part = StoreLayout(store).part(1)
    first, *others = rows_of(read_part(part))
    assert first.status == "ok"
    part.write_bytes(encode_part([replace(first, flags=("no_lung",)), *others]))


def test_dataset_holds_images_without_lung_only_where_asked(store):
    flag_no_lung(store)
    opened = open_store(store)
    assert len(opened.dataset()) == 6
    assert len(opened.dataset(include_no_lung=True)) == 7
    assert len(opened.dataset(keep=0.5, by="uncertainty", include_no_lung=True)) == 4


def test_filter_refuses_bad_sql_and_unknown_columns(run_cli, store):
    for where in ("uncertainly < 0.1", "1=1; drop table manifest", "select"):
        status, _, err = run_cli("filter", store, "--where", where)
        assert status == 2
        assert "Traceback" not in err
    assert "uncertainty" in run_cli("filter", store, "--where", "uncertainly < 0.1")[2]


def test_show_draws_with_and_without_the_source(run_cli, store, images, tmp_path):
    without, with_source = tmp_path / "a.png", tmp_path / "b.png"
    assert run_cli("show", store, "--out", without, "--images", 3)[0] == 0
    options = ("--images", 3, "--source", images)
    assert run_cli("show", store, "--out", with_source, *options)[0] == 0
    blank, drawn = cv2.imread(str(without)), cv2.imread(str(with_source))
    assert blank is not None
    assert drawn is not None
    assert blank.shape == drawn.shape
    assert np.any(blank != drawn)


def test_show_draws_beside_the_store_by_default(run_cli, store, tmp_path, monkeypatch):
    assert run_cli("show", store)[0] == 0
    assert (tmp_path / "x.zarr.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "x.zarr.png").unlink()
    monkeypatch.chdir(store)
    status, out, err = run_cli("show", ".")
    assert (status, err) == (0, "")
    assert "x.zarr.png" in out
    assert (tmp_path / "x.zarr.png").exists()
    assert not list(store.glob("*.png"))


def test_show_help_tells_the_default(run_cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    assert "(default: beside STORE" in " ".join(run_cli("show", "--help")[1].split())


def test_show_says_which_images_are_blank(run_cli, store, images, tmp_path):
    options = ("--images", 3, "--out", tmp_path / "a.png")
    advice = "input left blank for 3 images: give --source (and --root)"
    assert advice in run_cli("show", store, *options)[1]
    assert json.loads(run_cli("show", store, *options, "--json")[1])["blank"] == 3
    wrong = write_folder(tmp_path / "wrong", 1)
    (wrong / "part0" / "image0000.png").rename(wrong / "other.png")
    assert advice in run_cli("show", store, *options, "--source", wrong)[1]
    assert "left blank" not in run_cli("show", store, *options, "--source", images)[1]


def test_show_reads_no_larger_image_than_it_is_allowed(run_cli, store, images, tmp_path):
    options = ("--out", tmp_path / "a.png", "--images", 3, "--source", images, "--json")
    assert json.loads(run_cli("show", store, *options)[1])["blank"] == 0
    for limit in ("--max-pixels", "--max-bytes"):
        assert json.loads(run_cli("show", store, *options, limit, 10)[1])["blank"] == 3


def test_show_counts_no_blank_image_for_a_failed_image(run_cli, store, tmp_path):
    out = run_cli("show", store, "--ids", "empty.png", "--out", tmp_path / "a.png")[1]
    assert "left blank" not in out


def test_show_names_an_unknown_image(run_cli, store, tmp_path):
    status, _, err = run_cli("show", store, "--ids", "nobody.png", "--out", tmp_path / "a.png")
    assert status == 2
    assert "nobody.png" in err


def test_show_sets_the_worst_beside_the_best(run_cli, store, tmp_path):
    out = tmp_path / "a.png"
    status, text, _ = run_cli("show", store, "--worst", 2, "--out", out)
    assert status == 0
    assert "4 images drawn" in text
    assert "worst is the highest uncertainty. Left out: 4 failed, 0 without" in text
    found = json.loads(run_cli("show", store, "--worst", 2, "--out", out, "--json")[1])
    numbers = {
        line["image_id"]: line["uncertainty"]
        for line in open_store(store).manifest.to_pylist()
        if line["status"] == "ok"
    }
    order = sorted(numbers, key=numbers.__getitem__)
    assert found["ranking"]["best"] == order[:2]
    assert found["ranking"]["worst"] == order[:-3:-1]
    assert found["images"] == [order[-1], order[0], order[-2], order[1]]
    assert json.loads(run_cli("show", store, "--out", out, "--json")[1])["ranking"] is None


def test_show_names_the_columns_that_it_can_rank_by(run_cli, store, tmp_path):
    out = tmp_path / "a.png"
    status, _, err = run_cli("show", store, "--worst", 2, "--by", "nonsense", "--out", out)
    assert (status, err.count("\n")) == (2, 1)
    assert "epistemic_mean" in err
    status, _, err = run_cli("show", store, "--worst", 2, "--by", "ood_score", "--out", out)
    assert (status, err.count("\n")) == (2, 1)
    assert "'ood_score' is null for every image of the store" in err
    assert not out.exists()


def test_show_draws_only_what_meets_a_condition(run_cli, store, tmp_path):
    out = tmp_path / "a.png"
    options = ("--out", out, "--json", "--where", "row >= 5")
    rows = open_store(store).manifest.to_pylist()
    expected = [r["image_id"] for r in rows if r["status"] == "ok" and r["row"] >= 5]
    assert len(expected) > 1
    assert json.loads(run_cli("show", store, *options)[1])["images"] == expected
    found = json.loads(run_cli("show", store, *options, "--worst", 9)[1])
    assert found["ranking"]["ranked"] == len(expected)
    status, _, err = run_cli("show", store, "--out", out, "--where", "row < 0")
    assert (status, err.count("\n")) == (2, 1)
    assert "meets --where 'row < 0'" in err


def test_sources_lists_nih_with_its_licence(run_cli):
    status, out, _ = run_cli("sources", "--json")
    corpora = {corpus["name"]: corpus for corpus in json.loads(out)["corpora"]}
    assert status == 0
    assert corpora["nih"]["licence"]
    lines = run_cli("sources")[1].splitlines()
    assert any(line.startswith("nih ") for line in lines)
    assert "112,120 images" in " ".join(lines)


@pytest.mark.parametrize("columns", [40, 72, 100])
def test_a_corpus_is_shown_to_people(run_cli, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    out = run_cli("sources", "show", "nih")[1]
    text = " ".join(out.split())
    corpus = find_corpus("nih")
    for expected in (corpus.title, corpus.license, corpus.citation, corpus.homepage, corpus.obtain):
        assert " ".join(expected.split()) in text
    assert "112,120 images, 30,805 patients, 42 GB" in text
    assert all(quirk in text for quirk in corpus.quirks)
    lines = out.splitlines()
    indent = 12
    # Only a word that is longer than a line stands out.
    assert all(len(line) <= columns or " " not in line[indent:] for line in lines)
    assert all(line.startswith(" ") or line.startswith("nih") or not line for line in lines)
    for machine_facing in ("CorpusTable", "SplitList", "suffixes", "None"):
        assert machine_facing not in out


def test_a_corpus_as_json(run_cli):
    found = json.loads(run_cli("sources", "show", "nih", "--json")[1])
    assert found.pop("schema")["name"] == "dfsynth.corpus"
    described = asdict(describe_corpus(find_corpus("nih")))
    described["licence"] = described.pop("license")
    assert found == json.loads(json.dumps(described))


def test_an_unknown_corpus_comes_with_the_nearest(run_cli):
    status, _, err = run_cli("sources", "show", "chexprt")
    assert (status, err.count("\n")) == (2, 1)
    assert "unknown corpus 'chexprt': did you mean chexpert?" in err


def test_help_names_every_command_and_imports_nothing_heavy(run_cli):
    status, out, _ = run_cli("--help")
    assert status == 0
    assert all(name in out for name in ("build", "show", "info", "verify", "filter", "sources"))
