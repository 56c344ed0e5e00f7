"""`model.json`: what is written is read back, and nothing that does not fit is."""

import copy
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dfsynth.checkpoint import (
    CARD,
    MEMBERS_NETWORK,
    NETWORK,
    SCORES,
    WEIGHTS,
    CalibrationRow,
    CascadeConfig,
    ModelCard,
    checkpoint_path,
    checkpoints_with_scores,
    encode_card,
    read_checkpoint,
    who_has_scores,
)
from dfsynth.checkpoint.files import write_checkpoint
from dfsynth.checkpoint.networks import CONFIG_READERS
from dfsynth.checkpoint.parsing import parse_card
from dfsynth.errors import CheckpointError, UsageError
from dfsynth.records import IntensityRange, IntensityWindow

CardEntries = dict[str, Any]
Refuses = Callable[[CardEntries | bytes], str]

CARD_HERE = ModelCard(
    name="größe",
    network=NETWORK,
    arguments=CascadeConfig(2, (8, 16), 0.25, False),
    grid=(48, 32),
    intensity=IntensityWindow(1.0, 98.5),
    unit="1",
    window=(-0.1, 0.8),
    license="Apache-2.0",
    intended_use="tests",
    limits="none",
    training_data=({"name": "a", "licence": "CC0"},),
    recipe={"seed": 1, "phase": [{"name": "x"}]},
    metrics={"mse": {"value": 0.1, "low": 0.05, "high": 0.2}},
    calibration={"0.5": 0.66, "0.9": 1},
)


ROWS = (
    CalibrationRow("phantom:0:7", "phantom", {"uncertainty": 0.125, "epistemic_mean": 0.5}, 0.25),
    CalibrationRow("ct:größe", "ct", {}, 1.0),
)


def test_the_range_of_an_output_comes_back_and_is_absent_where_there_is_none() -> None:
    assert "output_intensity" not in json.loads(encode_card(CARD_HERE))
    card = replace(CARD_HERE, unit="HU", output_intensity=IntensityRange(-1000.0, 1000.0, "HU"))
    assert parse_card(encode_card(card).encode()) == card
    for wrong in (
        {"low": 0.0, "high": 1.0, "unit": "1/m"},
        {"low_percentile": 0.5, "high_percentile": 99.5},
    ):
        text = json.dumps(json.loads(encode_card(card)) | {"output_intensity": wrong})
        with pytest.raises(ValueError, match="'output_intensity' is no range of values in 'HU'"):
            parse_card(text.encode())


def entries() -> CardEntries:
    return copy.deepcopy(json.loads(encode_card(CARD_HERE)))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[CardEntries | bytes], Path]:
    def into(card: CardEntries | bytes) -> Path:
        raw = card if isinstance(card, bytes) else json.dumps(card).encode()
        (tmp_path / CARD).write_bytes(raw)
        (tmp_path / WEIGHTS).write_bytes(b"weights")
        return tmp_path

    return into


@pytest.fixture
def refuses(write: Callable[[CardEntries | bytes], Path]) -> Refuses:
    def message(card: CardEntries | bytes) -> str:
        folder = write(card)
        with pytest.raises(CheckpointError) as caught:
            read_checkpoint(folder)
        text = str(caught.value)
        assert "\n" not in text
        assert CARD in text
        return text

    return message


def test_a_card_comes_back_as_it_was(tmp_path: Path, write: Callable[[bytes], Path]) -> None:
    files = read_checkpoint(write(encode_card(CARD_HERE).encode()))
    assert files.card == CARD_HERE
    assert files.weights == b"weights"
    assert files.folder == tmp_path


def test_a_range_of_values_comes_back_with_its_unit(write: Callable[[bytes], Path]) -> None:
    card = replace(CARD_HERE, intensity=IntensityRange(-0.5, 10.0, "1/m"))
    raw = encode_card(card)
    assert json.loads(raw)["intensity"] == {"low": -0.5, "high": 10.0, "unit": "1/m"}
    assert read_checkpoint(write(raw.encode())).card == card


