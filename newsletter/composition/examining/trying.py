"""A mail to the operator, in the name of the first list, which is read back."""

from __future__ import annotations

import secrets

from newsletter import bootstrap
from newsletter.bootstrap import utc_now
from newsletter.composition.examining.parts import Parts
from newsletter.core.diagnosis import Diagnosis, warn
from newsletter.core.tokens import Links
from newsletter.operations.doctor.trial import Trial
from newsletter.operations.doctor.trial_mail import TrialMails
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.mime.signing import Signer


async def send_and_look(parts: Parts, send_to: str) -> list[Diagnosis]:
    """Send a mail to an address, and return what became of it."""
    of = parts.settings
    if not parts.lists:
        return [warn("test-mail", "not sent, as no list file could be read", "mend the list files first")]
    mails = TrialMails(
        masthead=parts.lists[0].masthead,
        links=Links(of.web.public_url, bootstrap.secret_key(of)),
        templates=TemplateRenderer(bootstrap.own_templates(of), bootstrap.packaged_templates()),
        signer=Signer(of.dkim.domain, *parts.keys) if parts.keys else None,
    )
    mail = mails.mail(send_to, word=f"t{secrets.token_hex(6)}", now=utc_now())
    trial = Trial(mailer=parts.relaying.mailer, inbox=parts.imap(), domain=of.dkim.domain, keys=parts.keys)
    return await trial.made(mail)
