"""What a report of a store holds, and which stores and folders it takes; no browser."""

import base64
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from report_stores import FINISHED, facts_of
from toy_simulator import ToyPairMaker

import dfsynth
from dfsynth.errors import StoreError, UsageError
from dfsynth.jobs.simulate import run_simulation
from dfsynth.manifest import encode_part, read_part, rows_of
from dfsynth.options import SimulateOptions
from dfsynth.progress import Silent
from dfsynth.score import NO_SCORES
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.zarr.paths import shard_path


def all_text(folder: Path) -> str:
    texts = [*folder.glob("*.html"), *folder.glob("data/*.js"), *folder.glob("*.json")]
    return "\n".join(path.read_text() for path in texts)


def test_the_command_says_what_it_wrote(run_cli, store, tmp_path):
    out = tmp_path / "report"
    status, printed, _ = run_cli("report", store, "--out", out, "--thumbnails", 12, "--json", "-q")
    found = json.loads(printed)
    assert status == 0
    assert (found["kind"], found["images"], found["thumbnails"]) == ("images", 40, 12)
    assert Path(found["page"]) == out / "index.html"
    assert found["size_bytes"] == sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
    assert len(list((out / "thumbs").iterdir())) == len(list((out / "full").iterdir())) == 12


def test_the_page_counts_what_info_counts(run_cli, store, report):
    html = (report / "index.html").read_text()
    tiles = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", html))
    status = json.loads(run_cli("info", store, "--json")[1])["status"]
    assert tiles["planned"] == str(sum(status.values())) == "44"
    assert [tiles[k] for k in ("finished", "failed", "pending")] == ["40", "4", "0"]
    for code in ("empty", "constant", "not_an_image", "truncated"):
        assert f"<code>{code}</code>" in html


def test_failures_come_with_their_sentences(store, report):
    table = dfsynth.open_store(store).manifest
    sentences = [text for text in table["error"].to_pylist() if text]
    html = (report / "index.html").read_text()
    assert len(sentences) == 4
    assert not [text for text in sentences if text.replace("'", "&#39;") not in html]


def test_all_of_it_is_called_synthetic(store, report):
    notice = str(dfsynth.open_store(store).provenance["notice"])
    assert "ynthetic" in notice
    assert (report / "index.html").read_text().count(notice) >= 3


def test_nothing_says_who_or_where(store, report):
    """Keys of patients, paths on this machine, names of files beyond those of the images."""
    text = all_text(report)
    assert "patient-1" not in text
    assert str(store.parent) not in text
    assert store.parent.name not in text
    assert dfsynth.open_store(store).manifest["source_sha256"][0].as_py() not in text


def test_nothing_is_loaded_from_elsewhere(report):
    html = (report / "index.html").read_text()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy.startswith("default-src 'none'; script-src 'self' file:; ")
    assert "unsafe" not in policy
    named = re.findall(r'(?:src|href)="([^"#]+)"', html)
    assert named
    assert not [n for n in named if n != "data:," and not (report / n).is_file()]


def test_libraries_come_with_their_licence(report):
    assert "Leon Sorokin" in (report / "static/uPlot.LICENSE.txt").read_text()


