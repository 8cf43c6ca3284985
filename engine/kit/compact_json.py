"""JSON as it is stored: compact, ASCII, no NaN.

`json.dumps` with settings of its own, and even the encoder that one keeps, make their C encoder anew at every call:
two thirds of what a small value costs. Here it is made once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def _encoder() -> Callable[[Any], str]:
    kept = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":"))
    make: Any = vars(json.encoder).get("c_make_encoder")
    ascii_text = json.encoder.encode_basestring_ascii
    try:
        chunks = make(None, kept.default, ascii_text, None, ":", ",", False, False, False)
        if "".join(chunks({"a": [1, None]}, 0)) == '{"a":[1,null]}':
            return lambda value: "".join(chunks(value, 0))
    except TypeError:
        pass  # another Python, which makes it in another way
    return kept.encode


encode: Callable[[Any], str] = _encoder()
"""Encode a value; TypeError, ValueError or RecursionError for what is not JSON."""
