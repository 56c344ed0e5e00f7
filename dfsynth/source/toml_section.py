"""One table of a TOML file, read key by key and checked strictly."""

import difflib
from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from dfsynth.errors import UsageError

Parsed = TypeVar("Parsed")


class TomlSection:
    """One table of a corpus file; it remembers which keys were asked for.

    Errors name the place, what was found, and what was expected.
    """

    def __init__(self, file: str, place: str, content: Mapping[str, object] | None) -> None:
        self.given = content is not None
        self.content: Mapping[str, object] = content or {}
        self._file = file
        self._place = place
        self._asked: list[str] = []

    def _get(self, key: str) -> object:
        self._asked.append(key)
        return self.content.get(key)

    def wrong(self, key: str, found: str, expected: str) -> UsageError:
        """The error for a value that does not fit."""
        return UsageError(
            f"the corpus file {self._file} is wrong at {self._place}{key}: found {found}; "
            f"expected {expected}"
        )

    def text(self, key: str, default: str | None = None) -> str:
        """A text without outer blanks; one that must be given holds something.

        Raises:
            UsageError: it is something else, or missing.
        """
        value = self._get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.wrong(key, _shown(value), "a text")
        return value.strip()

    def marks(self, key: str, default: str) -> str:
        """A text of at least one character, blanks included.

        Raises:
            UsageError: it is something else.
        """
        value = self._get(key)
        if value is None:
            return default
        if not isinstance(value, str) or not value:
            raise self.wrong(key, _shown(value), "a text of at least one character")
        return value

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts, or one text.

        Raises:
            UsageError: it is something else, or missing.
        """
        value = self._get(key)
        if value is None and default is not None:
            return default
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(v, str) and v for v in listed):
            raise self.wrong(key, _shown(value), 'a text or a list of texts such as ["…"]')
        if not listed:
            raise self.wrong(key, "[]", "at least one text")
        return tuple(listed)

    def parsed(
        self, key: str, parse: Callable[[str], Parsed], default: tuple[str, ...] | None = None
    ) -> tuple[Parsed, ...]:
        """Texts, each in the form that `parse` reads; its ValueError says what was expected.

        Raises:
            UsageError: it is something else, or missing.
        """
        found = []
        for text in self.texts(key, default):
            try:
                found.append(parse(text))
            except ValueError as error:
                raise self.wrong(key, repr(text), str(error)) from None
        return tuple(found)

    def number(self, key: str, default: float | None = None) -> float | None:
        """A positive number.

        Raises:
            UsageError: it is something else.
        """
        value = self._get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e15:
            raise self.wrong(key, _shown(value), "a positive number")
        return value

    def whole(self, key: str) -> int | None:
        """A positive whole number.

        Raises:
            UsageError: it is something else.
        """
        number = self.number(key)
        if number is not None and number != int(number):
            raise self.wrong(key, repr(number), "a whole number")
        return None if number is None else int(number)

    def flag(self, key: str, default: bool) -> bool:
        """True or false.

        Raises:
            UsageError: it is something else.
        """
        value = self._get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(key, _shown(value), "true or false")
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One text out of several.

        Raises:
            UsageError: it is something else, or missing.
        """
        value = self.text(key, default)
        if value not in allowed:
            raise self.wrong(key, repr(value), f"one of {', '.join(allowed)}")
        return value

    def words(self, key: str) -> Mapping[str, str]:
        """A table of texts by any name.

        Raises:
            UsageError: it is something else.
        """
        value = self._get(key)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise self.wrong(key, _shown(value), f"a table of texts [{self._place}{key}]")
        return cast(dict[str, str], value)

    def section(self, key: str, required: bool = False) -> "TomlSection":
        """The table below a key.

        Raises:
            UsageError: it is something else, or missing.
        """
        value = self._get(key)
        if (value is None and required) or not isinstance(value, dict | None):
            raise self.wrong(key, _shown(value), f"a table [{self._place}{key}]")
        return TomlSection(self._file, f"{self._place}{key}.", value)

    def sections(self, key: str) -> list["TomlSection"]:
        """The tables below a key that may come several times.

        Raises:
            UsageError: it is something else.
        """
        value = self._get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
            raise self.wrong(key, _shown(value), f"tables [[{self._place}{key}]]")
        return [
            TomlSection(self._file, f"{self._place}{key}[{number}].", part)
            for number, part in enumerate(value)
        ]

    def require_all_known(self) -> None:
        """Requires that every key was asked for.

        Raises:
            UsageError: an unknown key, with the nearest that exists.
        """
        self.require_known(tuple(self._asked))

    def require_known(self, allowed: tuple[str, ...]) -> None:
        """Requires that every key is one of `allowed`.

        Raises:
            UsageError: an unknown key, with the nearest that exists.
        """
        for key in self.content:
            if key not in allowed:
                near = difflib.get_close_matches(key, allowed, 1)
                suggestion = f" (did you mean {near[0]}?)" if near else ""
                raise self.wrong(key, "an unknown key", f"one of {', '.join(allowed)}{suggestion}")


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(value)
