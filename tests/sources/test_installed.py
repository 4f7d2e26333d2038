"""Sources of other packages, which are really installed."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from newsletter.core.errors import ConfigurationError
from newsletter.pipeline.collect import collect
from newsletter.ports import Store
from newsletter.sources.http.client import HttpClient, HttpConfig
from newsletter.sources.parts import NO_SERVICES, Http, NoHttp
from newsletter.sources.registry import build, check, warning
from tests.sources.conftest import DAY, NOW

PAGE = (Path(__file__).parents[2] / "docs" / "adding-a-source.md").read_text("utf-8")


def install(folder: Path, site: Path) -> None:
    """Install a package as its users do, into a folder; nothing is fetched."""
    uv = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--no-build-isolation",
    ]
    subprocess.run([*uv, "--python", sys.executable, "--target", site, folder], check=True)


@pytest.fixture(scope="session")
def zotero_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the package of the page is installed."""
    package, site = tmp_path_factory.mktemp("newsletter-zotero"), tmp_path_factory.mktemp("site")
    [project] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    module, *_ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (package / "pyproject.toml").write_text(project)
    (package / "newsletter_zotero.py").write_text(module)
    install(package, site)
    return site


@pytest.fixture
def zotero(zotero_site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the package of the page among those that Python finds, and not yet loaded."""
    monkeypatch.syspath_prepend(zotero_site)
    monkeypatch.delitem(sys.modules, "newsletter_zotero", raising=False)


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what puts a package with an entry point where Python finds it, as an installer leaves it."""

    def put(package: str, scheme: str, code: str) -> None:
        site, module = tmp_path / package, package.replace("-", "_")
        (site / f"{module}-1.0.dist-info").mkdir(parents=True)
        (site / f"{module}.py").write_text(code)
        info = site / f"{module}-1.0.dist-info"
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[newsletter.sources]\n{scheme} = {module}:Made\n")
        monkeypatch.syspath_prepend(site)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return put


def built(spec: str, http: Http | None = None) -> Any:
    return build(spec, folder=Path(), config=NO_SERVICES, http=http or NoHttp())


@pytest.mark.usefixtures("zotero")
def test_a_package_is_loaded_when_a_list_names_its_scheme_and_checked_like_our_own() -> None:
    assert check("huggingface") == ""
    assert "newsletter_zotero" not in sys.modules
    assert check("zotero:4567") == ""
    assert warning("zotero:4567", Path()) == ""
    assert check("zotero:lab").startswith("source 'zotero:lab': expected zotero:GROUP")
    assert "did you mean 'zotero'?" in check("zotera:1")


@pytest.mark.usefixtures("zotero")
async def test_papers_of_a_package_are_collected_and_a_broken_one_costs_only_itself(
    store: Store, httpserver: HTTPServer, bring: Any
) -> None:
    bring("newsletter-broken", "broken", "import a_module_that_is_not_there\n")
    item = {"data": {"title": "Folding Paper", "DOI": "10.1000/xyz", "url": "https://example.org/folding"}}
    httpserver.expect_request("/items").respond_with_json([item, {"data": {}}])
    http = HttpClient(HttpConfig(user_agent="tests", timeout=5, retries=0))
    source = built("zotero:4567", http)
    source.url = httpserver.url_for("/items")
    try:
        found = await collect(
            [built("broken:x"), source],
            store.library,
            day=DAY,
            lookback_days=3,
            previous=DAY - timedelta(days=1),
            now=NOW,
        )
    finally:
        await http.aclose()
    assert (found.listed, found.skipped) == ({"zotero": 1, "broken": 0}, 1)
    assert found.failures == {
        "broken:x": "broken:x: the source of the package newsletter-broken 1.0 cannot be loaded: "
        "ModuleNotFoundError: No module named 'a_module_that_is_not_there': update or reinstall it"
    }


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise SystemExit(3)\n", "cannot be loaded: SystemExit: 3: update or reinstall it"),
        ("Other = 1\n", "cannot be loaded: AttributeError: module 'newsletter_made' has no attribute 'Made': "),
        ("Made = 1\n", "fails: TypeError: 'int' object is not callable: update it"),
        ("def Made(parts): return parts\n", "makes no source, for want of dated, read: update it"),
    ],
)
def test_what_is_wrong_with_a_package_is_one_line_of_lists_check(bring: Any, code: str, says: str) -> None:
    bring("newsletter-made", "made", code)
    assert check("made:x") == ""
    assert warning("made:x", Path()).startswith(f"the source of the package newsletter-made 1.0 {says}")


def test_two_packages_for_a_scheme_are_named_and_neither_is_used(bring: Any) -> None:
    bring("newsletter-one", "made", "raise RuntimeError")
    bring("newsletter-two", "made", "raise RuntimeError")
    said = "newsletter-one 1.0 and newsletter-two 1.0 both bring the source 'made': uninstall one"
    assert warning("made:x", Path()) == said


def test_a_scheme_of_our_own_stays_ours(bring: Any) -> None:
    bring("newsletter-hf", "huggingface", "raise RuntimeError")
    assert check("huggingface") == ""
    assert (
        warning("huggingface", Path())
        == "'huggingface' is the program's own; that of newsletter-hf 1.0 is not used"
    )


def test_without_a_package_a_scheme_is_unknown() -> None:
    with pytest.raises(ConfigurationError, match="'zotero:1': unknown, expected one of"):
        built("zotero:1")
