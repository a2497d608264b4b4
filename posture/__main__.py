"""Run the command line: ``python -m posture``."""

from posture.cli import main

main()
