"""`dfsynth simulate` as a user types it, with a simulator of a few numpy operations."""

import json
import sys
import types
from collections.abc import Callable

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from error_lines import one_line
from toy_simulator import ToyPairMaker

import dfsynth
from dfsynth.errors import UsageError
from dfsynth.store.opened import open_store

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def made(monkeypatch) -> list[ToyPairMaker]:
    """The makers that commands have asked for; puts the toy in the simulator's place."""
    makers: list[ToyPairMaker] = []

    def simulator(options):
        makers.append(ToyPairMaker(options))
        return makers[-1]

    module = types.ModuleType("dfsynth.simulation")
    monkeypatch.setattr(module, "Simulator", simulator, raising=False)
    monkeypatch.setitem(sys.modules, "dfsynth.simulation", module)
    return makers


@pytest.fixture
def simulate(run_cli, made, tmp_path) -> Run:
    def run(*more: object, n: object = 7) -> tuple[int, str, str]:
        sizes = ("--n", n, "--size", 64, "--shard-size", 3)
        return run_cli("simulate", "--out", tmp_path / "x.zarr", *sizes, *more)

    return run


def test_simulates_and_tells_as_json(simulate, tmp_path):
    status, out, _ = simulate("--json", "-q")
    report = json.loads(out)
    assert status == 0
    assert (report["ok"], report["failed"], report["rows"], report["shards_done"]) == (6, 1, 7, 3)
    assert open_store(tmp_path / "x.zarr").manifest.num_rows == 7


def test_progress_counts_pairs_and_says_what_it_computes_on(simulate):
    status, out, err = simulate()
    assert status == 0
    assert "7 pairs to do" in err
    assert "pairs/s" in err
    assert "numpy, 64x64 pixels" in err
    assert "6 pairs written, 1 failed" in out
    assert "dfsynth info" in out


def test_the_same_command_resumes_and_other_options_are_named(simulate):
    assert simulate()[0] == 0
    assert json.loads(simulate("--json", "-q")[1])["resumed"] is True
    status, _, err = simulate("--seed", 3, "--severity", "0:0.5")
    assert status == 2
    assert "seed: the store has 0, asked for 3" in one_line(err)
    assert "severity: the store has [0.0, 1.0], asked for [0.0, 0.5]" in one_line(err)
    assert simulate("--seed", 3, "--overwrite")[0] == 0


def test_options_reach_the_maker(simulate, made, tmp_path):
    status, _, _ = simulate(
        *("--origin", "mixed", "--ct", tmp_path, "--severity", "0.2:0.4", "--kvp", "70"),
        *("--without", "noise,motion", "--implants", "0.25", "--device", "cpu", "--workers", 1),
    )
    assert status == 0
    options = made[-1].options
    assert (options.origin, options.ct, options.cxr) == ("mixed", tmp_path, None)
    assert (options.severity, options.kvp) == ((0.2, 0.4), (70.0, 70.0))
    assert options.without == ("noise", "motion")
    assert (options.implants, options.device, options.workers) == (0.25, "cpu", 1)


def test_old_spellings_are_understood_and_say_the_new_ones(simulate, made):
    status, _, err = simulate("--devices", "0.25", "--shard", "0/1")
    assert status == 0
    assert (made[-1].options.implants, made[-1].options.partition) == (0.25, (0, 1))
    assert "--devices is now called --implants" in err
    assert "--shard is now called --partition" in err


