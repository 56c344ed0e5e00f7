"""What `make reference` writes is what the code says now."""

import re
from pathlib import Path

import pytest
from command_reference import command_reference, walk_commands
from document_schemas import encode, file_name, schema_of

from dfsynth.cli.documents import DOCUMENTS, Document
from dfsynth.cli.group import statuses_of
from dfsynth.errors import ExitStatus

DOCS = Path(__file__).parents[2] / "docs"
DUE = "run `make reference`"


def test_the_page_of_commands_is_up_to_date() -> None:
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == command_reference(), DUE


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_the_schemas_are_up_to_date(document: Document) -> None:
    path = DOCS / "schemas" / file_name(document)
    assert path.read_text(encoding="utf-8") == encode(schema_of(document)), DUE


def test_no_schema_is_left_over() -> None:
    assert {path.name for path in (DOCS / "schemas").iterdir()} == set(map(file_name, DOCUMENTS))


def test_schemas_say_what_fields_mean() -> None:
    run = schema_of(DOCUMENTS[0])
    assert (
        run["properties"]["failures"]["description"] == "Of these, the failed ones, by error code."
    )
    assert run["properties"]["schema"]["properties"]["name"] == {"const": "dfsynth.run"}
    network = schema_of(next(each for each in DOCUMENTS if each.name == "network"))
    assert "licence" in network["required"]
    assert "license" not in network["properties"]


def test_every_command_prints_a_document_and_takes_the_usual_options() -> None:
    printing = {re.sub(r" (-.*|[A-Z]+)$", "", line) for each in DOCUMENTS for line in each.commands}
    commands = dict(walk_commands())
    assert set(commands) == printing
    for command in commands.values():
        options = {name for each in command.params for name in each.opts}
        assert {"--json", "--quiet", "--verbose"} <= options


def test_every_help_says_all_exit_statuses_of_the_table() -> None:
    for path, command in walk_commands():
        for status in ExitStatus:
            said = f"{status.value} {status.meaning}" in command.epilog
            assert said == (status in statuses_of(command)), path
        assert "Example" in command.epilog, path
    commands = dict(walk_commands())
    strict = {
        path for path in commands if ExitStatus.SOME_IMAGES_FAILED in statuses_of(commands[path])
    }
    assert strict == {"build", "simulate"}


def test_the_contract_explains_every_exit_status() -> None:
    contracts = (DOCS / "contracts.md").read_text(encoding="utf-8")
    numbers = re.findall(r"^\| ([\d, ]+) \|", contracts, re.MULTILINE)
    assert [int(n) for each in numbers for n in each.split(", ")] == [s.value for s in ExitStatus]
