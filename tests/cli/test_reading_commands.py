"""info, verify, filter, show and sources on a small store."""

import json
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from radiograph_files import write_bad_files, write_folder
from toy_generator import ToyMaker

from dfsynth.config import BuildOptions
from dfsynth.pipeline import Silent, build
from dfsynth.store import StoreLayout


@pytest.fixture
def pictures(tmp_path) -> Path:
    root = write_folder(tmp_path / "pictures", 7)
    write_bad_files(root)
    return root


@pytest.fixture
def store(pictures, tmp_path) -> Path:
    out = tmp_path / "x.zarr"
    build(BuildOptions(source=str(pictures), out=out, shard_size=4), ToyMaker(), Silent())
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


def test_info_counts_pending_rows(run_cli, store):
    StoreLayout(store).part(1).unlink()
    found = json.loads(run_cli("info", store, "--json")[1])
    assert found["status"]["pending"] == 4
    assert found["shards_done"] == 2


@pytest.mark.parametrize("command", ["info", "verify", "filter", "show"])
def test_no_store_is_one_clear_line(run_cli, tmp_path, command):
    status, _, err = run_cli(command, tmp_path / "nowhere.zarr")
    assert status == 1
    assert "no dfsynth store" in err
    assert "Traceback" not in err


def test_verify_exits_1_on_damage(run_cli, store):
    assert run_cli("verify", store)[0] == 0
    path = StoreLayout(store).shard_object("dark_field", 0)
    path.write_bytes(path.read_bytes()[:-3])
    status, out, _ = run_cli("verify", store)
    assert status == 1
    assert "part0/image0000.png" in out
    assert run_cli("verify", store, "--repair")[0] == 1
    assert json.loads(run_cli("info", store, "--json")[1])["shards_done"] == 2


def test_filter_keeps_the_lowest_and_writes_provenance(run_cli, store, tmp_path):
    kept = tmp_path / "kept.parquet"
    status, out, _ = run_cli("filter", store, "--keep", "0.5", "--out", kept, "--json")
    found = json.loads(out)
    assert status == 0
    assert (found["kept"], found["total"]) == (4, 7)
    table = pq.read_table(kept)
    assert set(table["status"].to_pylist()) == {"ok"}
    assert any(b"not for diagnosis" in value for value in table.schema.metadata.values())


def test_filter_refuses_bad_sql_and_unknown_columns(run_cli, store):
    for where in ("uncertainly < 0.1", "1=1; drop table manifest", "select"):
        status, _, err = run_cli("filter", store, "--where", where)
        assert status == 2
        assert "Traceback" not in err
    assert "uncertainty" in run_cli("filter", store, "--where", "uncertainly < 0.1")[2]


def test_show_draws_with_and_without_the_source(run_cli, store, pictures, tmp_path):
    without, with_source = tmp_path / "a.png", tmp_path / "b.png"
    assert run_cli("show", store, "--out", without, "--images", 3)[0] == 0
    options = ("--images", 3, "--source", pictures)
    assert run_cli("show", store, "--out", with_source, *options)[0] == 0
    blank, drawn = cv2.imread(str(without)), cv2.imread(str(with_source))
    assert blank.shape == drawn.shape
    assert np.any(blank != drawn)


def test_show_names_an_unknown_image(run_cli, store, tmp_path):
    status, _, err = run_cli("show", store, "--ids", "nobody.png", "--out", tmp_path / "a.png")
    assert status == 2
    assert "nobody.png" in err


def test_sources_lists_nih_with_its_licence(run_cli):
    status, out, _ = run_cli("sources", "--json")
    corpora = {corpus["name"]: corpus for corpus in json.loads(out)}
    assert status == 0
    assert corpora["nih"]["licence"]
    assert "nih" in run_cli("sources")[1]


def test_help_names_every_command_and_imports_nothing_heavy(run_cli):
    status, out, _ = run_cli("--help")
    assert status == 0
    assert all(name in out for name in ("build", "show", "info", "verify", "filter", "sources"))
