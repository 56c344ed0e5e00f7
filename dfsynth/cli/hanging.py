"""Facts with a hanging indent, as people read them in a terminal."""

import textwrap


def hanging_lines(
    label: str, text: str, label_width: int, columns: int, indent: int = 0
) -> list[str]:
    """`text` behind `label`, in lines of `columns`; words, addresses among them, stay whole."""
    return _wrap(
        text,
        columns,
        first=f"{'':{indent}}{label:<{label_width}}",
        others=" " * (indent + label_width),
    )


def wrapped_lines(line: str, columns: int) -> list[str]:
    """`line` in lines of `columns`, those after the first indented; words stay whole."""
    return _wrap(line, columns, first="", others="    ")


def _wrap(text: str, columns: int, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        text,
        columns,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
