"""What files say, made harmless for a terminal: texts and log records."""

import logging

from dfsynth.printable_text import printable

__all__ = ["PrintableFormatter", "printable"]


class PrintableFormatter(logging.Formatter):
    """Formats log records, their tracebacks too, so that they are harmless for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        return printable(super().format(record))
