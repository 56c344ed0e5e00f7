"""`dfsynth sources`."""

from dfsynth.cli.options import Json, Quiet, Verbose
from dfsynth.cli.session import session

EXAMPLE = "Example: dfsynth sources"


def sources(json: Json = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """List the known corpora: licence, layout, size, and how to obtain them."""
    with session(json, quiet, verbose) as talk:
        import dataclasses

        from dfsynth.source import known_corpora

        corpora = known_corpora()
        blocks = []
        for corpus in corpora:
            facts = dataclasses.asdict(corpus)
            name = facts.pop("name")
            width = max(map(len, facts))
            lines = [f"{key:<{width}}  {_plain(value)}" for key, value in facts.items()]
            blocks.append("\n  ".join([name, *lines]))
        talk.result([dataclasses.asdict(c) for c in corpora], "\n\n".join(blocks))


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