def test_one_option_by_two_spellings_is_refused(simulate, made):
    status, _, err = simulate("--devices", "0.25", "--implants", "0.5")
    assert status == 2
    assert "--devices is the old spelling of --implants" in one_line(err)
    assert made == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--severity", "0.5:"], "--severity 0.5:"),
        (["--severity", "0.9:0.1"], "--severity 0.9:0.1"),
        (["--severity", "a:b"], "--severity a:b"),
        (["--severity", "nan:1"], "--severity nan:1"),
        (["--kvp", "90:100:110"], "--kvp 90:100:110"),
        (["--kvp", "20"], "--kvp 20:20"),
        (["--size", "100"], "--size 100"),
        (["--origin", "ct"], "--origin ct"),
        (["--ct", "."], "--ct ."),
        (["--without", "gravity"], "--without gravity"),
        (["--implants", "2"], "--implants 2"),
        (["--partition", "0"], "--partition 0"),
        (["--origin", "cxr", "--cxr", ".", "--implants", "0.5"], "--implants 0.5"),
        (["--origin", "cxr", "--cxr", ".", "--kvp", "70"], "--kvp 70:70"),
        (["--origin", "cxr", "--cxr", ".", "--without", "display"], "--without display"),
    ],
)
def test_nonsense_is_refused_before_any_work(simulate, made, tmp_path, arguments, says):
    status, _, err = simulate(*arguments)
    assert status == 2
    assert f"{says}: expected" in one_line(err)
    assert made == []
    assert not (tmp_path / "x.zarr").exists()


def test_a_store_of_radiographs_states_no_display_that_was_not_drawn(simulate, tmp_path):
    assert simulate("--origin", "cxr", "--cxr", tmp_path)[0] == 0
    provenance = dfsynth.open_store(tmp_path / "x.zarr").provenance
    assert not {"kvp", "devices"} & provenance.keys()
    assert provenance["severity"] == [0, 1]


def test_no_pairs_are_no_job(simulate):
    assert "--n 0" in one_line(simulate(n=0)[2])


def test_strict_exits_3_also_for_what_failed_before(simulate):
    assert simulate("--strict")[0] == 3
    assert simulate("--strict")[0] == 3
    assert simulate("--strict", "--overwrite", n=2)[0] == 0


def test_job_array_shares_cover_the_store(simulate, tmp_path):
    for index in (0, 1):
        assert simulate("--partition", f"{index}/2")[0] == 0
    assert open_store(tmp_path / "x.zarr").manifest["row"].to_pylist() == list(range(7))


def test_dry_run_plans_estimates_and_writes_nothing(simulate, tmp_path):
    status, out, _ = simulate("--dry-run", "--json")
    found = json.loads(out)
    assert status == 0
    assert (found["rows"], found["shards"], found["origins"]) == (7, 3, {"phantom": 7})
    assert sum(found["splits"].values()) == 7
    assert found["bytes_estimate"] > 0
    assert found["seconds_estimate"] > 0
    assert not (tmp_path / "x.zarr").exists()
    assert "would write 7 pairs" in simulate("--dry-run")[1]
    assert simulate()[0] == 0
    assert "seed" in one_line(simulate("--dry-run", "--seed", 9)[2])


