"""Patterns of paths: `*`, `?`, `[abc]` in one name, `**` across folders, `{a,b}` and `{00..12}`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from dfsynth.errors import UsageError

_MAGIC: Final = re.compile(r"[*?\[{]")
_BRACES: Final = re.compile(r"\{([^{}]*)\}")
_RANGE: Final = re.compile(r"(\d+)\.\.(\d+)")
_DEEP: Final = "**"
_ANY_FOLDERS: Final = "(?:[^/]+/)*"
_MOST_ALTERNATIVES: Final = 100_000


@dataclass(frozen=True)
class GlobPattern:
    """A pattern of paths with `/` below a folder.

    Raises:
        UsageError: it stands for too many paths, or holds a class of characters that is none.
    """

    text: str

    def __post_init__(self) -> None:
        try:
            self.matches("")
        except re.error as error:
            raise UsageError(
                f"the pattern {self.text!r} cannot be read: {error}; expected *, ?, ** and classes "
                "such as [a-z] or [!0-9]"
            ) from None

    @property
    def is_deep(self) -> bool:
        """Whether it reaches any depth of folders."""
        return any(part.startswith(_DEEP) for part in self.text.split("/"))

    @property
    def beginning(self) -> str:
        """What all paths that fit begin with."""
        return _MAGIC.split(self.text, maxsplit=1)[0]

    def matches(self, path: str) -> bool:
        """Whether the whole of `path` fits."""
        return self._whole.fullmatch(path) is not None

    def may_hold(self, folder: str) -> bool:
        """Whether a path below `folder`, given with its last `/`, may fit."""
        names = folder.split("/")[:-1]
        return any(_leads_on(parents, names) for parents in self._parents)

    def literal_paths(self) -> tuple[str, ...]:
        """The paths that braces name one by one, each of which should be there."""
        return tuple(path for path in self._alternatives if not _MAGIC.search(path))

    @cached_property
    def _alternatives(self) -> tuple[str, ...]:
        """The pattern without braces, once for each way to read them."""
        return tuple(_expanded(self.text))

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        return re.compile("|".join(map(_expression, self._alternatives)))

    @cached_property
    def _parents(self) -> frozenset[tuple[str, ...]]:
        """Names of the folders on the way, and what is behind the last `/`, if that is deep."""
        ways = (one.split("/") for one in self._alternatives)
        return frozenset((*way[:-1], _DEEP if way[-1].startswith(_DEEP) else "") for way in ways)


def is_pattern(text: str) -> bool:
    """Whether there is anything in `text` that stands for more than itself."""
    return _MAGIC.search(text) is not None


def split_pattern(text: str) -> tuple[str, GlobPattern]:
    """The folder that all matches lie below, "" for none, and the pattern below it."""
    parts = text.split("/")
    first = next(place for place, part in enumerate(parts) if _MAGIC.search(part))
    folder = "/".join(parts[:first])
    if first and not folder:
        folder = "/"
    return folder, GlobPattern("/".join(parts[first:]))


def _expanded(text: str) -> list[str]:
    waiting, found = [text], []
    while waiting:
        one = waiting.pop()
        braces = _BRACES.search(one)
        if braces is None:
            found.append(one)
            continue
        waiting += [one[: braces.start()] + a + one[braces.end() :] for a in _choices(braces[1])]
        if len(waiting) + len(found) > _MOST_ALTERNATIVES:
            raise UsageError(
                f"the pattern {text!r} stands for more than {_MOST_ALTERNATIVES} paths; expected "
                "fewer in its braces; use * in their place"
            )
    return sorted(found)


def _choices(inside: str) -> Iterator[str]:
    """`a,b` → a, b; `08..10` → 08, 09, 10, as long as their first."""
    if numbers := _RANGE.fullmatch(inside):
        low, high = int(numbers[1]), int(numbers[2])
        width = len(numbers[1]) if numbers[1].startswith("0") else 0
        for number in range(low, min(high, low + _MOST_ALTERNATIVES) + 1):
            yield f"{number:0{width}d}"
    else:
        yield from inside.split(",")


def _leads_on(parts: tuple[str, ...], names: list[str]) -> bool:
    """Whether `names` are folders on the way to what the pattern of `parts` names."""
    for part, name in zip(parts[:-1], names, strict=False):
        if part.startswith(_DEEP):
            return True
        if re.fullmatch(_component(part), name) is None:
            return False
    return len(names) < len(parts) or parts[-1].startswith(_DEEP)


def _expression(pattern: str) -> str:
    *folders, last = pattern.split("/")
    way = (_ANY_FOLDERS if part == _DEEP else _component(part) + "/" for part in folders)
    return "".join(way) + _component(last)


def _component(part: str) -> str:
    """An expression for one name; `**` at its start stands for folders before it too."""
    deep = _ANY_FOLDERS if part.startswith(_DEEP) else ""
    return deep + "".join(_characters(part.replace(_DEEP, "*")))


def _characters(part: str) -> Iterator[str]:
    place = 0
    while place < len(part):
        character = part[place]
        closing = part.find("]", place + 2)
        if character == "*":
            yield "[^/]*"
        elif character == "?":
            yield "[^/]"
        elif character == "[" and closing > 0:
            inside = part[place + 1 : closing]
            negated = inside.startswith("!")
            yield f"[{'^/' if negated else ''}{_class(inside[negated:])}]"
            place = closing
        else:
            yield re.escape(character)
        place += 1


def _class(inside: str) -> str:
    return re.sub(r"([\\\[\]^&~|])", r"\\\1", inside)
