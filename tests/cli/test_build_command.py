"""`dfsynth build` as a user types it: results, exit statuses, and one clear line for each error."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import zarr
from error_lines import one_line
from radiograph_files import write_bad_files, write_folder, write_image

from dfsynth.store.opened import open_store


@pytest.fixture
def images(tmp_path) -> Path:
    return write_folder(tmp_path / "images", 5)


@pytest.fixture
def build(run_cli, tiny_checkpoint, tmp_path):
    def run(source: object, *more: object, out: Path | None = None):
        return run_cli(
            "build",
            *("--source", source, "--out", out or tmp_path / "x.zarr"),
            *("--checkpoint", tiny_checkpoint, "--mc-samples", 3, "--shard-size", 2),
            *more,
        )

    return run


def test_builds_and_tells_as_json(build, images, tmp_path):
    write_bad_files(images)
    (images / "notes.txt").write_text("not an image, and its suffix says so")
    status, out, _ = build(images, "--json", "-q")
    report = json.loads(out)
    assert status == 0
    assert (report["ok"], report["failed"], report["rows"]) == (5, 4, 9)
    assert sum(report["excluded"].values()) == 1
    array = zarr.open_array(tmp_path / "x.zarr", path="dark_field", mode="r")
    assert array.shape == (9, 32, 32)
    group = zarr.open_group(tmp_path / "x.zarr", mode="r")
    assert "not for diagnosis" in str(group.attrs["notice"])


def test_bad_files_become_rows_with_a_code(build, images, tmp_path):
    expected = write_bad_files(images)
    assert build(images)[0] == 0
    rows = open_store(tmp_path / "x.zarr").manifest.to_pylist()
    found = {r["image_id"]: r["error_code"] for r in rows if r["status"] == "failed"}
    assert found == expected


def test_strict_exits_3_and_only_then(build, images):
    assert build(images, "--strict")[0] == 0
    write_image(images / "more.png", 50)
    (images / "bad.png").write_bytes(b"")
    assert build(images, "--strict", "--overwrite")[0] == 3


def test_the_same_command_resumes(build, images):
    assert build(images)[0] == 0
    status, out, _ = build(images, "--json", "-q")
    assert status == 0
    assert json.loads(out)["resumed"] is True


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [("--seed", 5, "seed"), ("--mc-samples", 4, "mc_samples"), ("--size", "64", "size")],
)
def test_other_options_are_refused_and_named(build, images, option, value, named):
    assert build(images)[0] == 0
    status, _, err = build(images, option, value)
    assert status == 2
    assert f"{named}: the store has" in one_line(err)


def test_overwrite_starts_anew_and_spares_what_is_not_ours(build, images, tmp_path):
    assert build(images)[0] == 0
    assert build(images, "--seed", 5, "--overwrite")[0] == 0
    other = tmp_path / "papers"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    status, _, err = build(images, "--overwrite", out=other)
    assert status == 2
    assert "choose another" in one_line(err)
    assert (other / "thesis.tex").read_text() == "years of work"


def test_dry_run_writes_nothing_and_estimates(build, images, tmp_path):
    status, out, _ = build(images, "--dry-run", "--json")
    found = json.loads(out)
    assert status == 0
    assert (found["rows"], found["shards"]) == (5, 3)
    assert found["bytes_estimate"] > 0
    assert found["seconds_estimate"] > 0
    assert not (tmp_path / "x.zarr").exists()


def test_dry_run_says_precision_and_room(build, images, monkeypatch):
    monkeypatch.setattr("dfsynth.devices._cpu_multiplies_bf16", lambda: False)
    lines = build(images, "--dry-run", "--device", "cpu", "--precision", "auto")[1].splitlines()
    assert "precision: fp32, since the processor multiplies no bfloat16" in "\n".join(lines)
    assert any(line.startswith("free on the disk of the store: ") for line in lines)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=10))
    out = build(images, "--dry-run")[1]
    assert "warning: free on the disk of the store: 10 B, less than it would take" in out


def test_dry_run_goes_with_every_gpu(build, images, monkeypatch):
    monkeypatch.setattr("dfsynth.devices.resolve_devices", lambda _: (torch.device("cpu"),) * 2)
    status, out, _ = build(images, "--dry-run", "--device", "cuda:all", "--precision", "fp32")
    assert status == 0
    assert "precision: fp32, as asked for" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--size", "12x"], "--size"),
        (["--partition", "3/3"], "--partition"),
        (["--maps", "dark_field,darkfield"], "--maps"),
        (["--batch-size", "many"], "--batch-size"),
        (["--precision", "fp64"], "precision"),
        (["--device", "tpu"], "device"),
        (["--device", "cuda:99"], "cuda:99"),
        (["--dtype", "int8"], "--dtype"),
        (["--limit", "0"], "--limit"),
    ],
)
def test_wrong_options_exit_2_before_any_work(build, images, tmp_path, arguments, says):
    status, _, err = build(images, *arguments)
    assert status == 2
    assert says in one_line(err)
    assert not (tmp_path / "x.zarr").exists()


def test_an_unknown_source_names_the_nearest(build):
    status, _, err = build("nhi")
    assert status == 2
    assert "nih" in one_line(err)


def test_a_corpus_without_a_root_exits_2(build):
    status, _, err = build("nih")
    assert status == 2
    assert "--root" in one_line(err)


def test_a_folder_without_images_exits_2(build, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "readme.txt").write_text("nothing here")
    status, _, err = build(empty)
    assert status == 2
    assert "no image" in one_line(err)
    assert not (tmp_path / "x.zarr").exists()


def test_a_missing_checkpoint_exits_2_a_damaged_one_1(run_cli, images, tiny_checkpoint, tmp_path):
    command = ("build", "--source", images, "--out", tmp_path / "x.zarr", "--checkpoint")
    status, _, err = run_cli(*command, "nowhere")
    assert status == 2
    assert "nowhere" in one_line(err)
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_checkpoint, damaged)
    weights = damaged / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    status, _, err = run_cli(*command, damaged)
    assert status == 1
    assert "damaged" in one_line(err)
    assert not (tmp_path / "x.zarr" / "manifest" / "part-0000000.parquet").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_ends_the_run_and_keeps_committed_shards(build, images, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        for number in range(60):
            write_image(images / f"more{number}.png", 100 + number)
        status, _, err = build(images, out=disk / "x.zarr")
        assert status == 1
        assert "full" in one_line(err) or "space" in one_line(err)
        manifest = open_store(disk / "x.zarr").manifest
        assert 0 < manifest.num_rows < 65
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        assert build(images, out=disk / "x.zarr")[0] == 0
        assert open_store(disk / "x.zarr").manifest.num_rows == 65
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_an_unwritable_folder_is_one_clear_line(build, images, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    status, _, err = build(images, out=blocked / "x.zarr")
    assert status == 1
    assert str(blocked) in one_line(err)


HALTED_COMMAND = """
import signal
# A shell that starts jobs in the background has them ignore SIGINT; this child must not.
signal.signal(signal.SIGINT, signal.default_int_handler)
from halt import halt_before
from dfsynth.cli import main
from dfsynth.inference import CascadeGenerator
halt_before(CascadeGenerator, "generate", 4)
main()
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_with_their_status_and_lose_nothing(
    images, tiny_checkpoint, tmp_path, build, start_child, number, status
):
    out = tmp_path / "x.zarr"
    options = ("--mc-samples", 3, "--shard-size", 3, "--batch-size", 1)
    command = ("build", "--source", images, "--out", out, "--checkpoint", tiny_checkpoint)
    child = start_child(HALTED_COMMAND, *command, *options)
    assert child.stdout.readline() == "halted\n"
    child.send_signal(number)
    _, err = child.communicate("go on\n")
    assert child.returncode == status, err
    assert "Traceback" not in err
    assert "stopping after the batch in hand" in err
    assert "run the same command again" in err
    assert open_store(out).manifest["row"].to_pylist() == [0, 1, 2]
    again = build(images, "--batch-size", 1, "--shard-size", 3, "--json", "-q")
    report = json.loads(again[1])
    assert (report["ok"], report["shards_done"]) == (1, 2), "the batch in hand was kept"
    assert open_store(out).manifest["row"].to_pylist() == list(range(5))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_at_once_and_more_are_ignored(
    images, tiny_checkpoint, tmp_path, start_child, number, status
):
    out = tmp_path / "x.zarr"
    options = ("--mc-samples", 3, "--shard-size", 3, "--batch-size", 1)
    command = ("build", "--source", images, "--out", out, "--checkpoint", tiny_checkpoint)
    child = start_child(HALTED_COMMAND, *command, *options)
    assert child.stdout.readline() == "halted\n"
    child.send_signal(number)
    while "stopping after the batch in hand" not in (line := child.stderr.readline()):
        assert line
    for _ in range(3):
        child.send_signal(number)
    _, err = child.communicate()
    assert child.returncode == status, err
    assert "Traceback" not in err
    assert open_store(out).manifest["row"].to_pylist() == [0, 1, 2]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_that_go_on_end_a_build_whose_thread_never_returns(
    images, tiny_checkpoint, tmp_path, start_child, build, number, status
):
    """As a reader does on a disk that hangs; nothing closes its input here."""
    out = tmp_path / "x.zarr"
    options = ("--mc-samples", 3, "--shard-size", 3, "--batch-size", 1)
    command = ("build", "--source", images, "--out", out, "--checkpoint", tiny_checkpoint)
    impatient = "import dfsynth.cli.signals\ndfsynth.cli.signals._PATIENCE_S = 0.2\nmain()"
    child = start_child(HALTED_COMMAND.replace("main()", impatient), *command, *options)
    assert child.stdout.readline() == "halted\n"
    while child.poll() is None:
        child.send_signal(number)
        time.sleep(0.1)
    err = child.stderr.read()
    assert child.returncode == status, err
    assert err.endswith("stopped without clearing away; what is stored is whole\n")
    assert open_store(out).manifest["row"].to_pylist() == [0, 1, 2]
    assert build(images, "--batch-size", 1, "--shard-size", 3)[0] == 0


