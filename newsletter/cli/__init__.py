"""The command line: `newsletter --help` shows it. Errors are one line on stderr and an exit code."""

try:
    from newsletter.cli.main import main
except KeyboardInterrupt:  # while libraries are loaded
    raise SystemExit(130) from None

__all__ = ["main"]
