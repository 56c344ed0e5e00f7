"""What may be packaged: what was trained on free data alone, and is small."""

import packaged_checkpoint
import pyarrow as pa
import pytest
import restorer
import streaks_ct
import torch
from drawn_lungs import read_recipe
from drawn_networks import drawn_cascade
from packaged_checkpoint import write_package
from small_cards import small_card

from dfsynth.checkpoint import read_checkpoint
from dfsynth.inference import save_checkpoint


def test_training_data_are_counted_by_source_without_those_of_the_test(monkeypatch, tmp_path):
    volume = next(iter(read_recipe("mixture")["volumes"]))
    sources, splits = [None, volume, volume, "private.nii"], ["train", "val", "train", "test"]
    table = pa.table({"source": sources, "split": splits})
    monkeypatch.setattr(packaged_checkpoint, "read_manifest", lambda _: table)
    counts = [entry["training_pairs"] for entry in streaks_ct.training_data(tmp_path)]
    assert sorted(counts) == ["1", "2"]

    table = table.set_column(1, "split", pa.array(["train"] * 4))
    with pytest.raises(SystemExit, match=r"'private\.nii' is not known to be free"):
        streaks_ct.training_data(tmp_path)


def test_radiographs_of_a_restorer_are_counted_by_licence_and_must_be_free(monkeypatch, tmp_path):
    splits = ["train", "val", "train", "test"]
    table = pa.table({"license": ["CC BY 3.0", "CC0", "CC0", "unknown"], "split": splits})
    monkeypatch.setattr(packaged_checkpoint, "read_manifest", lambda _: table)
    counts = {e["licence"]: e["training_pairs"] for e in restorer.training_data(tmp_path)}
    assert counts == {"CC BY 3.0": "1", "CC0": "2"}

    table = table.set_column(1, "split", pa.array(["train"] * 4))
    with pytest.raises(SystemExit, match="'unknown' is not known to be free"):
        restorer.training_data(tmp_path)


def test_what_is_too_large_is_refused(tmp_path, capsys):
    network = drawn_cascade()
    with torch.inference_mode():
        save_checkpoint(tmp_path / "best", network, small_card(network.config))
    files = read_checkpoint(tmp_path / "best")
    write_package(tmp_path / "package", files, files.card, 1_000_000)
    assert "MB" in capsys.readouterr().out
    assert read_checkpoint(tmp_path / "package").card == files.card
    with pytest.raises(SystemExit, match="at most 1000"):
        write_package(tmp_path / "package", files, files.card, 1000)