SIGNALLED_THREAD_COMMAND = HALTED_COMMAND.replace(
    'halt_before(CascadeGenerator, "generate", 4)',
    'halt_before(CascadeGenerator, "generate", 4, signal.SIGTERM)',
)


def test_a_signal_that_wakes_no_lock_is_heard_all_the_same(
    images, tiny_checkpoint, tmp_path, start_child
):
    """As one that arrives just before the main thread goes to sleep on what others make."""
    out = tmp_path / "x.zarr"
    options = ("--mc-samples", 3, "--shard-size", 3, "--batch-size", 1)
    command = ("build", "--source", images, "--out", out, "--checkpoint", tiny_checkpoint)
    child = start_child(SIGNALLED_THREAD_COMMAND, *command, *options)
    assert child.stdout.readline() == "halted\n"
    while "stopping after the batch in hand" not in (line := child.stderr.readline()):
        assert line
    _, err = child.communicate("go on\n")
    assert child.returncode == 143, err
    assert open_store(out).manifest["row"].to_pylist() == [0, 1, 2]


def test_many_signals_while_a_build_begins_end_it_once(
    images, tiny_checkpoint, tmp_path, start_child
):
    """Halted while its generator loads; nothing is raised in the middle of an import."""
    program = HALTED_COMMAND.replace(
        'CascadeGenerator, "generate", 4', 'CheckpointMaker, "make", 1'
    ).replace(
        "from dfsynth.inference import CascadeGenerator",
        "from dfsynth.jobs.checkpoint_generator import CheckpointMaker",
    )
    out = tmp_path / "x.zarr"
    command = ("build", "--source", images, "--out", out, "--checkpoint", tiny_checkpoint)
    child = start_child(program, *command, "--shard-size", 3)
    assert child.stdout.readline() == "halted\n"
    child.send_signal(signal.SIGTERM)
    while "stopping after the batch in hand" not in (line := child.stderr.readline()):
        assert line
    for _ in range(5):
        child.send_signal(signal.SIGTERM)
    _, err = child.communicate()
    assert child.returncode == 143, err
    assert "Traceback" not in err
    assert open_store(out).manifest.num_rows == 0


