"""One question through the gateway: counted, limited, repaired, and passed on where a lane fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.errors import BadReply, ModelBusy, ModelFailed, ModelNeeded, StateError, TooCostly
from engine.contracts.llm import Answered, BackendFailure, Message, Reply, Request
from engine.contracts.models import BackendSpec, ModeSpec
from engine.contracts.rate import Rate
from engine.contracts.spec import ProjectSpec, ResourceSpec, Settings
from engine.llm import booking
from tests.factories import job, stage
from tests.llm.house import PRICE, House, backend, model, outcome, run_virtually

_DAY = 86_400_000


def _asks(text: str, *, wait_s: float = 60) -> Request:
    return Request(messages=(Message(role="user", content=text),), wait_s=wait_s)


@dataclass(frozen=True)
class Kind:
    kind: str


async def test_answer_comes_back_counted(tmp_path: Path) -> None:
    house = await House(tmp_path, backends=[backend(price=PRICE)]).open({"one": [{"echo": True}]})
    reply = await house.door("docs").ask("hello there", purpose="greet")
    assert (reply.text, reply.model, reply.alias, reply.cached) == ("hello there", "one/m", "fast", False)
    assert reply.cost_usd_micros == reply.tokens_in + 2 * reply.tokens_out == house.spent()
    assert house.rows("SELECT state, purpose, worst_usd_micros > usd_micros, is_estimate FROM model_calls") == [
        ("settled", "greet", 1, 0)
    ]
    assert house.rows("SELECT usd_micros FROM spent") == [(reply.cost_usd_micros,)]


async def test_identical_question_is_answered_from_the_state_file(tmp_path: Path) -> None:
    house = await House(tmp_path, backends=[backend(price=PRICE)], models=[model(cache_s=60)]).open()
    first = await house.door().ask("q", schema=None)
    second = await house.door("docs").ask("q")
    assert (second.text, second.cached, second.cost_usd_micros) == (first.text, True, 0)
    assert len(house.backends["one"].sent) == 1
    assert house.rows("SELECT sum(calls), sum(cached), sum(saved_usd_micros) FROM model_use") == [
        (1, 1, first.cost_usd_micros)
    ]
    warm = Request(messages=(Message(role="user", content="q"),), temperature=0.7)
    assert not (await house.door().ask(warm)).cached
    house.ground.clock.advance(61)
    assert not (await house.door().ask("q")).cached


async def test_identical_questions_at_once_are_sent_once(tmp_path: Path) -> None:
    house = await House(tmp_path, backends=[backend(price=PRICE)], models=[model(cache_s=60)]).open()
    replies = await asyncio.gather(*(house.door().ask(question) for question in ("q", "other", "q", "q")))
    assert [reply.cached for reply in replies] == [False, False, True, True]
    assert len(house.backends["one"].sent) == 2


async def test_who_waits_for_an_identical_question_asks_when_it_fails(tmp_path: Path) -> None:
    house = await House(tmp_path, models=[model(cache_s=60)]).open({"one": [{"fail": "item"}, "yes"]})
    first, second = await asyncio.gather(*(outcome(house.door().ask("q")) for _ in range(2)))
    assert isinstance(first, ModelFailed)
    assert isinstance(second, Reply)
    assert (second.text, second.cached) == ("yes", False)


async def test_bad_shape_is_repaired_once(tmp_path: Path) -> None:
    house = await House(tmp_path, backends=[backend(price=PRICE)]).open({"one": ["no idea", {"kind": "b"}]})
    reply = await house.door().ask("which?", schema=Kind)
    assert reply.value == Kind("b")
    first, second = house.backends["one"].sent
    assert "JSON Schema" in first.messages[-1].content
    assert [message.role for message in second.messages] == ["user", "assistant", "user"]
    assert "not JSON" in second.messages[-1].content
    assert reply.cost_usd_micros == house.spent()
    assert reply.tokens_in > 0


@pytest.mark.parametrize("answer", ["{", '{"kind": 1}', '{"kind": "a", "x": 1}', "[" * 100_000, '{"kind": NaN}'])
async def test_shape_missed_twice_is_a_typed_error(tmp_path: Path, answer: str) -> None:
    house = await House(tmp_path).open({"one": [answer]})
    with pytest.raises(BadReply) as caught:
        await house.door().ask("which?", schema=Kind)
    assert caught.value.text == answer
    assert len(house.backends["one"].sent) == 2


async def test_next_lane_answers_where_one_fails(tmp_path: Path) -> None:
    house = House(tmp_path, backends=[backend("one"), backend("two")], models=[model("fast", "one/m", "two/m")])
    await house.open({"one": [{"fail": "transient"}], "two": ["yes"]})
    assert (await house.door().ask("q")).model == "two/m"
    assert house.rows("SELECT backend, state FROM model_calls") == [("one", "failed"), ("two", "settled")]


async def test_every_lane_failing_names_each_of_them(tmp_path: Path) -> None:
    house = House(tmp_path, backends=[backend("one"), backend("two")], models=[model("fast", "one/m", "two/m")])
    await house.open({"one": [{"fail": "systemic"}], "two": [{"fail": "transient"}]})
    with pytest.raises(ModelFailed, match=r"one/m: .*two/m: ") as caught:
        await house.door().ask("q")
    assert caught.value.kind == "transient"


async def test_question_that_is_too_long_goes_to_the_longer_alias(tmp_path: Path) -> None:
    house = House(
        tmp_path,
        backends=[backend("one"), backend("two")],
        models=[model("fast", "one/m", longer="long"), model("long", "two/m")],
    )
    await house.open({"one": [{"fail": "context"}], "two": ["read it all"]})
    assert (await house.door().ask("q")).model == "two/m"


async def test_longer_alias_may_be_one_of_the_same_busy_backend(tmp_path: Path) -> None:
    house = House(
        tmp_path,
        backends=[backend("one", concurrency=1)],
        models=[model("fast", "one/m", longer="long"), model("long", "one/n")],
    )
    await house.open({"one": lambda sent, _n: {"fail": "context"} if sent.mode == "m" else "read it all"})
    async with asyncio.timeout(5):
        assert (await house.door().ask("q")).model == "one/n"


def test_nobody_is_asked_inside_retry_after(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = await House(tmp_path, clock=clock).open(
            {"one": lambda _sent, n: {"fail": "throttled", "retry_after": 40} if n == 0 else "yes"}
        )
        began = clock.now()
        replies = await asyncio.gather(*(house.door().ask(f"q{n}") for n in range(3)))
        assert [reply.text for reply in replies] == ["yes"] * 3
        ((first,), *later) = house.rows("SELECT at FROM model_calls ORDER BY id")
        assert first == began
        # Those that were on their way already were not told yet; everything after the refusal waits.
        assert [at for (at,) in later if at > began and at < began + 40_000] == []
        assert house.rows("SELECT blocked_until FROM quotas WHERE name = 'one/m'") == [(began + 40_000,)]

    run_virtually(main)


@pytest.mark.parametrize("kind", ["transient", "systemic"])
def test_who_fails_and_asks_to_wait_is_left_alone(tmp_path: Path, kind: str) -> None:
    async def main(clock: Any) -> None:
        lanes = model("fast", "one/m", "two/m")
        house = House(tmp_path, clock=clock, backends=[backend("one"), backend("two")], models=[lanes])
        await house.open({"one": [{"fail": kind, "retry_after": 3_600}, "early"], "two": ["second"]})
        began = clock.now()
        assert [(await house.door().ask(text)).text for text in ("a", "b")] == ["second", "second"]
        assert house.rows("SELECT blocked_until FROM quotas WHERE name = 'one/m'") == [(began + 3_600_000,)]

    run_virtually(main)


def test_request_is_parked_where_retry_after_is_long(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = await House(tmp_path, clock=clock).open({"one": [{"fail": "throttled", "retry_after": 3_600}]})
        began = clock.now()
        busy = await outcome(house.door().ask("q"))
        assert isinstance(busy, ModelBusy)
        assert busy.until == began + 3_600_000
        assert isinstance(await outcome(house.door().ask("q")), ModelBusy)
        assert len(house.backends["one"].sent) == 1
        # The next engine knows it as well.
        after = await house.again(tmp_path).open({"one": ["yes"]})
        assert isinstance(await outcome(after.door().ask("q")), ModelBusy)
        assert after.backends["one"].sent == []
        hold = after.gateway.hold("fast")
        assert hold is not None
        assert hold.until == began + 3_600_000

    run_virtually(main)


def test_failures_in_a_row_break_the_lane_and_one_request_tries_it_again(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = await House(tmp_path, clock=clock).open({"one": [{"fail": "transient"}]})
        for _ in range(5):
            assert isinstance(await outcome(house.door().ask("q")), ModelFailed)
        patient = Request(messages=(Message(role="user", content="q"),), wait_s=0)
        assert isinstance(await outcome(house.door().ask(patient)), ModelBusy)
        assert len(house.backends["one"].sent) == 5
        await asyncio.sleep(31)
        slow = [{"sleep": 1, "echo": True}]
        house.backends["one"]._answers = slow
        many = [house.door().ask(f"q{n}") for n in range(4)]
        replies = await asyncio.gather(*many)
        assert len(replies) == 4
        times = [at for (at,) in house.rows("SELECT at FROM model_calls WHERE state = 'settled' ORDER BY at")]
        assert times[1] >= times[0] + 1_000  # the others waited for the one that tried
        assert house.rows("SELECT failures FROM quotas WHERE name = 'one/m'") == [(0,)]

    run_virtually(main)


def test_deadline_holds_for_whoever_ignores_its_cancellation(tmp_path: Path) -> None:
    class Stubborn:
        def price(self, mode: str) -> None:
            return None

        context_tokens = price

        def busy(self) -> None:
            return None

        async def prepare(self) -> None:
            return None

        async def close(self) -> None:
            return None

        async def call(self, _sent: Any) -> Answered:
            while True:
                try:
                    await asyncio.sleep(3_600)
                except asyncio.CancelledError:
                    if self.ends:
                        raise

        ends = False

    async def main(clock: Any) -> None:
        house = House(tmp_path, clock=clock, backends=[backend(price=PRICE)], models=[model(timeout_s=5)])
        stubborn = Stubborn()
        await house.gateway.configure(house.project, {"one": stubborn})
        began = clock.now()
        error = await outcome(house.door().ask("q"))
        assert isinstance(error, ModelFailed)
        assert "no answer within 5 s" in str(error)
        assert clock.now() <= began + 7_000
        # It may have been paid: it counts at its worst.
        assert house.rows("SELECT usd_micros = worst_usd_micros, is_estimate FROM model_calls") == [(1, 1)]
        stubborn.ends = True

    run_virtually(main)


async def test_unknown_price_is_refused_or_takes_the_ceiling(tmp_path: Path) -> None:
    house = await House(tmp_path, backends=[backend(price=None)]).open({"one": ["yes"]})
    with pytest.raises(TooCostly, match="price of one/m is not known"):
        await house.door().ask("q")
    assert house.backends["one"].sent == []
    (tmp_path / "b").mkdir()
    house = await House(tmp_path / "b", backends=[backend(price=None)], models=[model(max_cost_usd_micros=70)]).open(
        {"one": ["yes"]}
    )
    reply = await house.door().ask("q")
    assert reply.cost_usd_micros == 70 == house.spent()


async def test_answer_without_usage_counts_at_its_worst(tmp_path: Path) -> None:
    answer = Answered(text="yes", tokens_in=None, tokens_out=None)
    house = await House(tmp_path, backends=[backend(price=PRICE)]).open({"one": lambda _sent, _n: answer})
    reply = await house.door().ask("q")
    assert house.rows("SELECT worst_usd_micros, is_estimate FROM model_calls") == [(reply.cost_usd_micros, 1)]
    assert reply.cost_usd_micros >= 200


async def test_parallel_calls_cannot_overrun_the_daily_limit(tmp_path: Path) -> None:
    settings = Settings(daily_cost_usd_micros=1_000)
    house = await House(tmp_path, backends=[backend(price=PRICE, concurrency=50)], settings=settings).open()
    results = await asyncio.gather(*(outcome(house.door("docs").ask(f"q{n:02}")) for n in range(30)))
    busy = [one for one in results if isinstance(one, ModelBusy)]
    assert busy
    assert all(one.until is not None and one.until > house.clock.now() for one in busy)
    assert 0 < house.spent() <= 1_000
    assert house.rows("SELECT max(total) FROM (SELECT sum(worst_usd_micros) AS total FROM model_calls)")[0][0] <= 1_000


async def test_limit_of_a_job_is_its_own(tmp_path: Path) -> None:
    jobs = [job("docs", daily_cost_usd_micros=300), job("other")]
    house = await House(tmp_path, backends=[backend(price=PRICE)], jobs=jobs).open()
    results = [await outcome(house.door("docs").ask(f"q{n}")) for n in range(60)]
    assert any(isinstance(one, ModelBusy) for one in results)
    assert (await house.door("other").ask("q")).text == "q"
    (spent,) = house.rows("SELECT sum(usd_micros) FROM spent WHERE job_id = ?", house.ground.job("docs").id)[0]
    assert spent <= 300


async def test_call_that_could_never_be_paid_is_an_error_at_once(tmp_path: Path) -> None:
    settings = Settings(daily_cost_usd_micros=50)
    house = await House(tmp_path, backends=[backend(price=PRICE)], settings=settings).open()
    with pytest.raises(TooCostly, match="more than all jobs may spend in a day"):
        await house.door().ask("q")
    with pytest.raises(TooCostly, match="in all are allowed"):
        await house.door(limit_usd_micros=10).ask("q")
    assert house.spent() == 0


async def test_quota_of_a_day_holds_across_restarts_and_begins_anew(tmp_path: Path) -> None:
    quota = backend(modes={"m": ModeSpec(name="m", per_day=2)})
    house = await House(tmp_path, backends=[quota]).open()
    await house.door().ask("q1")
    after = await house.again(tmp_path).open()
    await after.door().ask("q2")
    busy = await outcome(after.door().ask("q3"))
    assert isinstance(busy, ModelBusy)
    assert "2 of 2 used today" in str(busy)
    assert busy.until is not None
    assert 0 < busy.until - house.clock.now() <= _DAY
    house.ground.clock.advance((busy.until - house.clock.now()) / 1000 + 1)
    assert (await after.door().ask("q3")).text == "q3"


async def test_no_request_is_sent_that_was_cancelled_while_it_was_reserved(tmp_path: Path) -> None:
    quota = backend(price=PRICE, modes={"m": ModeSpec(name="m", per_day=5)})
    house = await House(tmp_path, backends=[quota]).open()
    task = asyncio.ensure_future(house.door().ask("q"))
    while not task.done():
        await asyncio.sleep(0)
        if house.rows("SELECT count(*) FROM model_calls") == [(0,)]:
            task.cancel()
    await house.gateway.chores.done()
    assert house.backends["one"].sent == []
    assert house.spent() == 0
    assert house.rows("SELECT used FROM quotas WHERE name = 'one/m'") in ([(0,)], [(1,)])
    assert house.rows("SELECT count(*) FROM model_calls WHERE state = 'reserved'") == [(0,)]


async def test_caller_that_leaves_in_mid_call_pays_the_worst(tmp_path: Path) -> None:
    house = await House(tmp_path, backends=[backend(price=PRICE)]).open({"one": [{"hang": True}]})
    task = asyncio.ensure_future(house.door("docs").ask("q"))
    await house.backends["one"].asked.wait()
    task.cancel()
    await asyncio.wait({task})
    await house.gateway.chores.done()
    assert house.rows("SELECT state, usd_micros = worst_usd_micros FROM model_calls") == [("failed", 1)]


def test_pace_of_a_backend_holds(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = House(tmp_path, clock=clock, backends=[backend(pace=Rate(count=6, per_s=60, burst=2))])
        await house.open()
        await asyncio.gather(*(house.door().ask(f"q{n}") for n in range(5)))
        times = sorted(at - clock.START for (at,) in house.rows("SELECT at FROM model_calls"))
        assert times[1] == 0
        assert times[2] >= 10_000 - 5
        assert times[4] >= 30_000 - 5
        assert house.rows("SELECT count(*) FROM buckets WHERE name = 'backend:one'") == [(1,)]

    run_virtually(main)


async def test_resource_is_shared_with_stages(tmp_path: Path) -> None:
    jobs = [job("docs", stage("work", resources=("gpu",)))]
    house = House(
        tmp_path, backends=[backend(resources=("gpu",))], jobs=jobs, resources=[ResourceSpec(name="gpu", capacity=1)]
    )
    await house.open({"one": [{"hang": True}]})
    task = asyncio.ensure_future(house.door().ask("q"))
    await house.backends["one"].asked.wait()
    limits = house.gateway.shares._limits  # type: ignore[attr-defined]
    number = house.ground.stage_id("work")
    assert limits.open({number: 4}, lambda _stage: 0, house.clock.now()).limit(number) == 0
    task.cancel()
    await asyncio.wait({task})
    assert limits.open({number: 4}, lambda _stage: 0, house.clock.now()).limit(number) == 1


async def test_resource_comes_back_though_its_backend_was_configured_anew(tmp_path: Path) -> None:
    house = House(
        tmp_path,
        backends=[backend(resources=("gpu",))],
        jobs=[job("docs", stage("work", resources=("gpu",)))],
        resources=[ResourceSpec(name="gpu", capacity=1)],
    )
    await house.open({"one": [{"hang": True}]})
    task = asyncio.ensure_future(house.door().ask("q"))
    await house.backends["one"].asked.wait()
    await house.gateway.configure(replace(house.project, backends=(backend(),)), dict(house.backends))
    task.cancel()
    await asyncio.wait({task})
    limits = house.gateway.shares._limits  # type: ignore[attr-defined]
    number = house.ground.stage_id("work")
    assert limits.open({number: 4}, lambda _stage: 0, house.clock.now()).limit(number) == 1


async def test_answer_that_makes_no_sense_is_settled_at_its_worst(tmp_path: Path) -> None:
    answer: Any = Answered(text="yes", tokens_in="many", tokens_out="few")  # type: ignore[arg-type]
    house = House(tmp_path, backends=[backend(price=PRICE)])
    await house.open({"one": [answer]})
    with pytest.raises(TypeError):
        await house.door().ask("q")
    await house.gateway.chores.done()
    ((state, cost, worst, error),) = house.rows("SELECT state, usd_micros, worst_usd_micros, error FROM model_calls")
    assert (state, cost, error) == ("failed", worst, "what came back cannot be priced (TypeError)")


async def test_secrets_do_not_leave(tmp_path: Path) -> None:
    house = await House(tmp_path).open()
    reply = await house.door().ask("the key is sk-abcdefghijklmnop0123456789 and Bearer abcdefghijklmnopqrstuvwx")
    assert "sk-abc" not in reply.text
    assert "abcdefghijklmnopqrstuvwx" not in reply.text


async def test_key_in_a_failure_is_not_stored(tmp_path: Path) -> None:
    error = BackendFailure("bad key sk-abcdefghijklmnop0123456789", kind="systemic", status=401)
    house = await House(tmp_path).open({"one": lambda _sent, _n: error})
    with pytest.raises(ModelFailed):
        await house.door().ask("q")
    assert "sk-abc" not in str(house.rows("SELECT error FROM model_calls") + house.rows("SELECT text FROM events"))


async def test_unknown_alias_says_which_there_are(tmp_path: Path) -> None:
    house = await House(tmp_path).open()
    with pytest.raises(ModelNeeded, match=r"no model `deep`.*fast"):
        await house.door().ask("q", model="deep")
    assert house.door().missing() is None


def _other(house: House, *backends: BackendSpec, lanes: Sequence[str] = ("one/m",)) -> ProjectSpec:
    return replace(house.project, backends=backends, models=(model("fast", *lanes),))


async def test_request_that_has_its_lane_is_sent_there_though_a_reload_takes_the_backend_away(tmp_path: Path) -> None:
    house = await House(tmp_path, backends=[backend("one"), backend("two")]).open()
    one, two = house.backends["one"], house.backends["two"]
    begun, ready, closed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def prepare() -> None:
        begun.set()
        await ready.wait()

    async def close() -> None:
        closed.set()

    one.prepare, one.close = prepare, close  # type: ignore[method-assign]
    asked = asyncio.ensure_future(house.door().ask("question"))
    await begun.wait()
    await house.gateway.configure(_other(house, backend("two"), lanes=["two/m"]), {"two": two})
    await asyncio.sleep(0)
    assert not closed.is_set()  # not while somebody is on the way to it
    ready.set()
    assert (await asked).model == "one/m"
    await house.gateway.chores.done()
    assert closed.is_set()
    assert (await house.door().ask("question")).model == "two/m"


async def test_quota_that_only_the_state_file_knows_of_ends_a_request(tmp_path: Path) -> None:
    house = await House(tmp_path).open()
    until = house.clock.now() + _DAY
    # As it is for a request whose alias a reload has taken out: what that has counted stays.
    house.rows("UPDATE quotas SET per_day = 1, used = 1, resets_at = ? WHERE name = 'model:fast'", until)
    async with asyncio.timeout(10):
        busy = await outcome(house.door().ask("question"))
    assert isinstance(busy, ModelBusy)
    assert busy.until == until


def test_provider_that_always_says_at_once_is_asked_less_and_less(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = await House(tmp_path, clock=clock).open({"one": [{"fail": "throttled", "retry_after": 0}]})
        for _ in range(8):
            busy = await outcome(house.door().ask(_asks("question")))
            assert isinstance(busy, ModelBusy)
        asked, began = len(house.backends["one"].sent), clock.monotonic()
        while clock.monotonic() < began + 600:
            busy = await outcome(house.door().ask(_asks("question", wait_s=0)))
            assert isinstance(busy, ModelBusy)
            await asyncio.sleep(1)
        assert len(house.backends["one"].sent) - asked <= 11  # once a minute

    run_virtually(main)


def test_requests_that_are_refused_together_count_once(tmp_path: Path) -> None:
    async def main(clock: Any) -> None:
        house = House(tmp_path, clock=clock, backends=[backend(concurrency=8)])
        await house.open({"one": lambda _sent, n: {"fail": "throttled"} if n < 8 else "yes"})
        began = clock.monotonic()
        replies = await asyncio.gather(*(house.door().ask(_asks(f"{n}")) for n in range(8)))
        assert {reply.text for reply in replies} == {"yes"}
        assert clock.monotonic() - began < 6  # five seconds, as for one

    run_virtually(main)


async def test_caller_who_leaves_does_not_make_a_lane_well(tmp_path: Path) -> None:
    house = await House(tmp_path).open({"one": [{"fail": "transient"}, {"hang": True}]})
    for _ in range(2):
        await outcome(house.door().ask(_asks("first")))
        house.backends["one"].asked.clear()
        asked = asyncio.ensure_future(house.door().ask(_asks("second")))
        await house.backends["one"].asked.wait()
        asked.cancel()
        await asyncio.wait({asked})
        await house.gateway.chores.done()
    assert house.rows("SELECT failures FROM quotas WHERE name = 'one/m'") == [(2,)]


async def test_backend_that_cannot_get_ready_is_passed_over(tmp_path: Path) -> None:
    house = House(tmp_path, backends=[backend("one"), backend("two")], models=[model("fast", "one/m", "two/m")])
    await house.open()

    async def prepare() -> None:
        raise ImportError("no such library")

    house.backends["one"].prepare = prepare  # type: ignore[method-assign]
    assert (await house.door().ask("question")).model == "two/m"
    assert house.rows("SELECT why FROM quotas WHERE name = 'one/m'") == [
        ("it cannot get ready: ImportError: no such library",)
    ]


async def test_backend_that_cannot_say_whether_it_is_busy_holds_nobody_else_up(tmp_path: Path) -> None:
    house = House(tmp_path, backends=[backend("one"), backend("two")], models=[model("fast", "one/m", "two/m")])
    await house.open()

    def busy() -> str | None:
        raise RuntimeError("no browser")

    house.backends["one"].busy = busy  # type: ignore[method-assign]
    assert (await house.door().ask("question")).model == "two/m"


async def test_nothing_is_asked_for_an_attempt_that_is_over(tmp_path: Path) -> None:
    house = await House(tmp_path, backends=[backend(concurrency=1)]).open({"one": [{"hang": True}]})
    door = house.door("docs")
    first = asyncio.ensure_future(house.door().ask("first"))
    await house.backends["one"].asked.wait()
    waits = asyncio.ensure_future(door.ask("second"))
    talks = asyncio.ensure_future(door.conversation("talk").say("third"))
    await asyncio.sleep(0.01)
    door.close()
    first.cancel()
    for asked in (waits, talks, door.ask("fourth"), door.conversation("new").say("fifth")):
        assert "the attempt is over" in str(await outcome(asked))
    assert len(house.backends["one"].sent) == 1
    assert house.rows("SELECT count(*) FROM model_calls WHERE state = 'reserved'") == [(0,)]


async def test_end_of_a_call_is_stored_again_until_the_state_file_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(booking, "_AGAIN_S", (0.0,))
    house = await House(tmp_path, backends=[backend(price=PRICE)]).open({"one": ["yes"]})
    full = 3

    def fails_when_settled() -> None:
        nonlocal full
        if house.backends["one"].sent and full:
            full -= 1
            raise StateError("the disk is full")

    house.before_change = fails_when_settled
    reply = await house.door("docs").ask("question")
    assert house.rows("SELECT state, usd_micros FROM model_calls") == [("settled", reply.cost_usd_micros)]
    assert house.spent() == reply.cost_usd_micros
