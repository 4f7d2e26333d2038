"""The command line: `newsletter --help` shows it. Errors are one line on stderr and an exit code."""

from newsletter.cli.main import main

__all__ = ["main"]
