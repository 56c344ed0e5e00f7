"""A device that is not there: tensors of the CPU that are kept apart from the CPU's own.

Inside `OtherDevice` all that is made on `DEVICE`, or moved there, counts as lying on it, and so
does what is computed from it. An operation that a real accelerator would refuse, or whose numbers
would differ from device to device, raises AssertionError.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.weak import WeakTensorKeyDictionary

DEVICE = torch.device("cuda", 0)
_CPU = torch.device("cpu")
_RANDOM = {
    *("rand", "randn", "randint", "randperm", "normal", "multinomial", "bernoulli"),
    *("rand_like", "randn_like", "randint_like", "normal_", "uniform_", "random_", "bernoulli_"),
}
_MOVES = {"to", "cpu", "copy_"}
_SETTERS = {"__getitem__", "__setitem__"}


class OtherDevice(TorchFunctionMode):
    """Follows every tensor by where it would lie."""

    def __init__(self) -> None:
        super().__init__()
        self._there: Any = WeakTensorKeyDictionary()
        self.tensors = 0
        """That have lain on the device."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        name = func.__name__
        # Properties are recognised by what they are bound to: each look gives another object.
        if func == torch.Tensor.device.__get__:
            return DEVICE if args[0] in self._there else _CPU
        leaves = tree_leaves((args, kwargs or {}))
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        named = [leaf for leaf in leaves if isinstance(leaf, torch.device)]
        lie_there = [tensor in self._there for tensor in tensors]
        goes_there = named[0].type == DEVICE.type if named else any(lie_there) and name != "cpu"
        assert not (name in _RANDOM and goes_there), f"{name} draws on the device"
        assert not (name in ("numpy", "__array__") and any(lie_there)), f"{name} of the device"
        if name not in _MOVES and not _may_meet(name, tensors, lie_there):
            raise AssertionError(f"{name} of tensors of the CPU and of the device")
        found = func(*_on_cpu(args), **_on_cpu(kwargs or {}))
        return tree_map(lambda leaf: self._place(leaf, goes_there), found)

    def _place(self, found: Any, goes_there: bool) -> Any:
        if not isinstance(found, torch.Tensor) or (found in self._there) == goes_there:
            return found
        if found in self._there:
            return found.clone()
        self.tensors += 1
        # What is moved stays where it was, too.
        there = found.view_as(found)
        self._there[there] = True
        return there


def _may_meet(name: str, tensors: list[torch.Tensor], lie_there: list[bool]) -> bool:
    """Accelerators take single numbers, and indices into their own, from the CPU."""
    if not any(lie_there) or all(lie_there):
        return True
    if name in _SETTERS:
        return lie_there[0]
    several = name in ("cat", "stack", "index_add_", "grid_sample", "einsum")
    elsewhere = [t for t, there in zip(tensors, lie_there, strict=True) if not there]
    return not several and all(tensor.dim() == 0 for tensor in elsewhere)


def _on_cpu(values: Any) -> Any:
    return tree_map(lambda leaf: _CPU if isinstance(leaf, torch.device) else leaf, values)
