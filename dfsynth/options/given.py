"""What the options of all jobs have in common: how they come from what people write."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

from dfsynth.options.coercion import Coercion, coerce


class GivenOptions:
    """Options of a job, a frozen dataclass, whose fields people write as texts and numbers."""

    __slots__ = ()
    _coercions: ClassVar[Mapping[str, Coercion]] = MappingProxyType({})
    """Field → what makes its value of what was written; others are taken as they are."""
    _renamed: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Names of version 0.1 → today's."""

    @classmethod
    def of(cls, **given: Any) -> Self:
        """The options as people write them, such as a path as a text or a size as "947x956".

        Raises:
            UsageError: a value that its option cannot take, or options that do not go together.
            TypeError: an option that does not exist.
        """
        return cls(**coerce(given, cls._coercions, cls._renamed))
