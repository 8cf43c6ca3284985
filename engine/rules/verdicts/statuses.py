"""Fourth rank: HTTP statuses, when nothing plainer was said."""

from __future__ import annotations

from typing import Final

from engine.rules.verdicts.rule import Rule

_OVERLOADED: Final = r"overload|maintenance|starting|warming|try again later|temporarily|at capacity|loading|no healthy"

STATUSES: Final = (
    Rule(
        id="overloaded",
        cls="transient",
        sure="high",
        text=r"overloaded|at (?:full |max(?:imum)? )?capacity|server (?:is )?(?:too )?busy|no healthy upstream"
        r"|upstream (?:connect|request|server|prematurely|timed)|service (?:is )?(?:temporarily "
        r"|currently )?unavailable|temporarily unavailable|internal (?:server )?error|bad gateway"
        r"|gateway time-?out|(?:under|undergoing|during|down for|closed for|due to|scheduled|planned|routine|ongoing"
        r"|emergency|essential) (?:\w+ ){0,2}maintenance|maintenance (?:mode|window|work|break)|something went wrong"
        r"|server error|backend (?:error|fetch failed|unavailable)|model is (?:currently )?loading"
        r"|currently loading|(?:experiencing|due to) (?:high|heavy) (?:demand|load|traffic|volume)"
        r"|try again (?:later|shortly|soon|in a (?:few|moment|minute|while))|please (?:try again|retry|resubmit|resend)"
        r"|temporary (?:error|failure|problem|issue|server|outage)|request could not be (?:completed"
        r"|processed) at this time|an? (?:unknown|unexpected|internal) error (?:has )?occurred"
        r"|error has occurred on the server|web server is down|origin is unreachable|server (?:had"
        r"|encountered) an (?:error|internal)|service (?:is )?(?:down|outage)|cold start|high demand"
        r"|server is (?:currently )?(?:down|restarting|not ready)|not ready yet|resource temporarily|timed? ?out"
        r"|timeout|deadline exceeded",
        unless=r"unexpected keyword|must be|invalid (?:timeout|value)|wrong|\b(?:400|401|402|403|404|405|409|410|413"
        r"|414"
        r"|415|422|451)\b|positional|was never awaited|not defined|settimeout",
        example=("AnthropicError", "the model is at capacity"),
    ),
    Rule(
        id="http-429",
        cls="throttled",
        sure="high",
        status=(429, 509, 420, 430),
        example=("HTTPStatusError", "Client error '429 Too Many' for url 'https://a.b/c'"),
    ),
    Rule(
        id="http-retry-after",
        cls="throttled",
        sure="medium",
        status=(400, 403, 503, 502, 500, 200, 423),
        retry_after=True,
        unless=_OVERLOADED,
        example=("HTTPStatusError", "<Response [403]> retry-after: 120"),
    ),
    Rule(
        id="retry-after",
        cls="throttled",
        sure="medium",
        text=r"\bx?-?(?:retry[-_ ]?after|rate-?limit-(?:reset|remaining))\b['\"]?\s?[:=]",
        unless=_OVERLOADED + r"|\b50\d\b",
        example=("Exception", "blocked; Retry-After=Wed, 21 Oct 2026 07:28:00 GMT"),
    ),
    Rule(
        id="http-5xx",
        cls="transient",
        sure="high",
        status=(
            500,
            502,
            503,
            504,
            408,
            425,
            421,
            499,
            520,
            521,
            522,
            523,
            524,
            527,
            529,
            530,
            598,
            599,
            444,
            460,
            423,
        ),
        example=("HTTPStatusError", "<Response [502]>"),
    ),
    Rule(
        id="http-tls",
        cls="systemic",
        sure="medium",
        status=(525, 526, 495, 496, 507, 511, 426, 407),
        example=("HTTPStatusError", "526: error"),
        fix="Mend what the status names.",
    ),
    Rule(
        id="http-pay",
        cls="systemic",
        sure="high",
        status=(402,),
        example=("HTTPStatusError", "<Response [402]>"),
        fix="Pay or top up the account.",
    ),
    Rule(
        id="http-door",
        cls="systemic",
        sure="medium",
        status=(401, 403),
        example=("HTTPStatusError", "Client error '403 Forbidden' for url 'https://a.b/c'"),
        fix="Renew the credentials, or ask for access.",
    ),
    Rule(
        id="http-gone",
        cls="item",
        sure="medium",
        status=(404, 410, 451, 413, 414, 416, 422, 415, 406, 409, 412, 424),
        example=("HTTPStatusError", "Client error '404 Not Found' for url 'https://a.b/c'"),
    ),
    Rule(
        id="gave-up",
        cls="transient",
        sure="medium",
        text=r"max(?:imum)? (?:number of )?retries (?:exceeded|reached)",
        example=(
            "requests.exceptions.RetryError",
            "HTTPSConnectionPool(host='a.example', port=443): Max retries exceeded",
        ),
    ),
)

CALLS: Final = (
    Rule(
        id="http-call",
        cls="code_bug",
        sure="medium",
        status=(400, 405, 411, 417, 428, 431, 501, 505),
        example=("HTTPStatusError", "Client error '405 Method Not Allowed' for url 'https://a.b/c'"),
        fix="Mend the request.",
    ),
)
"""Statuses that say that the request is wrong; what was sent along may be wrong too, and its words come first."""
