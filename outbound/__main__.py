"""``python -m outbound`` is the command line."""

from outbound.cli import main

main()
