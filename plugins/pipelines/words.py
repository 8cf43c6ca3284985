"""Words of a prose text: which ones say nothing, which language they betray, and what the text turns on."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?")

_FUNCTION_WORDS_TEXT: Final = {
    "en": """
        a about above after again all also an and any are as at be because been before being below between
        both but by can cannot could did do does doing don't down during each either else even every few for
        from further get gets had has have having here how however i if in into is it it's its itself just
        let like may me might more most much must my need needs no nor not now of off on once one only or
        other our out over own per please same see several shall should since so some still such than that
        the their them then there these they this those through to too under until up upon use used uses
        using very via want was we well were what when where whether which while who whose why will with
        within without would yes yet you your
    """,
    "de": """
        aber alle allem allen aller alles als also am an auch auf aus bei beim bin bis bist da dabei dadurch
        dafür damit dann das dass dein dem den denn der des dessen die dies diese diesem diesen dieser
        dieses doch dort du durch ein eine einem einen einer eines er es etwa etwas für gegen gibt hat hatte
        hier ich ihr ihre im immer in ist ja je jede jeder jedes kann kein keine können man mehr mit muss
        müssen nach nicht noch nun nur ob oder ohne schon sehr sein seine sich sie sind so soll sollte sonst
        über um und uns unter vom von vor war was weil wenn werden wie wieder will wir wird wo wurde zu zum
        zur zwischen
    """,
    "fr": """
        afin alors au aucun aussi autre aux avec avoir car ce cela ces cet cette chaque comme comment dans
        de depuis des donc dont du elle elles en encore entre est et être eux fait faire faut il ils je la
        le les leur leurs lors lui mais même mes moins mon ne nos notre nous on ont ou où par pas peu peut
        plus pour pouvez quand que quel quelle qui sa sans se sera ses si son sont sous sur ta tous tout
        toute toutes très tu un une vers vos votre vous y à été
    """,
    "es": """
        al algo algunos ante antes así aunque cada como con contra cual cuando de del desde donde dos el
        ella ellos en entre era es esa ese eso esta estas este esto estos está están fue ha hace hacer han
        hasta hay la las le les lo los más me mi mientras muy no nos o para pero por porque puede pueden que
        qué quien se sea según ser si sin sobre solo son su sus también tanto te tiene todo todos tu un una
        unas uno usted ya y
    """,
}

FUNCTION_WORDS: Final = {language: frozenset(text.split()) for language, text in _FUNCTION_WORDS_TEXT.items()}
"""Articles, prepositions, pronouns and auxiliaries by language: frequent in every text, about nothing."""

_ALL_FUNCTION_WORDS: Final = frozenset().union(*FUNCTION_WORDS.values())
_SAMPLE_WORDS: Final = 2_000
_TERM_WEIGHTS: Final = {"title": 6.0, "heading": 3.0, "body": 1.0}


def words_of(text: str) -> list[str]:
    """Return the words of a text, lower case; numbers and signs are none."""
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def guess_language(words: Sequence[str]) -> str | None:
    """Return `en`, `de`, `fr` or `es` where the function words leave no doubt; None for anything else.

    No doubt: at least 30 words, at least 12 % of them function words of that language, and half as many again as of
    the next language. Any other language stays unknown, which is the truth.
    """
    sample = words[:_SAMPLE_WORDS]
    if len(sample) < 30:
        return None
    ranked = sorted(
        ((sum(word in known for word in sample), name) for name, known in FUNCTION_WORDS.items()), reverse=True
    )
    (best, name), (second, _) = ranked[0], ranked[1]
    return name if best >= 0.12 * len(sample) and best >= 1.5 * second else None


def key_terms(title: str, headings: Iterable[str], body: str, limit: int = 12) -> list[tuple[str, float]]:
    """Return what a text turns on: (term, weight) by falling weight, terms of one or two words, lower case.

    The weight of a term is the sum over its places (title 6, heading 3, body 1), damped by a logarithm so that a word
    that is repeated a hundred times does not drown the rest: `log2(1 + sum)`. A pair of neighbouring words counts as a
    term from its second use on, with half as much again, and takes the place of a single word that hardly occurs
    outside of it. Ties go to the term that comes first in the alphabet, so that equal texts give equal terms.
    """
    sums: defaultdict[str, float] = defaultdict(float)
    pairs: Counter[str] = Counter()
    uses: Counter[str] = Counter()
    places = [("title", title), *(("heading", heading) for heading in headings), ("body", body)]
    for place, text in places:
        weight = _TERM_WEIGHTS[place]
        previous = ""
        for word in words_of(text):
            if len(word) < 3 or word in _ALL_FUNCTION_WORDS:
                previous = ""
                continue
            sums[word] += weight
            uses[word] += 1
            if previous and previous != word:
                pair = f"{previous} {word}"
                pairs[pair] += 1
                sums[pair] += weight
            previous = word
    weights: dict[str, float] = {}
    covered: set[str] = set()
    for pair, count in pairs.items():
        if count >= 2:
            weights[pair] = 1.5 * math.log2(1 + sums[pair])
            covered.update(word for word in pair.split() if uses[word] <= count * 1.25)
    for word in uses:
        if word not in covered:
            weights[word] = math.log2(1 + sums[word])
    ranked = sorted(weights.items(), key=lambda one: (-one[1], one[0]))
    return [(term, round(weight, 2)) for term, weight in ranked[:limit]]