def test_equal_stores_give_equal_pages(store, report, tmp_path):
    dfsynth.write_report(store, out=tmp_path / "again")
    for path in report.rglob("*"):
        if path.is_file():
            assert (tmp_path / "again" / path.relative_to(report)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_is_no_report_is_not_replaced(run_cli, store, tmp_path, kind):
    out = tmp_path / "notes"
    if kind == "file":
        out.write_text("precious")
    else:
        real = out if kind == "folder" else tmp_path / "real"
        real.mkdir()
        (real / "precious.txt").write_text("precious")
        if kind == "link":
            out.symlink_to(real)
    status, _, err = run_cli("report", store, "--out", out, "-q")
    assert (status, err.count("\n")) == (2, 1)
    assert "expected" in err
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [
        "notes" if kind == "file" else "precious.txt"
    ]


def test_an_earlier_report_and_an_empty_folder_are_replaced(store, tmp_path):
    out = tmp_path / "report"
    out.mkdir()
    dfsynth.write_report(store, out=out, thumbnails=2)
    (out / "stale.txt").write_text("of the earlier one")
    dfsynth.write_report(store, out=out, thumbnails=3)
    assert not (out / "stale.txt").exists()
    assert len(facts_of(out)["images"]) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["report"]


@pytest.mark.parametrize("stays", [True, False])
def test_what_a_killed_run_moved_aside_goes_with_the_next(store, tmp_path, stays):
    """Killed as the earlier report had made room: the new one was not yet in its place, or was."""
    out, aside = tmp_path / "report", tmp_path / ".report.0123456789ab.old"
    dfsynth.write_report(store, out=out, thumbnails=0)
    shutil.copytree(out, aside)
    if not stays:
        shutil.rmtree(out)
    of_somebody = tmp_path / ".report.mine.old"
    of_somebody.mkdir()
    dfsynth.write_report(store, out=out, thumbnails=0)
    assert {p.name for p in tmp_path.iterdir()} == {"report", of_somebody.name}


def test_a_report_that_fails_leaves_the_earlier_one(store, tmp_path, monkeypatch):
    out = tmp_path / "report"
    dfsynth.write_report(store, out=out, thumbnails=2)
    before = (out / "data/facts.js").read_bytes()

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dfsynth.jobs.reporting.store_page.write_store_page", refuse)
    with pytest.raises(StoreError, match="disk is full"):
        dfsynth.write_report(store, out=out)
    assert (out / "data/facts.js").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["report"]


def test_no_report_lies_in_a_store(run_cli, store):
    status, _, err = run_cli("report", store, "--out", store / "report", "-q")
    assert status == 2
    assert "lies in the store" in err


def test_what_is_neither_store_nor_evaluation_is_refused(run_cli, tmp_path):
    status, _, err = run_cli("report", tmp_path / "nothing", "-q")
    assert (status, err.count("\n")) == (2, 1)
    assert "no dfsynth store" in err


def test_a_store_half_built_is_shown_as_such(make_store, tmp_path):
    store = make_store()
    for shard in (1, 4):
        StoreLayout(store).part(shard).unlink()
    found = dfsynth.write_report(store, out=tmp_path / "report")
    html = (tmp_path / "report/index.html").read_text()
    assert 'id="half-built"' in html
    assert "4 of 6 shards are committed; 16 images are still to come" in html
    assert found.images == len(facts_of(tmp_path / "report")["images"])


def test_a_store_without_a_finished_image_gives_a_page(make_store, tmp_path):
    store = make_store()
    for shard in range(6):
        StoreLayout(store).part(shard).unlink()
    found = dfsynth.write_report(store, out=tmp_path / "report")
    assert (found.images, found.thumbnails) == (0, 0)
    assert "No finished image yet" in (tmp_path / "report/index.html").read_text()


def test_damaged_shards_are_named_and_left_out(make_store, tmp_path):
    store = make_store()
    layout = StoreLayout(store)
    shard_path(layout, "dark_field", 2).unlink()
    damaged = shard_path(layout, "epistemic", 0)
    content = bytearray(damaged.read_bytes())
    content[len(content) // 3] ^= 255
    damaged.write_bytes(content)
    lost = read_part(layout.part(3))["status"].to_pylist().count("ok")
    layout.part(3).write_bytes(b"no Parquet")
    found = dfsynth.write_report(store, out=tmp_path / "report")
    named = " ".join(found.damage)
    assert "shard 3" in named
    assert "shard 2" in named
    assert "shard 0" in named
    assert str(tmp_path) not in named
    html = (tmp_path / "report/index.html").read_text()
    assert 'id="damage"' in html
    shown = {row // 8 for _, row, *_ in facts_of(tmp_path / "report")["images"]}
    assert not shown & {2, 3}
    assert {1, 4} <= shown
    assert found.images == FINISHED - lost


def test_a_manifest_of_which_nothing_is_left_is_an_error(make_store, tmp_path):
    store = make_store()
    for shard in range(6):
        StoreLayout(store).part(shard).write_bytes(b"no Parquet")
    with pytest.raises(StoreError, match="no whole Parquet"):
        dfsynth.write_report(store, out=tmp_path / "report")


def test_columns_that_are_null_are_named_and_not_offered(store, report):
    facts = facts_of(report)
    table = dfsynth.open_store(store).manifest
    ok = table.filter(pc.equal(table["status"], pa.scalar("ok")))
    offered = [column["name"] for column in facts["numbers"]]
    assert "predicted_error" not in offered
    assert all(ok[name].null_count < ok.num_rows for name in offered)
    assert facts["default"] == "uncertainty"
    html = (report / "index.html").read_text()
    assert "not offered: " in html
    assert "predicted_error" in html.split("not offered: ")[1].split("</p>")[0]


def test_all_scores_may_be_null(make_store, tmp_path):
    store = make_store()
    layout = StoreLayout(store)
    for shard in range(6):
        rows = rows_of(read_part(layout.part(shard)))
        bare = [replace(row, scores=NO_SCORES) for row in rows]
        layout.part(shard).write_bytes(encode_part(bare))
    found = dfsynth.write_report(store, out=tmp_path / "report")
    assert (found.images, found.thumbnails) == (40, 40)
    assert "nothing to choose by" in (tmp_path / "report/index.html").read_text()


def test_missing_radiographs_are_said_to_be_missing(make_store, tmp_path):
    store = make_store()
    bare = dfsynth.write_report(store, out=tmp_path / "bare")
    assert "40 of 40 images shown without their attenuation" in bare.remarks[0]
    assert "give --source" in bare.remarks[0]
    source = str(store.parent / "table.csv")
    full = dfsynth.write_report(store, out=tmp_path / "full", source=source)
    assert full.remarks == ()


def test_a_map_that_the_store_was_not_asked_for_is_no_remark(make_store, tmp_path):
    store = make_store(maps=("attenuation", "dark_field"))
    found = dfsynth.write_report(store, out=tmp_path / "report")
    assert found.remarks == ()
    names = [kind["name"] for kind in facts_of(tmp_path / "report")["maps"]]
    assert names == ["attenuation", "dark_field"]


def test_a_report_of_pairs_shows_what_was_drawn(tmp_path):
    out = tmp_path / "pairs.zarr"
    options = SimulateOptions(out=out, n=12, size=64, shard_size=4, severity=(0.0, 0.9))
    run_simulation(options, ToyPairMaker(options), Silent())
    found = dfsynth.write_report(out)
    assert found.page == tmp_path / "pairs.zarr.report/index.html"
    assert (found.kind, found.images) == ("pairs", 10)
    facts = facts_of(found.page.parent)
    assert {"severity", "kvp", "height_cm"} <= {column["name"] for column in facts["numbers"]}
    assert {"origin", "split"} <= {group["name"] for group in facts["groups"]}
    titles = [kind["name"] for kind in facts["maps"]]
    assert titles == ["attenuation", "dark_field", "dark_field_clean", "severity"]
    html = found.page.read_text()
    assert "none errs" in html
    assert "phantom:" not in all_text(found.page.parent)


def test_an_hdf5_store_with_a_part_missing_is_shown(make_store, tmp_path):
    store = make_store("x.h5")
    layout = StoreLayout(store)
    format_of(layout).shard_files(layout, ["dark_field"], 1)[0].unlink()
    found = dfsynth.write_report(store, out=tmp_path / "report")
    assert found.damage
    assert 0 < found.thumbnails < 40


def test_another_checkpoint_is_refused_before_an_image_is_drawn(store, tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("images are drawn")

    monkeypatch.setattr("dfsynth.jobs.reporting.store_page.draw_images", refuse)
    with pytest.raises(UsageError, match="--checkpoint mixture-256"):
        dfsynth.write_report(store, out=tmp_path / "report", checkpoint="mixture-256")
    assert not (tmp_path / "report").exists()


def test_the_arrays_are_those_of_the_manifest(store, report):
    facts = facts_of(report)
    table = dfsynth.open_store(store).manifest
    ok = table.filter(pc.equal(table["status"], pa.scalar("ok")))
    for index, column in enumerate(facts["numbers"]):
        text = (report / f"data/number-{index}.js").read_text()
        name, kind, packed = json.loads(f"[{text[text.index('(') + 1 : -3]}]")
        assert (name, kind) == (f"number-{index}", "float32")
        values = np.frombuffer(base64.b64decode(packed), "<f4")
        np.testing.assert_array_equal(values, ok[column["name"]].to_numpy().astype(np.float32))


def test_a_copied_report_needs_nothing_else(report, tmp_path):
    shutil.copytree(report, tmp_path / "copy")
    assert str(report) not in all_text(tmp_path / "copy")
