"""What a command says when it fails."""


def one_line(err: str) -> str:
    """The error's line in stderr; a traceback or a second line of error is a failure."""
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]