@pytest.mark.parametrize(
    "found",
    [
        {"low": 0.0, "high": 1.0, "unit": ""},
        {"low": 0.0, "high": 1.0, "unit": 1},
        {"low": 1.0, "high": 1.0, "unit": "1/m"},
        {"low": 0.0, "high": float("inf"), "unit": "1/m"},
        {"low": 0.0, "high": 1.0},
        {"low_percentile": 1.0, "high_percentile": 99.0, "unit": "1/m"},
        {"low": 0.0, "high": 1.0, "unit": "1/m", "low_percentile": 1.0},
    ],
)
def test_a_range_that_is_none_is_refused(refuses: Refuses, found: dict[str, object]) -> None:
    refuses({**entries(), "intensity": found})


CHOICES = {"backbone": "compact", "guidance": "attention", "likelihood": "gennorm"}
"""Entries that cards did not always have, and what cards without them are."""


def test_every_entry_is_needed(refuses: Refuses) -> None:
    for name in entries():
        short = entries()
        del short[name]
        assert repr(name) in refuses(short)
    for table in ("arguments", "intensity"):
        for name in entries()[table].keys() - CHOICES.keys():
            short = entries()
            del short[table][name]
            assert repr(name) in refuses(short)


def test_a_card_from_before_the_choices_is_of_the_same_network(
    write: Callable[[CardEntries], Path],
) -> None:
    old = entries()
    for name, before in CHOICES.items():
        assert old["arguments"].pop(name) == before
    assert read_checkpoint(write(old)).card == CARD_HERE


@pytest.mark.parametrize(
    "choice", [{"backbone": "published"}, {"guidance": "concat"}, {"likelihood": "point"}]
)
def test_choices_come_back(write: Callable[[CardEntries], Path], choice: dict[str, Any]) -> None:
    config = CascadeConfig(2, (8, 16), 0.25, False, **choice)
    card = replace(CARD_HERE, arguments=config)
    written = json.loads(encode_card(card))
    assert written["arguments"].items() >= (CHOICES | choice).items()
    assert read_checkpoint(write(written)).card.arguments == config


def test_an_error_calibration_comes_back(write: Callable[[bytes], Path]) -> None:
    card = replace(CARD_HERE, error_calibration=ROWS)
    assert read_checkpoint(write(encode_card(card).encode())).card == card


def test_a_card_without_an_error_calibration_is_written_as_before() -> None:
    assert "error_calibration" not in encode_card(CARD_HERE)
    packaged = (checkpoint_path("default") / CARD).read_bytes()
    assert encode_card(parse_card(packaged)).encode() == packaged


def with_row(**changed: object) -> CardEntries:
    row = {"patient_id": "a", "origin": "ct", "scores": {"uncertainty": 0.1}, "error": 0.5}
    return entries() | {"error_calibration": [row | changed]}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"patient_id": ""}, "names no patient"),
        ({"patient_id": 3}, "'patient_id' is not text"),
        ({"origin": "cxr"}, "semi-synthetic"),
        ({"origin": None}, "'origin' is not text"),
        ({"scores": [0.1]}, "'scores' is not an object"),
        ({"scores": {"uncertainty": "low"}}, "'scores.uncertainty' is not finite"),
        ({"scores": {"uncertainty": float("nan")}}, "'scores.uncertainty' is not finite"),
        ({"error": 1.01}, "error 1.01; expected 0 to 1"),
        ({"error": -0.1}, "expected 0 to 1"),
        ({"error": None}, "'error' is not finite"),
        ({"surprise": 1}, "unknown entries: 'surprise'"),
    ],
)
def test_rows_of_an_error_calibration_are_checked(
    refuses: Refuses, changed: dict[str, object], words: str
) -> None:
    assert words in refuses(with_row(**changed))


