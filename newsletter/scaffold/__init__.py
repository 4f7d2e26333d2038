"""The files of a new working folder, for `newsletter init`."""

from newsletter.scaffold.folder import scaffold

__all__ = ["scaffold"]
