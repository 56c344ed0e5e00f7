"""Facts with a hanging indent, as people read them in a terminal."""

import textwrap


def hanging_lines(
    label: str, text: str, label_width: int, columns: int, indent: int = 0
) -> list[str]:
    """`text` behind `label`, in lines of `columns`; words, addresses among them, stay whole."""
    return textwrap.wrap(
        text,
        columns,
        initial_indent=f"{'':{indent}}{label:<{label_width}}",
        subsequent_indent=" " * (indent + label_width),
        break_long_words=False,
        break_on_hyphens=False,
    )
