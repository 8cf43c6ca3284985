"""Real litellm against a real server on this machine: good answers, and every way in which one can be bad."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.errors import BadReply, ModelBusy, ModelFailed, ModelNeeded
from engine.contracts.llm import BackendFailure, BackendOptions, Message, Request, Sent
from engine.contracts.models import BackendSpec
from engine.kit.secrets import Secrets
from engine.llm.backend_litellm import LiteLLMBackend
from tests.llm.house import PRICE, House, model, outcome
from tests.llm.openai_server import Bad, Server, openai_server
from tests.llm.test_gateway import Kind

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pydantic.PydanticDeprecatedSince20")


@pytest.fixture
def server() -> Iterator[Server]:
    with openai_server() as server:
        yield server


async def house(folder: Path, server: Server, **more: Any) -> House:
    """The door with one real backend that reaches the server."""
    spec = BackendSpec(
        name="local", provider="openai", base_url=server.url, key_env="LOCAL_KEY", price=more.pop("price", None)
    )
    made = House(folder, backends=[spec], models=[model("fast", "local/small", max_cost_usd_micros=500, **more)])
    made.gateway.secrets = Secrets(None, {"LOCAL_KEY": "local-secret-key"})
    await made.gateway.configure(made.project)
    return made


async def test_good_answer_is_counted(tmp_path: Path, server: Server) -> None:
    made = await house(tmp_path, server)
    reply = await made.door().ask("hello")
    assert (reply.text, reply.model) == ("you said: hello", "local/small")
    assert (reply.tokens_in, reply.tokens_out) == (11, 7)
    assert reply.cost_usd_micros == 500  # no price is known: the ceiling
    (body,) = server.asked
    assert body["model"] == "small"
    assert body["max_tokens"] == 100
    assert server.keys == ["Bearer local-secret-key"]
    await made.gateway.stop()


async def test_shape_goes_along_and_bad_ones_are_repaired(tmp_path: Path, server: Server) -> None:
    made = await house(tmp_path, server)
    server.script = lambda _body, n: "I think b" if n == 0 else {"kind": "b"}
    assert (await made.door().ask("which?", schema=Kind)).value == Kind("b")
    assert server.asked[0]["response_format"]["json_schema"]["schema"]["required"] == ["kind"]
    server.script = lambda _body, _n: {"kind": 3}
    with pytest.raises(BadReply):
        await made.door().ask("which?", schema=Kind)
    assert len(server.asked) == 4
    await made.gateway.stop()


def _status(status: int, message: str = "no", code: str | None = None, **headers: str) -> Bad:
    return Bad("status", status=status, message=message, code=code, headers=headers)


@pytest.mark.parametrize(
    ("answer", "kind", "charged", "after"),
    [
        (_status(429, "Rate limit reached", retry_after="7"), "throttled", False, 7.0),
        (_status(429, "Rate limit reached"), "throttled", False, None),
        (_status(429, "You exceeded your current quota", "insufficient_quota"), "throttled", False, 3_600.0),
        (_status(403, "Rate limit exceeded, try again in 20 s"), "throttled", False, 20.0),
        (_status(429, "You exceeded your current quota. Please retry in 1m4.5s."), "throttled", False, 64.5),
        (_status(429, '{"retryDelay": "34s"}'), "throttled", False, 34.0),
        (_status(301, location="http://127.0.0.1:1/"), "systemic", False, None),
        (_status(409, "Conflict"), "transient", False, None),
        (_status(502, "Bad gateway", retry_after="9"), "transient", False, 9.0),
        (Bad("answer", given={"content": [{"type": "text", "text": "hi"}]}), "transient", True, None),
        (Bad("answer", finish_reason="length"), "item", True, None),
        (Bad("answer", finish_reason="content_filter", given={"content": ""}), "item", True, None),
        (Bad("answer", given={"content": None, "refusal": "no"}), "item", True, None),
        (Bad("answer", given={"content": None, "tool_calls": []}), "item", True, None),
        (_status(401, "Incorrect API key provided"), "systemic", False, None),
        (_status(404, "The model does not exist"), "systemic", False, None),
        (
            _status(400, "This model's maximum context length is 8192 tokens", "context_length_exceeded"),
            "context",
            False,
            None,
        ),
        (_status(400, "Unknown parameter: foo"), "code_bug", False, None),
        (_status(500, "The server had an error"), "transient", False, None),
        (_status(503, "Overloaded", retry_after="3"), "throttled", False, 3.0),
        (Bad("html"), "transient", False, None),
        (Bad("malformed"), "transient", True, None),
        (Bad("cut"), "transient", True, None),
        (Bad("reset"), "transient", True, None),
        (Bad("torn"), "transient", True, None),
        (Bad("slow"), "transient", True, None),
        (Bad("huge"), "transient", True, None),
        (Bad("no choices"), "transient", True, None),
    ],
    ids=lambda value: (
        str(value.more.get("message") or value.more.get("given") or value.how)[:30] if isinstance(value, Bad) else ""
    ),
)
async def test_failure_is_told_by_status_and_text(
    server: Server, answer: Bad, kind: str, charged: bool, after: float | None
) -> None:
    server.script = lambda _body, _n: answer
    backend = LiteLLMBackend(BackendOptions(name="local", provider="openai", base_url=server.url, key="k" * 20))
    await backend.prepare()
    messages = (Message(role="user", content="q"),)
    timeout = 1.0 if answer.how == "slow" else 20.0
    sent = Sent(mode="small", messages=messages, json_schema=None, temperature=0, max_tokens=9, timeout_s=timeout)
    try:
        if answer.how == "slow":
            from engine.llm.call import send

            error = await outcome(send(backend, sent, str))
        else:
            error = await outcome(backend.call(sent))
    finally:
        await backend.close()
    assert isinstance(error, BackendFailure), error
    assert (error.kind, error.retry_after_s) == (kind, after), error
    assert (error.is_charged, error.is_unsent) == (charged, False), error
    assert len(server.asked) == 1  # no retries behind our back


@pytest.mark.parametrize("provider", ["openai", "anthropic", "groq", "mistral", "openrouter", "gemini", "ollama_chat"])
async def test_every_provider_is_heard_as_it_speaks(server: Server, provider: str) -> None:
    server.script = lambda _body, _n: _status(529, "Overloaded", retry_after="7")
    backend = LiteLLMBackend(BackendOptions(name="local", provider=provider, base_url=server.url, key="k" * 20))
    await backend.prepare()
    messages = (Message(role="user", content="q"),)
    sent = Sent(mode="small", messages=messages, json_schema=None, temperature=0, max_tokens=9, timeout_s=20.0)
    error = await outcome(backend.call(sent))
    assert isinstance(error, BackendFailure), error
    assert (error.kind, error.status, error.retry_after_s) == ("throttled", 529, 7.0)
    if provider == "anthropic":
        server.script = lambda _body, _n: Bad("huge")
        error = await outcome(backend.call(sent))
        assert isinstance(error, BackendFailure), error
        assert (error.kind, error.is_charged) == ("transient", True)
    await backend.close()


@pytest.mark.parametrize(
    ("refusal", "left", "instead"),
    [
        ("This response_format type is unavailable now", "response_format", None),
        ("Unsupported value: 'temperature' does not support 0 with this model", "temperature", None),
        ("'max_tokens' is not supported, use 'max_completion_tokens' instead", "max_tokens", "max_completion_tokens"),
    ],
)
async def test_what_a_server_does_not_take_is_left_out(
    tmp_path: Path, server: Server, refusal: str, left: str, instead: str | None
) -> None:
    made = await house(tmp_path, server)
    server.script = lambda body, _n: _status(400, refusal) if left in body else {"kind": "b"}
    assert (await made.door().ask("which?", schema=Kind)).value == Kind("b")
    assert (await made.door().ask("and then?", schema=Kind)).value == Kind("b")
    first, second, third = server.asked  # it is asked once more, and is known from then on
    assert left in first
    assert left not in second
    assert left not in third
    assert instead is None or third[instead] == 100
    assert made.rows("SELECT state FROM model_calls") == [("settled",), ("settled",)]
    await made.gateway.stop()


@pytest.mark.parametrize(
    ("usage", "took"),
    [
        ({"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}, 11 + 2 * 7),
        ({"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 118}, 11 + 2 * 107),
        ({"prompt_tokens": 11}, None),
        ({"prompt_tokens": 11, "completion_tokens": None, "total_tokens": 11}, None),
    ],
    ids=["whole", "thoughts in the total alone", "none of the answer", "null"],
)
@pytest.mark.parametrize("finish", ["stop", "length"])
async def test_what_is_told_is_booked_and_nothing_else_is_free(
    tmp_path: Path, server: Server, usage: dict[str, Any], took: int | None, finish: str
) -> None:
    made = await house(tmp_path, server, price=PRICE)
    server.script = lambda _body, _n: Bad("answer", finish_reason=finish, more={"usage": usage})
    answer = await outcome(made.door().ask("q"))
    assert isinstance(answer, ModelFailed) is (finish == "length"), answer
    ((cost, worst, is_estimate),) = made.rows("SELECT usd_micros, worst_usd_micros, is_estimate FROM model_calls")
    assert (cost, is_estimate) == ((took, 0) if took is not None else (worst, 1))
    await made.gateway.stop()


async def test_server_that_is_not_there_costs_nothing(tmp_path: Path, server: Server) -> None:
    made = await house(tmp_path, server, per_day=5)
    server.leave.set()
    server.http.shutdown()
    server.http.server_close()
    error = await outcome(made.door().ask("q"))
    assert isinstance(error, ModelFailed)
    assert error.kind == "transient"
    assert made.spent() == 0
    left = made.gateway.left("fast")
    assert left is not None
    assert left[0] == 5
    assert made.rows("SELECT used FROM quotas WHERE used") == []
    assert made.rows("SELECT kind FROM events WHERE kind = 'model.failed'") == [("model.failed",)]
    await made.gateway.stop()


async def test_retry_after_parks_and_nothing_is_sent_meanwhile(tmp_path: Path, server: Server) -> None:
    made = await house(tmp_path, server)
    server.script = lambda _body, _n: _status(429, "slow down", retry_after="900")
    request = Request(messages=(Message(role="user", content="q"),), wait_s=5)
    for _ in range(5):
        assert isinstance(await outcome(made.door().ask(request)), ModelBusy)
    assert len(server.asked) == 1
    await made.gateway.stop()


async def test_answer_without_usage_is_an_estimate(tmp_path: Path, server: Server) -> None:
    made = await house(tmp_path, server)
    server.script = lambda _body, _n: Bad("no usage")
    reply = await made.door().ask("q")
    assert reply.cost_usd_micros == 500
    assert made.rows("SELECT is_estimate FROM model_calls") == [(1,)]
    await made.gateway.stop()


async def test_backend_that_a_reload_replaces_closes_nothing_that_others_use(tmp_path: Path, server: Server) -> None:
    it = await house(tmp_path, server)
    assert (await it.door().ask("first")).text
    (spec,) = it.project.backends
    # The same server and key: litellm keeps a client of its own for both, made with the first one's connections.
    changed = replace(it.project, backends=(replace(spec, concurrency=spec.concurrency + 1),))
    await it.gateway.configure(changed)
    await it.gateway.chores.done()
    assert (await it.door().ask("second")).text
    await it.gateway.stop()


async def test_litellm_is_silent(tmp_path: Path, server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    made = await house(tmp_path, server)
    server.script = lambda _body, _n: _status(500)
    await outcome(made.door().ask("q"))
    assert capfd.readouterr() == ("", "")
    handlers = [handler for name in ("LiteLLM", "LiteLLM Router") for handler in logging.getLogger(name).handlers]
    assert [one for one in handlers if type(one).__module__.startswith("litellm")] == []
    await made.gateway.stop()


@pytest.mark.parametrize("provider", ["openai", "groq"])
async def test_proxy_of_the_environment_is_used_but_not_for_this_machine(
    server: Server, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url.removesuffix("/v1"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    messages = (Message(role="user", content="q"),)
    sent = Sent(mode="small", messages=messages, json_schema=None, temperature=0, max_tokens=9, timeout_s=20.0)
    server.script = lambda _body, _n: _status(529, "Overloaded", retry_after="7")
    for url, path in (("http://models.invalid/v1", "http://models.invalid/v1/chat"), (server.url, "/v1/chat")):
        backend = LiteLLMBackend(BackendOptions(name="local", provider=provider, base_url=url, key="k" * 20))
        await backend.prepare()
        error = await outcome(backend.call(sent))
        assert isinstance(error, BackendFailure), error
        assert (error.status, error.retry_after_s) == (529, 7.0)
        assert server.paths[-1].startswith(path)
        await backend.close()


async def test_what_azure_has_to_be_told_goes_along(server: Server) -> None:
    told = {"api_version": "2024-10-21"}
    options = BackendOptions(name="azure", provider="azure", base_url=server.url, key="k" * 20, params=told)
    backend = LiteLLMBackend(options)
    await backend.prepare()
    messages = (Message(role="user", content="q"),)
    sent = Sent(mode="mine", messages=messages, json_schema=None, temperature=0, max_tokens=9, timeout_s=20.0)
    assert (await backend.call(sent)).text == "you said: q"
    assert server.paths[0].endswith("/deployments/mine/chat/completions?api-version=2024-10-21")
    await backend.close()


async def test_prices_are_known_without_the_network() -> None:
    backend = LiteLLMBackend(BackendOptions(name="openai", key="k" * 20))
    await backend.prepare()
    price = backend.price("gpt-4o-mini")
    assert price is not None
    assert price.in_per_million == 150_000
    assert backend.price("no-such-model") is None
    qwen = LiteLLMBackend(BackendOptions(name="dashscope", key="k" * 20))
    tiered, by_the_call = qwen.price("qwen-flash"), LiteLLMBackend(BackendOptions(name="perplexity", key="k" * 20))
    assert tiered is not None
    assert tiered.in_per_million == 250_000  # of the longest question
    assert by_the_call.price("sonar-small-online") is None
    assert (backend.context_tokens("gpt-4o-mini") or 0) > 100_000
    await backend.close()


async def test_no_provider_can_be_reached_in_tests(tmp_path: Path) -> None:
    assert os.environ["RIVUS_NO_PROVIDERS"]
    spec = BackendSpec(name="openai", key_env="OPENAI_API_KEY")
    made = House(tmp_path, backends=[spec], models=[model("fast", "openai/gpt-4o-mini")])
    made.gateway.secrets = Secrets(None, {"OPENAI_API_KEY": "sk-" + "a" * 30})
    await made.gateway.configure(made.project)
    with pytest.raises(ModelNeeded, match="switched off"):
        await made.door().ask("q")
