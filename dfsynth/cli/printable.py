"""Log records, made harmless for a terminal."""

import logging

from dfsynth.printable_text import printable


class PrintableFormatter(logging.Formatter):
    """Formats log records, their tracebacks too, so that they are harmless for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        return printable(super().format(record))
