"""The file of `--log`: one JSON object a line, of what a command says and how it ends.

It holds sentences of dfsynth alone. Those of libraries, and tracebacks, may quote what files say,
those of patients too, and go to stderr at most.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

import typer

from dfsynth.errors import ExitStatus, UsageError
from dfsynth.printable_text import printable
from dfsynth.version import __version__

_LOG: Final = logging.getLogger("dfsynth.command")
"""What commands say; nothing of it is printed by way of the logger."""
_OURS: Final = logging.getLogger("dfsynth")
_FIELDS: Final = "fields"


class LogFile(logging.StreamHandler[TextIO]):
    """Appends lines, and flushes each; where that fails it says so once, and the job goes on."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("a", encoding="utf-8"))
        self.setFormatter(_LineFormatter())
        self._failed = False

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        try:
            self.stream.write(self.format(record) + self.terminator)
            self.flush()
        except OSError as error:
            self._complain(error)

    def close(self) -> None:
        """See `logging.Handler`."""
        try:
            self.stream.close()
        except OSError as error:
            self._complain(error)
        super().close()

    def _complain(self, error: OSError) -> None:
        if not self._failed:
            self._failed = True
            print(f"warning: the log cannot be written: {error.strerror}", file=sys.stderr)


class _LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        return printable(without_home(json.dumps(line, ensure_ascii=False, default=str)))


def open_log(path: Path) -> LogFile:
    """Opens a log to append to.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        return LogFile(path)
    except OSError as error:
        raise UsageError(
            f"--log {path}: cannot be written: {error.strerror}; expected a file in a folder that "
            "is there"
        ) from error


@contextmanager
def logged(file: LogFile | None) -> Iterator[None]:
    """While the body runs, what the command says goes to `file`, its beginning and end included."""
    if file is None:
        yield
        return
    before = _LOG.level, _LOG.propagate
    _LOG.setLevel(logging.INFO)
    _LOG.propagate = False
    for logger in (_LOG, _OURS):
        logger.addHandler(file)
    started = time.monotonic()
    status: int | None = None
    log_line("started", version=__version__, arguments=sys.argv[1:])
    try:
        yield
        status = ExitStatus.DONE
    except typer.Exit as ended:
        status = ended.exit_code
        raise
    finally:
        seconds = round(time.monotonic() - started, 3)
        if status is None:
            log_line("ended by a defect of dfsynth", logging.CRITICAL, seconds=seconds)
        else:
            meaning = next(each.meaning for each in ExitStatus if each == status)
            log_line(f"ended: {meaning}", status=int(status), seconds=seconds)
        for logger in (_LOG, _OURS):
            logger.removeHandler(file)
        _LOG.level, _LOG.propagate = before
        file.close()


def log_line(text: str, level: int = logging.INFO, /, **fields: object) -> None:
    """One line of the log, if there is one; `fields` are further entries of its object."""
    if _LOG.handlers:
        _LOG.log(level, "%s", text, extra={_FIELDS: fields})


def log_message(text: str) -> None:
    """A line of a job for people: a warning where it says so, else for information."""
    is_warning = text.startswith("warning")
    log_line(text, logging.WARNING if is_warning else logging.INFO)


def log_result(document: Mapping[str, Any]) -> None:
    """The command's result, as `--json` prints it."""
    log_line("result", result=document)


def without_home(text: str) -> str:
    """`text` with `~` in place of the folder of the person who runs the command."""
    home = str(Path.home())
    if home == "/":
        return text
    return re.sub(re.escape(home) + r"(?![\w.-])", "~", text)
