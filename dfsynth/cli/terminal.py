"""What the terminal at the other end can do: colours, and bars that are drawn anew.

As other programs have it: NO_COLOR, not empty, means no colour; else FORCE_COLOR means colour even
into a file; TERM=dumb means neither colour nor bars.
"""

from typing import TextIO


def coloured(text: str, colour: str, stream: TextIO) -> str:
    """`text` in a colour of rich's, where `stream` shows colours; else as it is."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, soft_wrap=True)
    if console.no_color or console.color_system is None:
        return text
    with console.capture() as drawn:
        console.print(Text(text, colour), end="")
    return drawn.get()


def shows_bars(stream: TextIO) -> bool:
    """Whether somebody looks at `stream`, on a terminal that can go back in its lines."""
    from rich.console import Console

    return stream.isatty() and not Console(file=stream).is_dumb_terminal
