"""Models on a real server, whose answers have the shapes of real ones; and all that goes wrong with them."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.errors import SummarizerError, SummarizerSetupError
from newsletter.ports import Answer, ModelAnswer
from newsletter.sources.http.poster import WebPoster
from newsletter.summarizing.answers import read_answer
from newsletter.summarizing.chat_model import ChatApi, ChatModel
from newsletter.summarizing.refusals import ModelServer
from tests import model_server as standing_in
from tests.model_shapes import FAULTS, SHAPES, TOKENS_IN, TOKENS_OUT, Reply

KEY = "sk-proj-A1b2C3d4E5f6G7h8I9j0"
MODEL = "some-model"
TELLS = "It finds that graphs help."
DATA = json.dumps(
    {"title": "Graphs – an «overview»", "abstract": "We study graphs. They help."}, ensure_ascii=False
)


@pytest.fixture
def server() -> Iterator[standing_in.ModelServer]:
    with standing_in.model_server() as made:
        made.says = lambda _: TELLS
        yield made


@asynccontextmanager
async def model_at(
    url: str, *, key: str = KEY, extra: Mapping[str, Any] | None = None, patience: float = 5.0
) -> AsyncIterator[ChatModel]:
    poster = WebPoster(user_agent="test", timeout=patience, public_only=False, most=2 * 1024 * 1024)
    try:
        yield ChatModel(ChatApi(url=url, key=key, model=MODEL, extra=extra or {}), poster)
    finally:
        await poster.aclose()


async def trouble(url: str, **changes: Any) -> SummarizerError:
    """Return the error of a request; no key and no more than a line stands in it."""
    async with model_at(url, **changes) as model:
        with pytest.raises(SummarizerError) as failed:
            await model.write("Summarise.", DATA)
    said = str(failed.value)
    assert not any(KEY[start : start + 8] in said for start in range(len(KEY) - 7))
    assert "\n" not in said
    assert len(said) < 500
    return failed.value


@pytest.mark.parametrize("shape", SHAPES)
async def test_the_text_of_each_server_is_found_with_its_tokens(
    server: standing_in.ModelServer, shape: str
) -> None:
    async with model_at(server.url_of(shape)) as model:
        answer = await model.write("Summarise.", DATA)

    assert answer.text.endswith(TELLS)
    if shape != "think_block":  # which is what the model wrote: it is checked by those who use it
        assert answer.text == TELLS
    tokens = (0, 0) if shape == "without_usage" else (TOKENS_IN, TOKENS_OUT)
    assert (answer.tokens_in, answer.tokens_out, answer.refusal) == (*tokens, "")


async def test_a_request_has_what_it_needs_and_nothing_else(server: standing_in.ModelServer) -> None:
    async with model_at(server.url) as model:
        await model.write("Summarise.", DATA)

    [asked] = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["content-type"] == "application/json"
    messages = [{"role": "system", "content": "Summarise."}, {"role": "user", "content": DATA}]
    assert asked.content == {"model": MODEL, "messages": messages, "stream": False}


async def test_what_the_settings_add_is_added(server: standing_in.ModelServer) -> None:
    async with model_at(server.url, extra={"temperature": 0, "options": {"num_ctx": 8192}}) as model:
        await model.write("Summarise.", DATA)

    [asked] = server.asked
    assert (asked.content["temperature"], asked.content["options"]) == (0, {"num_ctx": 8192})
    assert asked.content["stream"] is False


async def test_without_a_key_none_is_sent(server: standing_in.ModelServer) -> None:
    async with model_at(server.url, key="") as model:
        await model.write("Summarise.", DATA)

    assert "authorization" not in server.asked[0].headers


# What goes wrong, what is said of it, whether it stays so, and for how long the server asks to be left alone.
TROUBLES: list[tuple[str, str, bool, float]] = [
    ("400_unsupported", "Only the default (1) is supported.; check NEWSLETTER_SUMMARIES__EXTRA", True, 0),
    ("400_model", "400 some-model is not a valid model ID; check NEWSLETTER_SUMMARIES__MODEL=some-model", True, 0),
    ("400_too_long", "400 This model's maximum context length is 8192", False, 0),
    ("400_key", "400 API key not valid. Please pass a valid API key.; check NEWSLETTER_SUMMARIES__KEY", True, 0),
    ("400_system", "; set another NEWSLETTER_SUMMARIES__MODEL: some-model takes no instructions", True, 0),
    ("401", "401 Incorrect API key provided: …. You can find your API key at", True, 0),
    ("401_other", "401 Invalid API Key; check NEWSLETTER_SUMMARIES__KEY", True, 0),
    ("402", "402 Insufficient Balance; see that the account with this server has credit", True, 0),
    ("402_in_flight", "402 In-flight budget", False, 7),
    ("403", "check whether NEWSLETTER_SUMMARIES__KEY may use NEWSLETTER_SUMMARIES__MODEL=some-model", True, 0),
    ("403_country", "403 Country not supported; check whether", True, 0),
    ("404_model", "does not exist or you do not have access to it.; check NEWSLETTER_SUMMARIES__MODEL", True, 0),
    ("404_ollama", "try pulling it first; run `ollama pull some-model`, or check NEWSLETTER_", True, 0),
    ("404_path", "404 page not found; check NEWSLETTER_SUMMARIES__URL, which often ends in /v1", True, 0),
    ("404_vllm", "does not exist.; check NEWSLETTER_SUMMARIES__MODEL", True, 0),
    ("405", "405 Method Not Allowed; check NEWSLETTER_SUMMARIES__URL", True, 0),
    ("408", "408 Your request timed out", False, 0),
    ("410", "410 The model some-model has been retired; check NEWSLETTER_SUMMARIES__MODEL", True, 0),
    ("413", "413 Request too large", False, 0),
    ("422", "422 body top_q Extra inputs are not permitted; check NEWSLETTER_SUMMARIES__EXTRA", True, 0),
    ("422_mistral", "422 body top_q Extra inputs are not permitted; check NEWSLETTER_SUMMARIES__E", True, 0),
    ("429", "429 Rate limit reached", False, 0),
    ("429_seconds", "429 Rate limit reached", False, 7),
    ("429_quota", "check your plan and billing details.; see that the account with this server", True, 0),
    ("500", "500 The server had an error", False, 0),
    ("502", "502 Bad Gateway", False, 0),
    ("503", "503 Loading model", False, 0),
    ("503_seconds", "503 Overloaded", False, 3),
    ("529", "529 Overloaded", False, 0),
    ("in_200", "502 Provider returned error upstream is down", False, 0),
    ("in_choice", "502 Provider disconnected", False, 0),
    ("closed", "no answer: Server disconnected without sending a response", False, 0),
    ("cut", "no answer: peer closed connection without sending complete message body", False, 0),
    ("length", "its answer ends in the middle; see max_tokens in NEWSLETTER_SUMMARIES__EXTRA", False, 0),
    ("thinking_only", "the model thought, and wrote nothing; see max_tokens in NEWSLETTER_", False, 0),
    ("null", "the model wrote nothing", False, 0),
    ("tool_calls", "the model asks for tools instead of writing", False, 0),
    ("no_choices", "its answer is not as those of OpenAI's API", False, 0),
    ("html", "answers with a web page, not as an API; check NEWSLETTER_SUMMARIES__URL: is /v1 missing", True, 0),
    ("empty", "its answer is empty", False, 0),
    ("huge", "the answer is larger than 1,048,576 bytes; see what answers at NEWSLETTER_SUMMARIES__URL", False, 0),
    ("nested", "its answer is nested too deeply", False, 0),
    ("digits", "its answer is no JSON, or half of it", False, 0),
    ("wrong_types", "its answer is not as those of OpenAI's API", False, 0),
    ("wrong_content", "the model wrote nothing", False, 0),
    ("list", "its answer is not as those of OpenAI's API", False, 0),
    ("redirect", "308 redirects to https://other.example.org; set NEWSLETTER_SUMMARIES__URL to the", True, 0),
]  # fmt: skip
REFUSED = {
    "400_filter": "the model's server filters what this paper says",
    "403_moderation": "the model's server filters what this paper says",
    "filtered": "the model's server filters what this paper says",
    "refusal": "the model refuses to write of this paper",
}
APART = {"hang", "drip", "429_date"}


def test_each_fault_of_the_server_is_looked_at() -> None:
    assert {name for name, *_ in TROUBLES} | set(REFUSED) | APART == set(FAULTS)


@pytest.mark.parametrize(("fault", "words", "stays", "wait"), TROUBLES, ids=[one[0] for one in TROUBLES])
async def test_what_goes_wrong_is_told(
    server: standing_in.ModelServer, fault: str, words: str, stays: bool, wait: float
) -> None:
    found = await trouble(server.url_of(fault))

    assert str(found).startswith(f"{server.host}: ")
    assert words in str(found)
    assert isinstance(found, SummarizerSetupError) is stays
    assert found.wait == wait
    assert len(server.asked) == 1  # it is not tried again here, and no redirect is followed
    assert "letmein" not in str(found)


@pytest.mark.parametrize(("fault", "reason"), REFUSED.items())
async def test_a_paper_that_is_refused_costs_no_other_one(
    server: standing_in.ModelServer, fault: str, reason: str
) -> None:
    async with model_at(server.url_of(fault)) as model:
        answer = await model.write("Summarise.", DATA)

    assert (answer.text, answer.refusal) == ("", reason)


async def test_a_wait_until_a_moment_is_one_in_seconds(server: standing_in.ModelServer) -> None:
    assert 50 < (await trouble(server.url_of("429_date"))).wait <= 60


@pytest.mark.parametrize("fault", ["hang", "drip"])
async def test_a_server_that_takes_long_is_waited_for_no_longer_than_the_settings_say(
    server: standing_in.ModelServer, fault: str
) -> None:
    begun = time.monotonic()
    found = await trouble(server.url_of(fault), patience=1)

    assert time.monotonic() - begun < 10
    said = "no answer in time (timeout: 1 s); see that the server is well, and NEWSLETTER_SUMMARIES__TIMEOUT"
    assert said in str(found)
    assert found.asked


async def test_several_texts_are_asked_for_at_the_same_time(server: standing_in.ModelServer) -> None:
    server.says = lambda asked: asked.data
    server.delay = 0.5
    async with model_at(server.url, patience=60) as model:
        answers = await asyncio.gather(*(model.write("Summarise.", f"paper {number}") for number in range(8)))

    assert [one.text for one in answers] == [f"paper {number}" for number in range(8)]
    assert server.at_once > 1


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        *(("401", False), ("429", False), ("redirect", False)),
        *(("500", True), ("in_200", True), ("length", True), ("cut", True)),
    ],
)
async def test_what_may_have_been_paid_for_is_told_apart(
    server: standing_in.ModelServer, fault: str, asked: bool
) -> None:
    assert (await trouble(server.url_of(fault))).asked is asked


async def test_where_nobody_listens_nothing_was_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = await trouble(f"http://127.0.0.1:{port}/v1")

    assert f"127.0.0.1:{port}: no answer: " in str(found)
    assert "; see that the server runs, and NEWSLETTER_SUMMARIES__URL" in str(found)
    assert not isinstance(found, SummarizerSetupError)
    assert not found.asked


async def test_https_to_a_server_that_speaks_http_says_so(server: standing_in.ModelServer) -> None:
    found = await trouble(server.url.replace("http://", "https://"))

    assert "check whether NEWSLETTER_SUMMARIES__URL begins with http://" in str(found)


async def test_a_certificate_that_nobody_vouches_for_is_named() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with standing_in.model_server(context) as server:
        found = await trouble(server.url)

    assert "; see that its certificate is one that this machine trusts (SSL_CERT_FILE)" in str(found)
    assert not server.asked


async def test_a_wrong_key_that_is_sent_back_in_parts_is_not_told(server: standing_in.ModelServer) -> None:
    for echoed in (KEY, KEY[:12], f"{KEY[:3]}***{KEY[-4:]}", f"'{KEY}'", KEY[4:] + ".", f"Bearer {KEY}"):
        body = json.dumps({"error": {"message": f"No such key: {echoed} at all", "code": "invalid_api_key"}})
        server.faults.append(Reply(status=401, body=body.encode()))
        found = await trouble(server.url)
        assert "401 No such key: " in str(found)
        assert KEY[-4:] not in str(found)
        assert KEY[:12] not in str(found)


async def test_without_a_key_a_refusal_says_where_it_is_read_from(server: standing_in.ModelServer) -> None:
    found = await trouble(server.url_of("401_other"), key="")

    assert "set NEWSLETTER_SUMMARIES__KEY: other names, such as OPENAI_API_KEY, are not read" in str(found)


async def test_a_servers_words_are_one_short_line_without_tricks(server: standing_in.ModelServer) -> None:
    words = "first\r\nsecond \u202eleft\x1b[31m " + "long " * 500
    body = json.dumps({"error": {"message": words}}).encode()
    server.faults.append(Reply(status=500, body=body))
    found = str(await trouble(server.url))

    assert ": 500 first second left [31m long" in found
    assert len(found) < 250


async def test_a_name_in_what_the_settings_add_is_known_again(server: standing_in.ModelServer) -> None:
    body = json.dumps({"error": {"message": "reasoning_effort: expected one of low, high"}}).encode()
    for extra, stays in (({"reasoning_effort": "some"}, True), ({}, False)):
        server.faults.append(Reply(status=400, body=body))
        found = await trouble(server.url, extra=extra)
        assert isinstance(found, SummarizerSetupError) is stays


def test_nothing_secret_shows_where_a_model_is_printed() -> None:
    api = ChatApi(url="http://127.0.0.1/v1", key=KEY, model=MODEL)
    server = ModelServer(host="127.0.0.1", model=MODEL, key=KEY)

    assert (
        KEY
        not in f"{api!r} {server!r} {ChatModel(api, WebPoster(user_agent='t', timeout=1, public_only=False))!r}"
    )


SERVER = ModelServer(host="model.example.org", model=MODEL, key=KEY)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": -5, "completion_tokens": 10**30}, (0, 10**9)),
        ({"prompt_tokens": True, "completion_tokens": "12"}, (0, 0)),
        ({"prompt_tokens": 1.5, "completion_tokens": None}, (0, 0)),
        (None, (0, 0)),
        ([1], (0, 0)),
    ],
)
def test_tokens_that_cannot_be_are_none(usage: object, tokens: tuple[int, int]) -> None:
    body = json.dumps({"choices": [{"message": {"content": TELLS}}], "usage": usage}).encode()
    assert read_answer(Answer(200, body=body), SERVER) == ModelAnswer(
        text=TELLS, tokens_in=tokens[0], tokens_out=tokens[1]
    )


def test_of_a_name_that_stands_twice_the_last_one_counts() -> None:
    body = b'{"choices":[],"choices":[{"message":{"content":"a","content":"b"},"finish_reason":"stop"}]}'
    assert read_answer(Answer(200, body=body), SERVER).text == "b"


def test_half_a_surrogate_pair_can_be_kept() -> None:
    body = rb'{"choices":[{"message":{"content":"a\ud800b"}}]}'
    assert read_answer(Answer(200, body=body), SERVER).text.encode() == b"a?b"


def test_many_lines_before_an_answer_take_no_long_time() -> None:
    body = b":\n" * 500_000 + b'{"choices":[{"message":{"content":"x"}}]}'
    begun = time.monotonic()
    assert read_answer(Answer(200, body=body), SERVER).text == "x"
    assert time.monotonic() - begun < 5


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from([
            *("choices", "message", "content", "error", "code", "metadata", "reasons", "finish_reason", "refusal"),
            *("usage", "prompt_tokens", "type", "text", "detail", "loc", "msg", "tool_calls", "status"),
        ]),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(content=_JSON, status=st.sampled_from([200, 206, 301, 400, 401, 402, 403, 404, 422, 429, 500, 529, 999]))
def test_whatever_json_is_answered_there_is_a_text_or_an_error_of_ours(content: object, status: int) -> None:
    try:
        answer = read_answer(Answer(status, body=json.dumps(content).encode()), SERVER)
    except SummarizerError as error:
        said = str(error)
    else:
        said = answer.text.strip() or answer.refusal
        assert bool(answer.refusal) is not bool(answer.text)
    assert said
    assert "\n" not in said


@given(body=st.binary(max_size=300), status=st.sampled_from([200, 400, 500]))
def test_whatever_bytes_are_answered_there_is_an_error_of_ours(body: bytes, status: int) -> None:
    with pytest.raises(SummarizerError):
        read_answer(Answer(status, body=body), SERVER)
