"""Nothing that a file says reaches a terminal as more than letters."""

import json
import logging
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from radiograph_files import write_image
from toy_generator import ToyMaker

from dfsynth.cli.console import console_of
from dfsynth.cli.meters import job_progress
from dfsynth.cli.printable import PrintableFormatter
from dfsynth.errors import UsageError
from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.printable_text import printable
from dfsynth.progress import Silent
from dfsynth.source.corpus_starter import CorpusTemplate

TITLE = "\x1b]0;owned\x07"
HARMFUL = ("\x1b[2J", TITLE, "\x9b31m", "\r", "\x08", "\u202egnp.a", "\x7f", "\udcff", "\u2028")
QUIET_DICOM = """
import sys
from dfsynth.cli.console import console_of
with console_of(json=False, quiet=False, verbose=sys.argv[2] == "verbose"):
    # Loaded behind our settings, as commands do.
    from dfsynth.decode import decode
    decode(open(sys.argv[1], "rb").read())
    import pydicom
    pydicom.config.logger.warning("Invalid value: 'Doe^Jane'")
    print("decoded")
"""


@pytest.mark.parametrize("text", HARMFUL)
def test_characters_that_act_are_written_out(text: str) -> None:
    found = printable(f"before {text} behind\nnext line")
    assert found.replace("\n", "").isprintable()
    assert found.startswith("before \\u" if text not in "\r\x08" else "before \\")
    assert found.endswith(" behind\nnext line")
    line = json.dumps({"id": text}, ensure_ascii=False)
    assert json.loads(printable(line)) == {"id": text}


def test_letters_of_all_languages_stay() -> None:
    text = "Größe 2 × 3 µm · 肺 صدر 😀 a\\b\n"
    assert printable(text) == text


@pytest.mark.parametrize("as_json", [False, True])
def test_results_notes_and_errors_are_harmless(
    capfd: pytest.CaptureFixture[str], as_json: bool
) -> None:
    with console_of(as_json, quiet=False, verbose=True) as console:
        text = "".join(HARMFUL)
        console.result(CorpusTemplate(Path(text)), f"id {text}")
        console.note(f"note {TITLE}")
    with pytest.raises(typer.Exit), console_of(as_json, quiet=False, verbose=True):
        raise UsageError(f"no column {TITLE}")
    captured = capfd.readouterr()
    assert "\\u001b]0;owned\\u0007" in captured.out
    assert "note \\u001b" in captured.err
    assert "error: no column \\u001b" in captured.err
    assert (captured.out + captured.err).replace("\n", "").isprintable()


def test_a_log_is_harmless(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with console_of(False, quiet=True, verbose=False, log=log) as console:
        console.note(f"id {''.join(HARMFUL)}")
        console.result(CorpusTemplate(Path("".join(HARMFUL))), "")
    lines = log.read_text(encoding="utf-8").split("\n")[:-1]
    assert all(line.isprintable() for line in lines)
    _, note, result, _ = map(json.loads, lines)
    assert note["message"] == f"id {''.join(HARMFUL)}"
    assert result["result"]["path"] == "".join(HARMFUL)


def test_log_records_are_harmless() -> None:
    try:
        raise ValueError(TITLE)
    except ValueError as error:
        raised = (type(error), error, error.__traceback__)
    record = logging.LogRecord("dfsynth", logging.DEBUG, "", 1, "at %s", (TITLE,), raised)
    text = PrintableFormatter("%(message)s").format(record)
    assert text.startswith("at \\u001b")
    assert text.replace("\n", "").isprintable()


def test_progress_is_harmless(capfd: pytest.CaptureFixture[str]) -> None:
    with job_progress(quiet=False) as progress:
        progress.message(f"left out {TITLE}")
    assert capfd.readouterr().err == "left out \\u001b]0;owned\\u0007\n"


@pytest.mark.parametrize("command", ["info", "verify", "filter"])
@pytest.mark.parametrize("as_json", [False, True])
def test_ids_of_a_store_are_harmless(
    run_cli: Callable[..., tuple[int, str, str]], tmp_path: Path, command: str, as_json: bool
) -> None:
    images = tmp_path / f"folder{TITLE}"
    for number in range(3):
        write_image(images / f"{number}{TITLE}.png", number)
    (images / f"bad{TITLE}.x{TITLE}").write_bytes(b"no image")
    store = tmp_path / f"x{TITLE}.zarr"
    run_build(BuildOptions(source=str(images), out=store, shard_size=2), ToyMaker(), Silent())
    options = ["--json"] if as_json else []
    if command == "filter":
        options += ["--keep", "0.5", "--out", str(tmp_path / f"kept{TITLE}.parquet")]
    _, out, err = run_cli(command, store, *options)
    assert out
    assert (out + err).replace("\n", "").isprintable()


@pytest.mark.parametrize("verbose", ["plain", "verbose"])
def test_header_values_do_not_come_out_through_the_library(
    start_child: Callable[..., "subprocess.Popen[str]"], tmp_path: Path, verbose: str
) -> None:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    data_set = Dataset()
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.SOPClassUID, data_set.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.4"
    data_set.Rows = data_set.Columns = 2
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.BitsAllocated = data_set.BitsStored = 8
    data_set.HighBit, data_set.PixelRepresentation = 7, 0
    data_set.WindowCenter, data_set.WindowWidth = "19471124", "19471124"
    data_set.PixelData = bytes(range(4))
    data_set.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    written = (tmp_path / "a.dcm").read_bytes().replace(b"19471124", b"Doe^J\x1b[m")
    (tmp_path / "a.dcm").write_bytes(written)
    child = start_child(QUIET_DICOM, tmp_path / "a.dcm", verbose)
    out, err = child.communicate(timeout=120)
    assert out == "decoded\n"
    assert err == ""