def test_help_has_an_example(run_cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    out = run_cli("simulate", "--help")[1]
    assert "Example: dfsynth simulate --out pairs.zarr" in out
    assert "not for diagnosis" in out


def test_info_counts_origins_and_splits(simulate, run_cli, tmp_path):
    simulate("--origin", "mixed", "--ct", tmp_path)
    found = json.loads(run_cli("info", tmp_path / "x.zarr", "--json")[1])
    assert found["command"] == "dfsynth simulate"
    assert found["status"] == {"ok": 6, "failed": 1, "pending": 0}
    assert found["origins"] == {"phantom": 3, "ct": 2, "cxr": 2}
    assert sum(found["splits"].values()) == 7
    lines = run_cli("info", tmp_path / "x.zarr")[1].splitlines()
    assert "origins: 2 ct, 2 cxr, 3 phantom" in lines
    assert "severity: 0.0 to 1.0" in lines
    assert "without: none" in lines
    assert not set("{}[]'") & set("".join(lines[2:]))


def test_verify_names_damage_and_says_how_to_mend_it(simulate, run_cli, tmp_path):
    simulate()
    store = tmp_path / "x.zarr"
    assert run_cli("verify", store)[0] == 0
    (store / "severity" / "c.1.0.0").write_bytes(b"")
    status, out, _ = run_cli("verify", store, "--repair")
    assert status == 1
    assert "pair-0000003" in out
    assert "run the same dfsynth simulate command again" in out
    assert simulate()[0] == 0
    assert run_cli("verify", store)[0] == 0


def test_filter_keeps_pairs_by_their_columns(simulate, run_cli, tmp_path):
    simulate()
    kept = tmp_path / "kept.parquet"
    where = "severity < 0.7 and split in ('train', 'test') and sex = 'F'"
    status, out, _ = run_cli(
        "filter", tmp_path / "x.zarr", "--where", where, "--out", kept, "--json"
    )
    assert status == 0
    table = pq.read_table(kept)
    assert json.loads(out)["total"] == 6
    assert json.loads(out)["kept"] == table.num_rows > 0
    assert all(line["severity"] < 0.7 for line in table.to_pylist())
    assert set(table["status"].to_pylist()) == {"ok"}
    assert any(b"not for diagnosis" in value for value in table.schema.metadata.values())
    status, _, err = run_cli("filter", tmp_path / "x.zarr", "--keep", "0.5")
    assert status == 2
    assert "uncertainty" in one_line(err)
    assert run_cli("filter", tmp_path / "x.zarr", "--keep", "0.5", "--by", "severity")[0] == 0


def test_show_draws_pairs_and_hatches_what_failed(simulate, run_cli, tmp_path):
    simulate()
    images = []
    for name in ("pair-0000001", "pair-0000002"):
        image = tmp_path / f"{name}.png"
        status, out, _ = run_cli("show", tmp_path / "x.zarr", "--ids", name, "--out", image)
        assert status == 0
        assert "left blank" not in out
        sheet = cv2.imread(str(image))
        assert sheet is not None
        images.append(sheet)
    drawn, failed = images
    assert drawn.shape == failed.shape
    # Viridis and inferno are colourful; a failed row shows neither mask nor severity.
    body = slice(drawn.shape[0] // 3, 3 * drawn.shape[0] // 4)
    colourful = [int(np.ptp(image[body].astype(int), axis=2).max()) for image in images]
    assert colourful[0] > 100 > colourful[1]


def test_pairs_are_opened_as_images_are(simulate, tmp_path):
    simulate()
    store = dfsynth.open_store(tmp_path / "x.zarr")
    data = store.dataset(where="status = 'ok'", maps=("attenuation", "dark_field"))
    assert len(data) == 6
    assert data[2]["maps"].shape == (2, 64, 64)
    assert data[2]["image_id"] == "pair-0000003"
    assert store.provenance["kind"] == "pairs"


def test_python_takes_what_the_command_takes(made, tmp_path):
    out = tmp_path / "x.zarr"
    report = dfsynth.simulate_pairs(
        out, 4, size=64, origin="ct", ct=str(tmp_path), kvp=70, severity=[0, 0.5], without="blur"
    )
    assert (report.ok, report.failed) == (3, 1)
    options = made[-1].options
    assert (options.kvp, options.severity, options.without) == ((70, 70), (0, 0.5), ("blur",))
    assert dfsynth.open_store(out).manifest["truth"].to_pylist() == ["simulated"] * 4
    with pytest.raises(UsageError, match="--size 7"):
        dfsynth.simulate_pairs(out, 4, size=7)
    with pytest.raises(TypeError):
        dfsynth.simulate_pairs(out, 4, colour="red")  # type: ignore[call-arg]


def test_missing_libraries_are_one_clear_line(run_cli, monkeypatch, tmp_path):
    def missing(name):
        assert name == "dfsynth.simulation"
        raise ModuleNotFoundError("No module named 'skimage'", name="skimage")

    monkeypatch.setattr("dfsynth.extras.import_module", missing)
    status, _, err = run_cli("simulate", "--out", tmp_path / "x.zarr", "--n", 1)
    assert status == 2
    assert "needs the library skimage" in one_line(err)
    assert "dfsynth[simulate]" in one_line(err)
