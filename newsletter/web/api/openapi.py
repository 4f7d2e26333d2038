"""The API's description: an OpenAPI 3.1 document, and a page made from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter import __version__
from newsletter.core.page_names import API
from newsletter.ports.pages import PageRenderer
from newsletter.web.api.answers import ErrorAnswer
from newsletter.web.api.parameters import Parameter
from newsletter.web.api.reading import Operation, answered
from newsletter.web.api.signup import SIGN_UP, SignUpAnswer, Wanted
from newsletter.web.headers import PUBLIC
from newsletter.web.static import root_of

_SCHEMAS = "#/components/schemas/"
_ABOUT = (
    "Lists, issues and papers as JSON, for any site (CORS). Fields keep their names; new ones may be added. Times "
    "are ISO 8601 with an offset. An answer has an ETag; send it as If-None-Match."
)
_FRAME: dict[str, Any] = {"here": "", "description": _ABOUT, "is_static": False, "searched": ""}
_ASKS = (
    "Asks for a list. A mail asks the owner of the address to confirm; the answer is the same for all addresses."
)


def document(operations: Sequence[Operation], base: str) -> dict[str, Any]:
    """Return the OpenAPI document (https://spec.openapis.org/oas/v3.1.1.html).

    Args:
        operations: what can be read.
        base: the address of the API, without a slash at its end.
    """
    models = (ErrorAnswer, SignUpAnswer, Wanted, *(one.answer for one in operations))
    paths: dict[str, Any] = {f"/{one.path}": {"get": _described(one)} for one in operations}
    paths[f"/{SIGN_UP}"] = {"post": _sign_up()}
    return {
        "openapi": "3.1.1",
        "info": {"title": "Newsletter", "version": __version__, "description": _ABOUT},
        "servers": [{"url": base}],
        "paths": paths,
        "components": {"schemas": _schemas(models)},
    }


@cache
def _schemas(models: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    """Return the JSON Schemas of models, by name; they are those of classes, so they are made once."""
    _, schemas = models_json_schema(
        [(model, "serialization") for model in models], ref_template=_SCHEMAS + "{model}"
    )
    return dict(schemas["$defs"])


def routes(operations: Sequence[Operation], renderer: PageRenderer, public_url: str) -> Iterator[BaseRoute]:
    """Yield the routes of the document and of the page."""
    whole = document(operations, f"{public_url}/{API}")
    text = json.dumps(whole, ensure_ascii=False, indent=1).encode()

    async def as_json(request: Request) -> Response:
        return answered(request, text)

    async def as_page(request: Request) -> Response:
        context = {**_FRAME, "root": root_of(request), "canonical": f"{public_url}/{API}/" if public_url else ""}
        context |= {"api": whole, "operations": operations, "base": f"{public_url}/{API}/"}
        return HTMLResponse(renderer.page("api", context), headers=PUBLIC)

    yield Route(f"/{API}/openapi.json", as_json, methods=["GET"])
    yield Route(f"/{API}/", as_page, methods=["GET"])


def _described(operation: Operation) -> dict[str, Any]:
    answers = {"200": _json(operation.answer, operation.words), "304": {"description": "As If-None-Match says."}}
    if operation.parameters:
        answers["404"] = _json(ErrorAnswer, "There is nothing of this name.")
        answers["503"] = _json(ErrorAnswer, "It cannot be answered now; says why.")
    return {
        "operationId": operation.name,
        "summary": operation.words,
        "parameters": [_parameter(one) for one in operation.parameters],
        "responses": {**answers, "400": _json(ErrorAnswer, "The query is wrong; says where.")},
    }


def _parameter(one: Parameter) -> dict[str, Any]:
    return {
        "name": one.name,
        "in": "path" if one.in_path else "query",
        "required": one.in_path or one.is_required,
        "description": one.words,
        "schema": dict(one.schema),
        "example": one.example,
    }


def _sign_up() -> dict[str, Any]:
    refusals = {
        HTTPStatus.FORBIDDEN: "The list takes no new readers by themselves.",
        HTTPStatus.NOT_FOUND: "There is no list of this name.",
        HTTPStatus.UNPROCESSABLE_ENTITY: "A field is wrong; says which.",
        HTTPStatus.TOO_MANY_REQUESTS: "Too many from this network; try again in an hour.",
        HTTPStatus.SERVICE_UNAVAILABLE: "Signing up is closed for now.",
    }
    return {
        "operationId": "signUp",
        "summary": _ASKS,
        "requestBody": {"required": True, "content": _content(Wanted)},
        "responses": {
            "202": _json(SignUpAnswer, "It is noted."),
            **{str(status.value): _json(ErrorAnswer, words) for status, words in refusals.items()},
        },
    }


def _json(model: type[BaseModel], words: str) -> dict[str, Any]:
    return {"description": words, "content": _content(model)}


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"{_SCHEMAS}{model.__name__}"}}}
