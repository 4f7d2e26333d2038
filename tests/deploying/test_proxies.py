"""The proxies of docs/deployment.md, as they stand there: what arrives at the pages behind them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
import trustme
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from newsletter.web.server import serving
from tests.documents.markdown import ROOT, only
from tests.services import need

GUIDE = ROOT / "docs" / "deployment.md"
NAME = "papers.example.org"


async def _tell(request: Request) -> JSONResponse:
    body = await request.body()
    seen = {name: request.headers.get(name) for name in ("host", "x-forwarded-for")}
    return JSONResponse({"method": request.method, "path": request.url.path, "body": body.decode(), **seen})


PAGES = Starlette(routes=[Route("/{path:path}", _tell, methods=["GET", "POST"])])


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@asynccontextmanager
async def running(port: int, *command: str, folder: Path) -> AsyncIterator[None]:
    """Run a proxy until it listens, and for as long as the context lasts."""
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=log, stderr=log, cwd=folder, env=environment
        )
    try:
        for _ in range(600):
            if process.returncode is not None:
                pytest.fail((folder / "log").read_text())
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                break
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def ask(url: str) -> None:
    """Ask as a visitor and as a mail provider does when a reader leaves with one click."""
    forged = {"Host": NAME, "X-Forwarded-For": "192.0.2.1"}
    async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=60, headers=forged) as client:
        answer = await client.post(f"{url}/-/unsubscribe/tok%2Fen", data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200, answer.text
        seen = answer.json()
        assert (seen["method"], seen["body"]) == ("POST", "List-Unsubscribe=One-Click")
        assert seen["host"] == NAME
        # The program believes the last one, which its proxy wrote; what a stranger wrote counts for nothing.
        assert seen["x-forwarded-for"].rpartition(",")[2].strip() == "127.0.0.1"
        too_large = await client.post(f"{url}/-/hooks/generic", content=b"x" * (2 << 20))
        assert too_large.status_code in {413, 502}


async def test_nginx_as_it_is_told_there(tmp_path: Path) -> None:
    nginx = need("nginx", "/usr/sbin/nginx")
    certificate = trustme.CA().issue_cert(NAME)
    certificate.private_key_pem.write_to_path(tmp_path / "privkey.pem")
    for part in certificate.cert_chain_pems:
        part.write_to_path(tmp_path / "fullchain.pem", append=True)
    port, other = free_port(), free_port()
    async with serving(PAGES, "127.0.0.1", 0) as pages:
        text = only(GUIDE, "nginx")
        for old, new in {
            "listen [::]:80;": "",
            "listen [::]:443 ssl;": "",
            "listen 80;": f"listen 127.0.0.1:{other};",
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            f"/etc/letsencrypt/live/{NAME}": str(tmp_path),
            "http://127.0.0.1:8000": pages,
        }.items():
            assert old in text
            text = text.replace(old, new)
        places = "".join(
            f"{kind}_temp_path {tmp_path}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        head = f"pid {tmp_path}/pid;\ndaemon off;\nmaster_process off;\nerror_log stderr;\nevents {{}}\n"
        (tmp_path / "conf").write_text(f"{head}http {{\naccess_log off;\n{places}{text}}}\n")
        async with running(port, nginx, "-c", str(tmp_path / "conf"), folder=tmp_path):
            await ask(f"https://127.0.0.1:{port}")


async def test_caddy_as_it_is_told_there(tmp_path: Path) -> None:
    caddy, port = need("caddy"), free_port()
    async with serving(PAGES, "127.0.0.1", 0) as pages:
        text = only(GUIDE, "caddyfile").replace("127.0.0.1:8000", pages.removeprefix("http://"))
        text = text.replace(f"{NAME} {{", f"http://{NAME}:{port} {{", 1)
        (tmp_path / "Caddyfile").write_text("{\n\tadmin off\n}\n" + text)
        command = (caddy, "run", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile"))
        async with running(port, *command, folder=tmp_path):
            await ask(f"http://127.0.0.1:{port}")
