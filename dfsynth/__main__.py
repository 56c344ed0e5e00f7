"""`python -m dfsynth`."""

from dfsynth.cli import main

main()
