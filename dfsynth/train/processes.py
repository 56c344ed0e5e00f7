"""One process or several: what a launcher such as torchrun sets, and what all agree on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError


@dataclass(frozen=True, slots=True)
class Processes:
    """This process's place among those that train together."""

    rank: int = 0
    world_size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    def check_batch(self, batch: int) -> None:
        """Requires a batch in equal parts, or averaged gradients would not be the batch's.

        Raises:
            UsageError: the batch cannot be split evenly.
        """
        if batch % self.world_size:
            raise UsageError(
                f"batch = {batch} cannot be split evenly over "
                f"{counted(self.world_size, 'process', 'processes')}; use "
                f"{max(batch // self.world_size, 1) * self.world_size}"
            )

    def all_true(self, here: bool, device: torch.device) -> bool:
        """Whether `here` is true in every process."""
        if self.world_size == 1:
            return here
        flag = torch.tensor(float(here), device=device)
        dist.all_reduce(flag, dist.ReduceOp.MIN)
        return bool(flag)

    def largest(self, here: int, device: torch.device) -> int:
        """Gives the largest `here` of all processes."""
        if self.world_size == 1:
            return here
        largest = torch.tensor(here, device=device)
        dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest)

    def share(self, module: nn.Module, device: torch.device) -> nn.Module:
        """Wraps a module so that its gradients are averaged; one that is frozen stays as it is."""
        if self.world_size == 1:
            return module
        if not any(p.requires_grad for p in module.parameters()):
            return module
        devices = [device.index] if device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=devices)

    def average(self, value: Tensor) -> Tensor:
        """Averages a tensor of any shape over the processes."""
        if self.world_size == 1:
            return value
        total = value.detach().clone()
        dist.all_reduce(total)
        return total / self.world_size

    def wait(self) -> None:
        """Waits until all processes are here."""
        if self.world_size > 1:
            dist.barrier()


@contextmanager
def join_processes(device: torch.device) -> Iterator[Processes]:
    """Joins the processes that a launcher started with RANK and WORLD_SIZE; one without them.

    They communicate by NCCL on GPUs and by gloo on CPUs.

    Raises:
        UsageError: a variable of the launcher is no whole number.
    """
    rank, world_size = _whole_number("RANK", 0), _whole_number("WORLD_SIZE", 1)
    if world_size == 1:
        yield Processes()
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(rank, world_size)
    finally:
        dist.destroy_process_group()


def place_of_process(device: torch.device) -> torch.device:
    """Gives the GPU of this process, where a launcher started several; else `device` itself.

    Raises:
        UsageError: the launcher started more processes here than there are GPUs.
    """
    if device.type != "cuda" or _whole_number("WORLD_SIZE", 1) == 1:
        return device
    local, count = _whole_number("LOCAL_RANK", 0), torch.cuda.device_count()
    if local >= count:
        raise UsageError(
            f"process {local} of this machine has no GPU: there are {count}; start at most "
            f"{counted(count, 'process', 'processes')} here, --nproc-per-node {count}"
        )
    return torch.device("cuda", local)


def is_first_process() -> bool:
    """Whether this process reports and writes, before the processes are joined."""
    return os.environ.get("RANK", "0") == "0"


def _whole_number(name: str, usual: int) -> int:
    text = os.environ.get(name, str(usual))
    try:
        return int(text)
    except ValueError as error:
        raise UsageError(
            f"{name}={text} is no whole number; start several processes by torchrun"
        ) from error
