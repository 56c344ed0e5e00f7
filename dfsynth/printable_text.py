"""What files say, made harmless for whoever shows it."""

import json


def printable(text: str) -> str:
    """`text` with each character that a terminal might act upon written as in JSON, `\\u001b`.

    Ids, findings, names in archives and header values come from files, and may hold escape
    sequences, characters that turn the direction of writing, or bytes that are no text. Line ends
    stay, and JSON stays the same JSON.
    """
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