def test_a_run_in_which_every_image_failed_does_not_end_with_0(build, images, tmp_path):
    sound = {path: path.read_bytes() for path in images.rglob("*.png")}
    for path in sound:
        path.write_bytes(b"a web page in place of an image")
    for _ in range(2):
        status, _, err = build(images)
        assert status == 1
        assert "0 of 5 images could be made, found 5 not_an_image" in err
    for path, data in sound.items():
        path.write_bytes(data)
    status, out, _ = build(images)
    assert status == 1
    assert "5 of 5 images failed (5 not_an_image)" in out
    assert "--retry-failed" in out
    status, out, _ = build(images, "--retry-failed")
    assert status == 0
    assert "5 images written" in out
    assert open_store(tmp_path / "x.zarr").manifest["status"].to_pylist() == ["ok"] * 5


def test_retry_failed_takes_codes_or_stands_alone(build, images, tmp_path):
    (images / "bad.png").write_bytes(b"")
    assert build(images)[0] == 0
    write_image(images / "bad.png", 8)
    assert "0 images written" in build(images, "--retry-failed=missing")[1]
    status, _, err = build(images, "--retry-failed=emty")
    assert status == 2
    assert "did you mean empty" in one_line(err)
    status, out, _ = build(images, "--retry-failed", "--json", "-q")
    assert (status, json.loads(out)["ok"], json.loads(out)["failures"]) == (0, 1, {})


