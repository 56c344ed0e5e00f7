"""The card of several cascades: written, read back, and refused where it cannot be."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_cards import small_card

from dfsynth.checkpoint import (
    CARD,
    WEIGHTS,
    CascadeConfig,
    MembersConfig,
    ModelCard,
    encode_card,
    read_checkpoint,
)
from dfsynth.errors import CheckpointError

CONFIG = MembersConfig(4, CascadeConfig(2, (8, 16), 0.25, False, backbone="coarse"), 1.75)


def entries() -> dict[str, Any]:
    card = small_card(CONFIG, name="several", grid=(48, 32), window=(0.0, 0.8))
    found: dict[str, Any] = json.loads(encode_card(card))
    return found


def read(folder: Path, card: dict[str, Any]) -> ModelCard:
    (folder / CARD).write_text(json.dumps(card))
    (folder / WEIGHTS).write_bytes(b"weights")
    return read_checkpoint(folder).card


def test_a_card_of_members_comes_back_as_it_was(tmp_path: Path) -> None:
    written = entries()
    assert written["arguments"]["members"] == 4
    assert written["arguments"]["cascade"]["backbone"] == "coarse"
    found = read(tmp_path, written)
    assert found.arguments == CONFIG
    assert (found.arguments.members, found.arguments.stages) == (4, 2)
    assert not found.arguments.lung_head


@pytest.mark.parametrize("members", [2, 16])
def test_the_least_and_the_most_members_are_taken(tmp_path: Path, members: int) -> None:
    card = entries()
    card["arguments"]["members"] = members
    assert read(tmp_path, card).arguments == replace(CONFIG, members=members)


@pytest.mark.parametrize("members", [1, 17])
def test_one_member_is_no_ensemble_and_too_many_are_refused(tmp_path: Path, members: int) -> None:
    words = f"expected 2 to 16 members, found {members}"
    with pytest.raises(ValueError, match=words):
        MembersConfig(members, CONFIG.cascade)
    card = entries()
    card["arguments"]["members"] = members
    with pytest.raises(CheckpointError, match=words):
        read(tmp_path, card)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"members": None}, "'members' is not"),
        ({"members": 2.5}, "'members' is not"),
        ({"members": True}, "'members' is not"),
        ({"members": 0}, "'members' is not"),
        ({"fast_spread": 0}, "expected a fast_spread in"),
        ({"fast_spread": 100.0}, "expected a fast_spread in"),
        ({"fast_spread": "1"}, "'fast_spread' is not"),
        ({"cascade": [1]}, "cascade is no object"),
        ({"cascade": {}}, "'stages' is missing"),
        ({"surprise": 1}, "unknown entries: 'surprise'"),
    ],
)
def test_entries_that_are_something_else_are_named(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    card = entries()
    card["arguments"] |= change
    with pytest.raises(CheckpointError, match=words) as caught:
        read(tmp_path, card)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["members", "cascade", "fast_spread"])
def test_every_entry_is_needed(tmp_path: Path, name: str) -> None:
    card = entries()
    del card["arguments"][name]
    with pytest.raises(CheckpointError, match=f"'{name}' is missing"):
        read(tmp_path, card)


@pytest.mark.parametrize(
    ("entry", "words"),
    [({"stages": 17}, "expected 1 to 16 stages"), ({"surprise": 1}, "unknown entries")],
)
def test_the_configuration_of_the_members_is_checked_as_that_of_one(
    tmp_path: Path, entry: dict[str, Any], words: str
) -> None:
    card = entries()
    card["arguments"]["cascade"] |= entry
    with pytest.raises(CheckpointError, match=words):
        read(tmp_path, card)