def test_rows_of_an_error_calibration_are_complete(refuses: Refuses) -> None:
    for name in ("patient_id", "origin", "scores", "error"):
        card = with_row()
        del card["error_calibration"][0][name]
        assert f"{name!r} is missing" in refuses(card)
    values: list[object] = [None, {}, ["row"], [None]]
    for value in values:
        assert "error_calibration" in refuses(entries() | {"error_calibration": value})


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_not_finite_calibrates_nothing(score: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        CalibrationRow("a", "ct", {"uncertainty": score}, 0.5)


def test_entries_that_nobody_knows_are_refused(refuses: Refuses) -> None:
    for table in (None, "arguments", "intensity"):
        card = entries()
        (card if table is None else card[table])["surprise\n"] = 1
        assert "unknown entries: 'surprise\\n'" in refuses(card)


WRONG: list[tuple[tuple[str, ...], list[object]]] = [
    (("name",), [None, 3, ["x"]]),
    (("unit",), [None, 1.0, "\ud800", "a\udfffb"]),
    (("licence",), [{}]),
    (("intended_use",), [False]),
    (("limits",), [0]),
    (
        ("grid",),
        [[48], [48, 32, 1], "48", [0, 32], [48.0, 32], [True, 1], 48, [1e999, 32], [4097, 32]],
    ),
    (("window",), [[0.8, -0.1], [0.5, 0.5], [0], ["0", "1"], [float("nan"), 1], [0, 1e999], None]),
    (("training_data",), [{}, ["x"], [{"name": 3}], "x", [{"name": "\udc80"}]]),
    (("recipe",), [None, [], "x"]),
    (("metrics",), [None, 4]),
    (("calibration",), [None, [], {"0.5": "x"}, {"0.5": float("inf")}, {"0.5": True}]),
    (("arguments",), [None, [], {}]),
    (("arguments", "stages"), [0, -1, 2.5, "2", True, 17, 10**400, None]),
    (("arguments", "widths"), [None, "ab", [8, "16"], [8, -16], [8, 2.5], 8]),
    (("arguments", "dropout"), [1.0, -0.1, "0", float("nan"), True]),
    (("arguments", "lung_head"), [0, 1, "yes", None]),
    (("arguments", "backbone"), ["Compact", "", None, 1, ["compact"]]),
    (("arguments", "guidance"), ["sigma", None, True]),
    (("arguments", "likelihood"), ["l1", None, {}]),
    (("intensity",), [None, 3]),
    (("intensity", "low_percentile"), [-1, 98.5, 200, "0", float("nan")]),
    (("intensity", "high_percentile"), [1.0, 100.5, None]),
    (("network",), ["other", None, 5]),
    (("card_version",), [2, 0, "1", True, 1.0, None]),
]


@pytest.mark.parametrize(("where", "values"), WRONG, ids=[".".join(w) for w, _ in WRONG])
def test_entries_of_another_kind_are_refused(
    refuses: Refuses, where: tuple[str, ...], values: list[object]
) -> None:
    for value in values:
        card = entries()
        table = card
        for name in where[:-1]:
            table = table[name]
        table[where[-1]] = value
        refuses(card)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"upgan-compact"',
        b"{",
        b"\xff\xfe\x00",
        bytes(64),
        b"[" * 100_000,
        b'{"card_version": ' + b"[" * 100_000,
        b'{"card_version": ' + b"1" * 5000 + b"}",
    ],
)
def test_what_is_no_card_is_refused(refuses: Refuses, raw: bytes) -> None:
    refuses(raw)


def test_a_truncated_card_is_refused_wherever_it_ends(refuses: Refuses) -> None:
    raw = encode_card(CARD_HERE).rstrip().encode()
    for length in range(0, len(raw), 7):
        refuses(raw[:length])


def test_another_network_or_version_is_named(refuses: Refuses) -> None:
    later = entries() | {"card_version": 7, "network": "upgan-wide"}
    message = refuses(later)
    assert "'upgan-wide'" in message
    assert "version 7" in message
    assert f"{NETWORK!r}, {MEMBERS_NETWORK!r}, " in message
    assert message.split(" in card version 1")[0].endswith(repr([*CONFIG_READERS][-1]))


@pytest.mark.parametrize("missing", [CARD, WEIGHTS])
def test_a_missing_file_is_named(write: Callable[[CardEntries], Path], missing: str) -> None:
    folder = write(entries())
    (folder / missing).unlink()
    with pytest.raises(CheckpointError, match=f"cannot read .*{missing}") as caught:
        read_checkpoint(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [CARD, WEIGHTS, SCORES])
def test_a_pipe_is_not_waited_for(write: Callable[[CardEntries], Path], name: str) -> None:
    folder = write(entries())
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(CheckpointError, match=f"{name}: expected a regular file"):
        read_checkpoint(folder)


def test_any_changed_byte_changes_the_sum(write: Callable[[bytes], Path]) -> None:
    raw = encode_card(CARD_HERE).encode()
    folder = write(raw)

    def sum_of(weights: bytes, card: bytes) -> str:
        (folder / WEIGHTS).write_bytes(weights)
        (folder / CARD).write_bytes(card)
        return read_checkpoint(folder).sha256

    first = sum_of(b"weights", raw)
    assert len(first) == 64
    variants = [
        (b"weightz", raw),
        (b"weights\0", raw),
        (b"", raw),
        (b"weights", raw + b" "),
        (b"weights", raw.replace(b"Apache-2.0", b"Apache-2.1")),
    ]
    assert len({first, *(sum_of(*variant) for variant in variants)}) == 6
    assert sum_of(b"weights", raw) == first


