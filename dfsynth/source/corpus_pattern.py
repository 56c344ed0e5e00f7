"""Patterns of paths with named parts: `files/p*/p{subject_id}/s{study_id}/{dicom_id}.jpg`."""

import re
from dataclasses import dataclass
from typing import Final

_LONGEST_NAME_BYTES: Final = 255
_LONGEST_PATH_BYTES: Final = 4095
"""As file systems have it; they refuse even to look for what is longer."""
_WILD: Final = re.compile(r"\{\w+\}|\*")
_TOKEN: Final = re.compile(r"\{(\w+)\}|(\*+)|([^{}*]+)")
OWN_NAMES: Final = ("path", "folder", "file_name", "stem")
"""What every image has, whatever its pattern names."""


@dataclass(frozen=True, slots=True)
class CorpusPattern:
    """Which paths below a root are images, and what their parts are called.

    `*` and `{name}` stand for any part of one folder's or file's name, and never for nothing in
    the case of `{name}`; `**` for any folders, or none. Case matters but for the suffix.
    """

    text: str
    regex: re.Pattern[str]
    names: tuple[str, ...]
    suffix: str
    """In lower case, with its dot; empty where the pattern leaves it open."""

    @classmethod
    def parse(cls, text: str) -> "CorpusPattern":
        """Reads a pattern.

        Raises:
            ValueError: it leads out of the root, or a name is no word, comes twice, or is one of
                `OWN_NAMES`; the message is half a sentence on what was expected.
        """
        found = re.search(r"\.[^.{}*/]+$", text)
        suffix = found.group().lower() if found else ""
        parts = names_below_root(text[: len(text) - len(suffix)] + suffix, "images/{patient}/*.png")
        if parts[-1] == "**":
            parts.append("*")
        regex = "".join(
            "(?:[^/]+/)*" if part == "**" else _part(part) + "/" for part in parts[:-1]
        ) + _part(parts[-1])
        names = tuple(re.findall(r"\{(\w+)\}", text))
        if len(set(names)) < len(names) or set(names) & set(OWN_NAMES):
            raise ValueError(
                f"names in braces that come once each and are none of {', '.join(OWN_NAMES)}"
            )
        return cls(text, re.compile(regex), names, suffix)

    @property
    def beginning(self) -> str:
        """What all paths that fit begin with, the suffix's case aside."""
        return _WILD.split(self.text, maxsplit=1)[0].removesuffix(self.suffix)

    def match(self, path: str) -> tuple[str, ...] | None:
        """The named parts of a path, in the order of `names`; None where it does not fit."""
        cut = len(path) - len(self.suffix)
        if self.suffix and path[cut:].lower() != self.suffix:
            return None
        found = self.regex.fullmatch(path[:cut] + self.suffix)
        return None if found is None else found.groups()


def names_below_root(text: str, example: str) -> list[str]:
    """The names on a path below the root, with `/` between them.

    Raises:
        ValueError: it leads elsewhere, or no file can be called so; the message is half a sentence
            on what was expected.
    """
    names = text.split("/")
    if any(name in ("", ".", "..") for name in names):
        raise ValueError(f"a path below the root with /, such as {example}")
    literal = _WILD.sub("", text).encode()
    longest = max(map(len, literal.split(b"/")))
    if longest > _LONGEST_NAME_BYTES or len(literal) > _LONGEST_PATH_BYTES:
        raise ValueError(
            f"a path of at most {_LONGEST_PATH_BYTES} bytes whose names have at most "
            f"{_LONGEST_NAME_BYTES}"
        )
    return names


def _part(text: str) -> str:
    """The expression for the name of one folder or file."""
    written = []
    end = 0
    for found in _TOKEN.finditer(text):
        if found.start() != end:
            break
        end = found.end()
        name, star, literal = found.groups()
        if name:
            written.append("([^/]+?)")
        else:
            written.append("[^/]*" if star else re.escape(literal))
    if end != len(text):
        raise ValueError("names in braces such as {patient}, made of letters, digits and _")
    return "".join(written)
