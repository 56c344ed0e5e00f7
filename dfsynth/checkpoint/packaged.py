"""Which of the packaged checkpoints have heads that say how far their images can be trusted."""

from dfsynth.checkpoint.files import SCORES
from dfsynth.resources import data_folder


def checkpoints_with_scores() -> str:
    """A clause for messages: the names of the packaged checkpoints that fill the learned scores."""
    folders = data_folder("checkpoints").iterdir()
    names = sorted(folder.name for folder in folders if (folder / SCORES).is_file())
    if not names:
        return "no packaged checkpoint has them"
    return f"packaged checkpoints that have them: {', '.join(names)}"
