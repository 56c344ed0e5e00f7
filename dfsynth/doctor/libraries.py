"""The libraries that dfsynth needs, and those of its extras, as this environment has them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import (
    PackageNotFoundError,
    metadata,
    packages_distributions,
    requires,
    version,
)
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dfsynth.doctor.anonymous import without_folders
from dfsynth.doctor.findings import Extra, Library

_PACKAGE: Final = "dfsynth"
_NO_CHOICE: Final = frozenset({"all", "dev", "docs"})
"""Extras that gather others, or are for developers."""


def find_libraries() -> tuple[Library, ...]:
    """What every installation needs, each of them loaded; none where dfsynth is not installed."""
    modules = _modules_by_distribution()
    needed = [each for each in _requirements() if not _of_an_extra(each)]
    return tuple(_find_library(each, modules) for each in needed)


def find_extras() -> tuple[Extra, ...]:
    """The extras for users, by name; none where dfsynth is not installed."""
    try:
        names = metadata(_PACKAGE).get_all("Provides-Extra") or []
    except PackageNotFoundError:
        return ()
    found = (_find_extra(name) for name in sorted(set(names) - _NO_CHOICE))
    return tuple(extra for extra in found if extra is not None)


def load_problem(modules: Sequence[str]) -> str | None:
    """Why one of these modules cannot be loaded, without any folder; None where all can."""
    for name in modules:
        try:
            import_module(name)
        except (ImportError, OSError, RuntimeError) as error:
            kind, text = type(error).__name__, without_folders(str(error))
            return f"it cannot be loaded: {kind}: {text}"
    return None


def _find_library(needed: Requirement, modules: Mapping[str, Sequence[str]]) -> Library:
    found = _installed_version(needed.name)
    expected = str(needed.specifier)
    problem = None
    if found is None:
        problem = "it is not installed"
    elif not needed.specifier.contains(found, prereleases=True):
        problem = f"version {found} was found"
    else:
        problem = load_problem(modules.get(canonicalize_name(needed.name), ()))
    if problem is not None:
        problem = (
            f"{needed.name}: {problem}, expected {expected}; run: "
            f"pip install --upgrade '{needed.name}{expected}'"
        )
    return Library(needed.name, found, expected, problem)


def _find_extra(name: str) -> Extra | None:
    """None for an extra that only gathers others."""
    needed = [each for each in _requirements() if _of_an_extra(each, name)]
    if not needed:
        return None
    missing = tuple(f"{each.name}{each.specifier}" for each in needed if not _is_satisfied(each))
    return Extra(name, not missing, missing, f"pip install '{_PACKAGE}[{name}]'")


def _requirements() -> Iterator[Requirement]:
    try:
        lines: Iterable[str] = requires(_PACKAGE) or ()
    except PackageNotFoundError:
        return
    for line in lines:
        needed = Requirement(line)
        if needed.name != _PACKAGE:
            yield needed


def _of_an_extra(needed: Requirement, name: str | None = None) -> bool:
    """Whether it belongs to this extra, or to any."""
    if needed.marker is None:
        return False
    if name is not None:
        return needed.marker.evaluate({"extra": name})
    return not needed.marker.evaluate({"extra": ""})


def _is_satisfied(needed: Requirement) -> bool:
    found = _installed_version(needed.name)
    return found is not None and needed.specifier.contains(found, prereleases=True)


def _installed_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _modules_by_distribution() -> dict[str, list[str]]:
    """Distribution → the module to load of it: that of its own name, or all public ones."""
    found: dict[str, list[str]] = {}
    for module, distributions in packages_distributions().items():
        if module.isidentifier() and not module.startswith("_"):
            for distribution in distributions:
                found.setdefault(canonicalize_name(distribution), []).append(module)
    for distribution, modules in found.items():
        own = distribution.replace("-", "_")
        if own in modules:
            found[distribution] = [own]
    return found
