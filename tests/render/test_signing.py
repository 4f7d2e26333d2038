from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ed448, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from structlog.testing import capture_logs

from newsletter.core.errors import ConfigurationError
from newsletter.render.mime.signing import OVERSIGNED, Signer, SigningKey
from newsletter.settings.dkim import signer as signer_of
from newsletter.settings.groups import DkimSettings, Settings
from tests.render import mails as make
from tests.services import need


def signer() -> Signer:
    return Signer("example.org", SigningKey("main", make.rsa_key()))


def signed(name: str = "Ann") -> bytes:
    return make.mail(to=make.delivery(name=name, topics=("agents",)), signer=signer())


def verifies(raw: bytes, index: int = 0) -> bool:
    try:
        return bool(dkim.DKIM(raw).verify(index, dnsfunc=make.dns))
    except dkim.ValidationError:
        return False


def test_an_independent_verifier_accepts_the_signature() -> None:
    assert verifies(signed())
    assert verifies(signed("Jürgen Groß, Bücherfreund und langjähriger Leser vieler Zeitungen"))


def test_header_fields_may_be_refolded_and_respaced_on_the_way() -> None:
    raw = signed()
    changed = raw.replace(b"Subject: ", b"SUBJECT:\r\n\t  ").replace(b"\r\nTo: Ann <", b"\r\nTO:  Ann\r\n   <")
    changed = changed.replace(b" c=relaxed/simple; d=", b"\r\n\tc=relaxed/simple;   d=")
    assert changed != raw
    assert verifies(changed)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Paper 0", b"Paper 9"),
        (b"To: Ann <reader@", b"To: Ann <other@"),
        (b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Two-Click"),
        (b"<https://papers.example.org/-/unsub", b"<https://evil.example.org/-/unsub"),
        (b"Feedback-ID: 2026", b"Feedback-ID: 2027"),
        (b"\r\nFrom: ", b"\r\nFrom: Another <another@example.org>\r\nFrom: "),
        (b"\r\nSubject: ", b"\r\nSubject: Another\r\nSubject: "),
        (b"--\r\n", b"--\r\n\r\nmore\r\n"),
    ],
)
def test_whatever_is_changed_breaks_the_signature(old: bytes, new: bytes) -> None:
    raw = signed()
    changed = raw.replace(old, new)
    assert changed != raw
    assert not verifies(changed)


