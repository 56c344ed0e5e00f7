"""Entries of a JSON object, each taken with its type checked."""

import math
from collections.abc import Sequence
from typing import Any, Self, TypeVar

_Choice = TypeVar("_Choice", bound=str)


class Entries:
    """A JSON object whose entries are taken one by one; `finish` refuses what is left.

    The messages of the errors are sentence parts that name the entry.
    """

    def __init__(self, found: object, where: str) -> None:
        """Takes up a parsed JSON value; `where` is what messages call it.

        Raises:
            ValueError: it is no object.
        """
        if not isinstance(found, dict):
            raise ValueError(f"{where} is no object with entries")
        self._left: dict[str, object] = dict(found)

    def finish(self) -> None:
        """Refuses entries that were not taken.

        Raises:
            ValueError: there are such entries; the message names them.
        """
        if self._left:
            raise ValueError(f"unknown entries: {', '.join(map(repr, sorted(self._left)))}")

    def has(self, name: str) -> bool:
        """Whether there is an entry of this name that was not taken yet."""
        return name in self._left

    def table(self, name: str) -> Self:
        """Takes an object, whose own entries are then taken from what is returned.

        Raises:
            ValueError: it is missing, or no object.
        """
        return type(self)(self._take(name), name)

    def mapping(self, name: str) -> dict[str, Any]:
        """Takes an object as it is, whatever its entries.

        Raises:
            ValueError: it is missing, or no object.
        """
        found = self._take(name)
        if not isinstance(found, dict):
            raise self._misfit(name, "an object")
        return found

    def numbers(self, name: str) -> dict[str, float]:
        """Takes an object whose entries are finite numbers.

        Raises:
            ValueError: it is missing, or something else.
        """
        found = self.mapping(name)
        return {key: self._real(f"{name}.{key}", value) for key, value in found.items()}

    def text(self, name: str) -> str:
        """Takes a text.

        Raises:
            ValueError: it is missing, or no text.
        """
        found = self._take(name)
        if not isinstance(found, str) or not _is_text(found):
            raise self._misfit(name, "text")
        return found

    def choice(self, name: str, known: Sequence[_Choice], otherwise: _Choice) -> _Choice:
        """Takes one of the texts `known`; gives `otherwise` where the entry is missing.

        Raises:
            ValueError: it is none of them.
        """
        if not self.has(name):
            return otherwise
        found = self._take(name)
        for choice in known:
            if choice == found:
                return choice
        raise self._misfit(name, f"one of {', '.join(known)}")

    def truth(self, name: str) -> bool:
        """Takes true or false.

        Raises:
            ValueError: it is missing, or neither.
        """
        found = self._take(name)
        if not isinstance(found, bool):
            raise self._misfit(name, "true or false")
        return found

    def real(self, name: str) -> float:
        """Takes a finite number.

        Raises:
            ValueError: it is missing, or something else.
        """
        return self._real(name, self._take(name))

    def whole(self, name: str) -> int:
        """Takes a whole number of 1 or more.

        Raises:
            ValueError: it is missing, or something else.
        """
        return self._whole(name, self._take(name))

    def reals(self, name: str) -> tuple[float, ...]:
        """Takes a list of finite numbers.

        Raises:
            ValueError: it is missing, or something else.
        """
        return tuple(self._real(name, value) for value in self._list(name))

    def wholes(self, name: str) -> tuple[int, ...]:
        """Takes a list of whole numbers of 1 or more.

        Raises:
            ValueError: it is missing, or something else.
        """
        return tuple(self._whole(name, value) for value in self._list(name))

    def text_tables(self, name: str) -> tuple[dict[str, str], ...]:
        """Takes a list of objects whose entries are texts.

        Raises:
            ValueError: it is missing, or something else.
        """
        found: list[dict[str, str]] = []
        for row in self._list(name):
            if not isinstance(row, dict) or not all(
                isinstance(v, str) and _is_text(v) for v in row.values()
            ):
                raise self._misfit(name, "a list of objects of text")
            found.append(row)
        return tuple(found)

    def tables(self, name: str) -> tuple[Self, ...]:
        """Takes a list of objects, whose own entries are then taken; none where it is missing.

        Raises:
            ValueError: it is no list of objects.
        """
        rows = self._list(name) if self.has(name) else []
        return tuple(type(self)(row, f"a row of {name!r}") for row in rows)

    def _take(self, name: str) -> object:
        if not self.has(name):
            raise ValueError(f"the entry {name!r} is missing")
        return self._left.pop(name)

    def _list(self, name: str) -> list[object]:
        found = self._take(name)
        if not isinstance(found, list):
            raise self._misfit(name, "a list")
        return found

    def _whole(self, name: str, found: object) -> int:
        if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found < 2**31:
            raise self._misfit(name, "whole numbers of 1 or more")
        return found

    def _real(self, name: str, found: object) -> float:
        if isinstance(found, float) and math.isfinite(found):
            return found
        if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 2**53:
            return float(found)
        raise self._misfit(name, "finite numbers")

    @staticmethod
    def _misfit(name: str, expected: str) -> ValueError:
        return ValueError(f"the entry {name!r} is not {expected}")


def _is_text(found: str) -> bool:
    """Whether a text can be written again: JSON spells halves of characters that UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in found)
