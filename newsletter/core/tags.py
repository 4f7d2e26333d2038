"""Lists of tags (RFC 6376, 3.2): the form of DKIM keys, of signatures and of DMARC records."""

from __future__ import annotations


def read_tags(text: str) -> dict[str, str]:
    """Return the tags of a list such as `v=DKIM1; k=rsa; p=…`, with names in lower case.

    Raises:
        ValueError: a part of it is no tag, or a tag is there twice.
    """
    tags: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        if not part.strip():
            continue
        if not equals or not name:
            raise ValueError(f"{part.strip()[:40]!r} is no tag: write name=value")
        if name in tags:
            raise ValueError(f"the tag {name[:40]!r} is there twice")
        tags[name] = value.strip()
    return tags
