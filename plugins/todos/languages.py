"""Where comments begin and end in the languages of code files, by a file's name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

_ENDS: Final = {"/*": "*/", "<!--": "-->", "{-": "-}", "(*": "*)", "--[[": "]]"}
"""Signs whose comments go on until another sign comes, whatever lines lie between."""
_BEFORE: Final = {"#": r"(?<![^\s;,(){}\[\]])", "//": r"(?<!:)", "%": r"(?<!\\)", ";": r"(?<!\\)"}
"""What must not stand before a sign: `$#` and `https://` begin no comment."""

_DOUBLE: Final = r'"(?:\\.|[^"\\])*"'
_STRINGS: Final = rf"{_DOUBLE}|(?<!\w)'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`"
_CHARACTERS: Final = rf"{_DOUBLE}|'(?:\\.[^']{{0,8}}|[^'\\])'|`[^`]*`"
"""Where a single quote holds one character, and is a lifetime or a part of a name elsewhere."""


@dataclass(frozen=True)
class Language:
    """How comments are told from what is none."""

    signs: tuple[str, ...]
    quoted: str = _STRINGS
    """What is text of the program, as a pattern; a quote that is not closed on its line is no string."""
    is_python: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches a string, or the `sign` that begins a comment."""
        signs = sorted(self.signs, key=len, reverse=True)
        told = "|".join(_BEFORE.get(sign, "") + re.escape(sign) for sign in signs)
        return re.compile(rf"{self.quoted}|(?P<sign>{told})")

    @staticmethod
    def end_of(sign: str) -> str | None:
        """What ends a comment that begins with a sign; None: its line."""
        return _ENDS.get(sign)


_PYTHON: Final = Language(("#",), is_python=True)
_HASH: Final = Language(("#",))
_C: Final = Language(("//", "/*"), _CHARACTERS)
_SCRIPT: Final = Language(("//", "/*"))
_BOTH: Final = Language(("//", "/*", "#"))
_SQL: Final = Language(("--", "/*"))
_LUA: Final = Language(("--", "--[["))
_HASKELL: Final = Language(("--", "{-"), _CHARACTERS)
_ML: Final = Language(("//", "(*"), _CHARACTERS)
_LISP: Final = Language((";",), _DOUBLE)
_PERCENT: Final = Language(("%",), _DOUBLE)
_XML: Final = Language(("<!--",), _DOUBLE)
_PAGE: Final = Language(("<!--", "//", "/*"))
_LANGUAGES: Final[Mapping[Language, str]] = {
    _PYTHON: "py pyi pyw pyx pxd bzl star",
    _C: "c h cc cpp cxx hpp hh hxx inl ino cu cuh m mm cs go java rs swift kt kts scala groovy gradle zig d vala v sv "
    "sol glsl vert frag hlsl wgsl wesl metal y yy l proto dart",
    _SCRIPT: "js jsx ts tsx mjs cjs mts cts scss sass less styl css jsonc hx",
    _BOTH: "php tf hcl nix",
    _HASH: "sh bash zsh fish ksh rb pl pm r yaml yml toml mk cmake ex exs jl ps1 nu kak tcl awk coffee cr nim graphql "
    "gql",
    _SQL: "sql",
    _LUA: "lua",
    _HASKELL: "hs elm purs ada adb ads vhd vhdl",
    _ML: "ml mli fs fsi fsx pas",
    _LISP: "lisp lsp cl el clj cljs cljc edn scm rkt fnl asd",
    _PERCENT: "tex sty erl hrl",
    _XML: "xml xsd xsl xslt xaml csproj props targets",
    _PAGE: "html htm vue svelte astro",
}
_BY_SUFFIX: Final = {suffix: language for language, told in _LANGUAGES.items() for suffix in told.split()}
_BY_NAME: Final[Mapping[str, Language]] = {
    **dict.fromkeys(
        ("Makefile", "makefile", "GNUmakefile", "Dockerfile", "Containerfile", "Justfile", "justfile"), _HASH
    ),
    **dict.fromkeys(("CMakeLists.txt", "Rakefile", "Gemfile", "Vagrantfile", "meson.build"), _HASH),
    **dict.fromkeys(("BUILD", "WORKSPACE", "SConstruct", "SConscript"), _PYTHON),
    "Jenkinsfile": _SCRIPT,
}


def language_of(path: str) -> Language | None:
    """The language of a file by its name; None: it is not known to hold code."""
    name = PurePosixPath(path).name
    return _BY_NAME.get(name) or _BY_SUFFIX.get(PurePosixPath(name).suffix.lstrip(".").lower())