def test_dry_run_and_build_tell_one_truth(build, images):
    assert "would make" in build(images, "--dry-run")[1]
    assert build(images)[0] == 0
    write_image(images / "new.png", 50)
    for more in ((), ("--dry-run",)):
        status, out, err = build(images, *more)
        assert status == 0
        assert "1 input appeared since the store was planned, the first of them 'new.png'" in (
            out + err
        )
        assert "--extend" in out + err
    assert "0 rows to write in 0 shards" in build(images, "--dry-run")[1]
    assert "1 image written" in build(images, "--extend")[1]


def test_a_finished_store_on_a_read_only_disk_is_finished(build, images, monkeypatch):
    """As root no mode keeps files from being written: the lock file cannot be opened instead."""
    assert build(images)[0] == 0
    opened = os.open

    def read_only(path, flags, *more, **named):
        if flags & (os.O_RDWR | os.O_WRONLY) and "x.zarr" in str(path):
            raise OSError(30, os.strerror(30))
        return opened(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", read_only)
    status, out, _ = build(images, "--json", "-q")
    assert (status, json.loads(out)["resumed"]) == (0, True)
    status, _, err = build(images, "--overwrite")
    assert status == 1
    assert "read-only" in one_line(err)


def test_job_array_shares_cover_the_store(build, images, tmp_path):
    for index in (0, 1):
        assert build(images, "--partition", f"{index}/2")[0] == 0
    store = open_store(tmp_path / "x.zarr")
    assert store.manifest["row"].to_pylist() == list(range(5))


def test_strict_remembers_what_failed_before(build, images):
    (images / "bad.png").write_bytes(b"")
    assert build(images, "--strict")[0] == 3
    assert build(images, "--strict")[0] == 3


def test_dry_run_says_what_the_build_would_refuse(build, images, tmp_path):
    assert build(images)[0] == 0
    status, _, err = build(images, "--seed", 5, "--dry-run")
    assert status == 2
    assert "seed" in one_line(err)


def test_the_run_says_what_it_computes_on(build, images):
    _, _, err = build(images, "--size", "64", "--precision", "fp32", "--device", "cpu")
    assert "cpu in fp32, grid 64x64, 3 samples" in err
    assert "trained at 32x32" in err


def test_one_sample_is_said_to_say_nothing_of_epistemic_uncertainty(build, images, tmp_path):
    _, _, err = build(images, "--mc-samples", "1")
    assert err.count("one sample an image says nothing of epistemic uncertainty") == 1
    manifest = open_store(tmp_path / "x.zarr").manifest
    assert manifest["epistemic_mean"].null_count == manifest.num_rows
    assert "epistemic" not in build(images, out=tmp_path / "other.zarr")[2]


def test_fast_with_one_member_names_the_checkpoints_that_can(
    build, images, tmp_path, monkeypatch, tiny_checkpoint
):
    """A line, and no store."""
    able = tmp_path / "packaged" / "of-members"
    shutil.copytree(tiny_checkpoint, able)
    card = json.loads((able / "model.json").read_text())
    card["network"] = "upgan-members"
    card["arguments"] = {"members": 3, "cascade": card["arguments"], "fast_spread": 1.0}
    (able / "model.json").write_text(json.dumps(card))
    monkeypatch.setattr(
        "dfsynth.checkpoint.packaged.packaged_generators", lambda: (tiny_checkpoint, able)
    )
    status, _, err = build(images, "--mc", "fast")
    assert status == 2
    assert "the checkpoint tiny has one member" in one_line(err)
    assert "a checkpoint with members (of-members of the packaged ones)" in one_line(err)
    card["task"] = "mri-motion"
    (able / "model.json").write_text(json.dumps(card))
    err = build(images, "--mc", "fast")[2]
    assert one_line(err).endswith("use --mc full, or a checkpoint with members")
    assert not (tmp_path / "x.zarr").exists()
