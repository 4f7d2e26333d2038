"""Checks run side by side: none waits for another one, and what goes wrong with one costs the others nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

import structlog

from newsletter.core.diagnosis import Diagnosis, fail, warn
from newsletter.core.errors import ConfigurationError, NewsletterError
from newsletter.core.text import one_line

log = structlog.get_logger(__name__)

_LONGEST = 600  # characters of a sentence
# Where the errors of the program begin to say what to do.
_ADVICE = re.compile(r"; (?=set |see |check |raise |remove |run |use |many |a port |no SMTP server |nothing was )")


class Check(NamedTuple):
    """A check: what its lines are called, and what makes them."""

    name: str
    run: Callable[[], Awaitable[Iterable[Diagnosis]]]


async def examined(checks: Sequence[Check], *, within: float) -> list[Diagnosis]:
    """Return what all checks say, in their order.

    Args:
        checks: they run at the same time.
        within: seconds, for all of them.
    """
    found = await asyncio.gather(*(_examined(check, within) for check in checks))
    return [diagnosis for of_check in found for diagnosis in of_check]


async def _examined(check: Check, within: float) -> list[Diagnosis]:
    try:
        async with asyncio.timeout(within):
            return list(await check.run())
    except TimeoutError:
        return [warn(check.name, f"not known within {within:g} seconds", "try again, and see what is slow")]
    except (NewsletterError, ConfigurationError) as error:
        return [failed(check.name, str(error))]
    except Exception as error:  # a defect of one check hides nothing of the others
        log.exception("check_is_defective", check=check.name)
        what = one_line(f"{type(error).__name__}: {error}", _LONGEST)
        return [fail(check.name, f"the check itself is defective: {what}", "report it, with what the log says")]


def failed(check: str, error: str, otherwise: str = "try again, and see what is wrong there") -> Diagnosis:
    """Return what an error of the program says, with its advice apart.

    Args:
        check: the name of the check.
        error: the text of the error.
        otherwise: what to do where the error does not say it.
    """
    says, _, do = _ADVICE.sub("\0", one_line(error, _LONGEST), count=1).partition("\0")
    return fail(check, says, do or otherwise)
