"""What all commands have without saying so: their exit statuses in `--help`."""

from typing import Any

from typer.core import TyperGroup

from dfsynth.errors import ExitStatus


class DfsynthGroup(TyperGroup):
    """A group that says behind each command's example with which statuses it may end."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for command in (self, *self.commands.values()):
            if not isinstance(command, DfsynthGroup) or command is self:
                parts = (command.epilog, describe_statuses(command))
                command.epilog = "\n\n".join(filter(None, parts))


def statuses_of(command: Any) -> list[ExitStatus]:
    """The statuses with which a command may end, by their numbers."""
    strict = any("--strict" in parameter.opts for parameter in command.params)
    return [each for each in ExitStatus if strict or each is not ExitStatus.SOME_IMAGES_FAILED]


def describe_statuses(command: Any) -> str:
    """`Exit status: 0 done; 1 …`, for people."""
    return (
        "Exit status: "
        + "; ".join(f"{each.value} {each.meaning}" for each in statuses_of(command))
        + "."
    )
