"""`python -m bridge.cli` is the command `mahnbridge`."""

from bridge.cli import main

main()