def test_all_that_matters_is_signed_and_from_and_subject_once_more() -> None:
    [field] = re.findall(rb"DKIM-Signature: (.*?)\r\n(?! )", signed(), re.DOTALL)
    tags = dict(tag.split(b"=", 1) for tag in b"".join(field.split()).split(b";"))
    names = tags[b"h"].decode().split(":")
    assert {"To", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"} < set(names)
    assert [name for name in names if names.count(name) == 2] == list(OVERSIGNED) * 2
    assert (tags[b"v"], tags[b"a"], tags[b"c"]) == (b"1", b"rsa-sha256", b"relaxed/simple")
    assert b"l" not in tags


def test_the_same_message_has_the_same_signature() -> None:
    assert signed() == signed()


def test_a_second_signature_is_ed25519() -> None:
    keys = SigningKey("main", make.rsa_key()), SigningKey("second", make.ed25519_key())
    raw = make.mail(signer=Signer("example.org", *keys))
    assert re.findall(rb"DKIM-Signature: v=1; a=([a-z0-9-]+);", raw) == [b"rsa-sha256", b"ed25519-sha256"]
    assert verifies(raw, 0)
    assert verifies(raw, 1)
    assert not verifies(raw.replace(b"Paper 0", b"Paper 9"), 1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a key of either kind in a file."""
    (tmp_path / "rsa.pem").write_bytes(make.pem(make.rsa_key()))
    (tmp_path / "ed25519.pem").write_bytes(make.pem(make.ed25519_key()))
    dkim = DkimSettings(
        domain="example.org",
        selector="main",
        key_file=tmp_path / "rsa.pem",
        ed25519_selector="second",
        ed25519_key_file=tmp_path / "ed25519.pem",
    )
    return Settings(dkim=dkim)


def test_settings_name_one_key_or_two(settings: Settings) -> None:
    raw = make.mail(signer=signer_of(settings.dkim))
    assert verifies(raw, 0)
    assert verifies(raw, 1)
    first_alone = settings.dkim.model_copy(update={"ed25519_selector": "", "ed25519_key_file": None})
    raw = make.mail(signer=signer_of(first_alone))
    assert raw.count(b"DKIM-Signature:") == 1
    assert signer_of(DkimSettings()) is None


def test_a_key_file_that_changes_signs_from_then_on_and_one_that_is_wrong_is_held_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.settings.dkim._LOOK_AGAIN", 0)
    first_alone = settings.dkim.model_copy(update={"ed25519_selector": "", "ed25519_key_file": None})
    file = first_alone.key_file
    assert file is not None
    signer = signer_of(first_alone)
    file.write_bytes(make.pem(make.ed25519_key()))
    assert b"a=ed25519-sha256" in make.mail(signer=signer)
    file.write_text("half of a k")
    with capture_logs() as logs:
        for _ in range(2):
            assert b"a=ed25519-sha256" in make.mail(signer=signer)
        file.unlink()
        assert b"a=ed25519-sha256" in make.mail(signer=signer)
    assert [log["event"] for log in logs] == ["dkim_key_held_back"] * 2
    assert f"KEY_FILE: DKIM key {file} holds no private key" in logs[0]["reason"]
    file.write_bytes(make.pem(make.rsa_key()))
    assert verifies(make.mail(signer=signer), 0)


def test_the_second_key_is_no_rsa_key(settings: Settings) -> None:
    dkim = settings.dkim.model_copy(update={"ed25519_key_file": settings.dkim.key_file})
    with pytest.raises(ConfigurationError, match=r"rsa\.pem is no Ed25519 key"):
        signer_of(dkim)


@pytest.mark.parametrize("ending", [b"", b"\r\n", b"\r\n\r\n\r\n"])
def test_any_body_of_lines_is_signed_as_verifiers_see_it(ending: bytes) -> None:
    head = b"From: a@example.org\r\nSubject: folded\r\n\there\r\nReceived: x\r\nReceived: y\r\n"
    body = b"one\r\n\r\ntwo" + ending
    assert verifies(signer().prepare([head], body)() + head + b"\r\n" + body)


def test_keys_are_read_from_pem_files(tmp_path: Path) -> None:
    for name, key in (("rsa.pem", make.rsa_key()), ("ed25519.pem", make.ed25519_key())):
        (tmp_path / name).write_bytes(make.pem(key))
    assert SigningKey.load("main", tmp_path / "rsa.pem").algorithm == "rsa-sha256"
    assert SigningKey.load("second", tmp_path / "ed25519.pem").algorithm == "ed25519-sha256"


def test_a_file_that_holds_no_fit_key_is_named(tmp_path: Path) -> None:
    secret = make.rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    files = {
        "missing.pem": None,
        "text.pem": b"no key at all",
        "public.pem": make.pem(make.rsa_key()).replace(b"PRIVATE", b"PUBLIC"),
        "secret.pem": secret,
        "weak.pem": subprocess.run([need("openssl"), "genrsa", "512"], capture_output=True, check=True).stdout,
        "curve.pem": make.pem(generate_private_key(SECP256R1())),  # type: ignore[arg-type]  # the wrong kind
    }
    for name, content in files.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigurationError, match=name) as caught:
            SigningKey.load("main", tmp_path / name)
        assert "\n" not in str(caught.value)


def with_key(path: Path, content: bytes) -> Settings:
    path.write_bytes(content)
    return Settings(dkim=DkimSettings(domain="example.org", selector="main", key_file=path))


@pytest.mark.parametrize(("bits", "is_weak"), [(1024, True), (1536, True), (2048, False), (3072, False)])
def test_an_rsa_key_that_receivers_distrust_is_said_before_anything_is_sent(
    tmp_path: Path, bits: int, is_weak: bool
) -> None:
    key = rsa.generate_private_key(65537, bits)
    settings = with_key(
        tmp_path / "key.pem", key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    with capture_logs() as logs:
        assert signer_of(settings.dkim)
    assert [(log["log_level"], log["setting"]) for log in logs] == [
        ("warning", "NEWSLETTER_DKIM__KEY_FILE")
    ] * is_weak
    assert all(str(bits) in log["reason"] and "key.pem" in log["file"] for log in logs)


def test_an_ed25519_key_alone_is_said_and_as_a_second_one_is_not(tmp_path: Path, settings: Settings) -> None:
    with capture_logs() as logs:
        signer_of(settings.dkim)
    assert logs == []
    with capture_logs() as logs:
        signer_of(with_key(tmp_path / "key.pem", make.pem(make.ed25519_key())).dkim)
    assert [log["setting"] for log in logs] == ["NEWSLETTER_DKIM__KEY_FILE"]
    assert "Ed25519" in logs[0]["reason"]


@pytest.mark.parametrize("kind", ["P-256", "DSA", "Ed448", "X25519"])
def test_a_key_of_another_kind_is_an_error_that_names_setting_and_file(tmp_path: Path, kind: str) -> None:
    keys: dict[str, Callable[[], Any]] = {
        "P-256": lambda: generate_private_key(SECP256R1()),
        "DSA": lambda: dsa.generate_private_key(2048),
        "Ed448": ed448.Ed448PrivateKey.generate,
        "X25519": x25519.X25519PrivateKey.generate,
    }
    key = keys[kind]()
    settings = with_key(tmp_path / "key.pem", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ConfigurationError, match=r"NEWSLETTER_DKIM__KEY_FILE: .*key\.pem is neither"):
        signer_of(settings.dkim)
