"""What comes out of a command that a signal ended is the signal's line and status."""

import signal

import pytest
import typer

from dfsynth.cli.console import console_of
from dfsynth.cli.signals import Terminated
from dfsynth.errors import DfsynthError


@pytest.mark.parametrize(
    ("ending", "status", "line"),
    [(KeyboardInterrupt, 130, "interrupted;"), (Terminated, 143, "terminated;")],
)
@pytest.mark.parametrize("error", [RuntimeError("release unlocked lock"), DfsynthError("full")])
def test_an_error_that_came_of_a_signal_is_told_as_the_signal(ending, status, line, error, capsys):
    """As where the signal is raised in the middle of a library's locks or of clearing up."""

    def end():
        try:
            raise ending
        finally:
            raise error

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(typer.Exit) as found, console_of(False, False, False):
        end()
    assert found.value.exit_code == status
    assert capsys.readouterr().err.startswith(line)
    assert signal.getsignal(signal.SIGTERM) == before


def test_an_error_of_its_own_stays_one():
    with pytest.raises(ZeroDivisionError), console_of(False, False, False):
        raise ZeroDivisionError
