"""Counts with their nouns, as people say them."""


def counted(count: int, one: str, many: str | None = None, grouped: bool = False) -> str:
    """Says how many: `1 image`, `2 images`.

    Args:
        count: How many there are.
        one: What follows of one: a noun, or more of the sentence, such as `image is`.
        many: What follows of none or several; None for `one` with an s at its end.
        grouped: Whether thousands have commas.
    """
    words = one if count == 1 else many or f"{one}s"
    return f"{count:,} {words}" if grouped else f"{count} {words}"
