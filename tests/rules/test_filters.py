"""The filter language: text to terms, and what it says about what it cannot read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.filter import Comparison, Filter, Problem, Term
from engine.rules.filters import QUALIFIERS, parse


def test_blank_means_and_comma_means_or() -> None:
    assert parse("state:failed,running job:docs retry") == Filter(
        terms=(
            Term(field="state", values=("failed", "running")),
            Term(field="job", values=("docs",)),
            Term(field="text", values=("retry",)),
        )
    )


def test_exclamation_mark_turns_round_words_and_qualifiers() -> None:
    assert parse("!draft !job:docs") == Filter(
        terms=(
            Term(field="text", values=("draft",), negated=True),
            Term(field="job", values=("docs",), negated=True),
        )
    )


def test_fields_of_an_item_are_asked_for_by_name() -> None:
    assert parse("effort:Small .market_cap:12 .a.b:x").terms == (
        Term(field="fact", fact="effort", values=("small",)),
        Term(field="fact", fact="market_cap", values=("12",)),
        Term(field="text", values=(".a.b:x",)),
    )


def test_quotation_marks_keep_blanks_commas_and_colons() -> None:
    assert parse('"a b, c:d" job:"my job"') == Filter(
        terms=(Term(field="text", values=("a b, c:d",)), Term(field="job", values=("my job",)))
    )


@pytest.mark.parametrize(
    ("text", "sign", "number"),
    [
        ("prio:<=1", "<=", 1),
        ("prio:P2", "=", 2),
        ("prio:none", "=", None),
        ("age:>2h", ">", 7_200_000),
        ("age:<1.5d", "<", 129_600_000),
        ("age:10m", ">=", 600_000),
        ("cost:>0.10", ">", 100_000),
        ("cost:>=$2", ">=", 2_000_000),
    ],
)
def test_numbers_are_compared(text: str, sign: str, number: int | None) -> None:
    (term,) = parse(text).terms
    assert [(one.sign, one.number) for one in term.comparisons] == [(sign, number)]
    assert parse(f"!{text}").terms[0].negated


def test_alternatives_of_a_comparison() -> None:
    (term,) = parse("prio:0,none").terms
    assert term.comparisons == (Comparison(sign="=", number=0), Comparison(sign="=", number=None))


@pytest.mark.parametrize(
    ("text", "at", "length", "says"),
    [
        ("x stat:failed", 2, 11, "did you mean state:"),
        ("state:faild", 0, 11, "did you mean failed?"),
        ("state:zzz", 0, 9, "one of pending, waiting"),
        ("age:2", 0, 5, "needs a number and a unit"),
        ("prio:7", 0, 6, "needs 0 to 3"),
        ("prio:<none", 0, 10, "cannot be compared"),
        ("cost:cheap", 0, 10, "needs dollars"),
        ("re:(a+)+", 0, 8, "is not offered"),
        ('a "open end', 2, 9, 'closing "'),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(text: str, at: int, length: int, says: str) -> None:
    (problem,) = parse(text).problems
    assert (problem.at, problem.length) == (at, length)
    assert says in problem.message


def test_the_rest_of_a_filter_with_a_mistake_applies() -> None:
    found = parse("state:faild draft")
    assert [term.field for term in found.terms] == ["text"]
    assert len(found.problems) == 1


@pytest.mark.parametrize("text", ["http://x", "a:b", "12:30", ":", "::", "!", "!!x", ",", '""'])
def test_colons_of_everyday_text_are_no_mistake(text: str) -> None:
    assert parse(text).problems == ()


def test_half_a_qualifier_waits_for_its_value() -> None:
    assert parse("state: job:") == Filter()


def test_length_and_number_of_values_are_bounded() -> None:
    assert Problem(at=1_000, length=1, message="longer than 1,000 characters: cut here") in parse("x" * 2_000).problems
    assert "more than 50 values" in parse(",".join("x" * 60)).problems[0].message


@given(st.text(alphabet='ab:,!"<>=.0123 prioagestcjob\x1b漢', max_size=60))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    found = parse(text)
    assert all(0 <= problem.at <= len(text) for problem in found.problems)
    assert all(term.values or term.comparisons for term in found.terms)


def test_every_qualifier_is_explained() -> None:
    assert all(one.help and one.field for one in QUALIFIERS.values())