def test_heads_for_trust_are_a_third_file_that_may_be_missing(tmp_path: Path) -> None:
    card = encode_card(CARD_HERE)
    write_checkpoint(tmp_path, b"weights", card)
    without = read_checkpoint(tmp_path)
    assert without.scores is None
    assert without.sha256 == hashlib.sha256(b"weights" + card.encode()).hexdigest()

    write_checkpoint(tmp_path, b"weights", card, b"heads")
    found = read_checkpoint(tmp_path)
    assert (found.scores, found.weights) == (b"heads", b"weights")
    (tmp_path / SCORES).write_bytes(b"other")
    assert len({without.sha256, found.sha256, read_checkpoint(tmp_path).sha256}) == 3

    write_checkpoint(tmp_path, b"other weights", card)
    assert read_checkpoint(tmp_path).scores is None, "heads of weights that are gone"


def test_heads_that_cannot_be_read_are_named(write: Callable[[CardEntries], Path]) -> None:
    folder = write(entries())
    (folder / SCORES).mkdir()
    with pytest.raises(CheckpointError, match=f"cannot read .*{SCORES}"):
        read_checkpoint(folder)


def test_packaged_checkpoints_with_heads_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dfsynth.checkpoint.files.data_folder", lambda _: tmp_path)
    (tmp_path / "plain").mkdir()
    assert who_has_scores() == "no packaged checkpoint has them"
    for name in ("second", "first"):
        write_checkpoint(tmp_path / name, b"weights", encode_card(CARD_HERE), b"heads")
    assert who_has_scores() == "packaged checkpoints that have them: first, second"
    assert checkpoints_with_scores(CARD_HERE.task) == ("first", "second")
    other = "no packaged checkpoint for mri-motion has them"
    assert checkpoints_with_scores("mri-motion") == ()
    assert who_has_scores("mri-motion") == other


def test_a_folder_is_found_by_its_path(write: Callable[[CardEntries], Path]) -> None:
    folder = write(entries())
    assert checkpoint_path(str(folder)) == folder


@pytest.mark.parametrize("wanted", ["no-such-checkpoint", "", "no/such/folder"])
def test_an_unknown_checkpoint_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"no checkpoint {wanted!r}: expected a folder with"):
        checkpoint_path(wanted)


GENERATORS = "default, mixture-256, restoration, streaks-ct"


def test_only_generators_are_offered() -> None:
    with pytest.raises(UsageError) as found:
        checkpoint_path("no-such-checkpoint")
    assert str(found.value).endswith(f"packaged names: {GENERATORS}")


def test_a_network_of_another_kind_is_wrong_usage() -> None:
    with pytest.raises(UsageError) as found:
        checkpoint_path("lung-reader")
    message = str(found.value)
    assert message.startswith("the packaged network 'lung-reader' generates no images: expected")
    assert message.endswith(f"packaged names: {GENERATORS}")
    assert "\n" not in message


def test_a_folder_without_a_card_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / WEIGHTS).write_bytes(b"weights")
    with pytest.raises(UsageError, match="no checkpoint"):
        checkpoint_path(str(tmp_path))


@pytest.mark.parametrize("stages", [0, -1, 17])
def test_a_cascade_has_a_sensible_number_of_stages(stages: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 16 stages"):
        CascadeConfig(stages=stages)


@pytest.mark.parametrize("dropout", [-0.1, 1.0, float("nan")])
def test_dropout_leaves_something(dropout: float) -> None:
    with pytest.raises(ValueError, match="expected a dropout"):
        CascadeConfig(dropout=dropout)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("backbone", "coarse, compact, published, residual-unet, casnet"),
        ("guidance", "attention, concat, none"),
        ("likelihood", "gennorm, laplace, gaussian, point, quantile"),
    ],
)
def test_an_unknown_choice_is_answered_by_the_known_ones(name: str, known: str) -> None:
    choice: dict[str, Any] = {name: "other"}
    with pytest.raises(ValueError, match=f"expected as {name} one of {known}, found 'other'$"):
        CascadeConfig(**choice)
