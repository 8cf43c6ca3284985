"""What type a value certainly has: enough to know that `len(rows)` cannot fail. None is the answer in any doubt."""

from __future__ import annotations

import ast
from typing import Final

from engine.rules.code.lens import Lens
from engine.rules.code.scopes import Variable

CLOCKS: Final = frozenset(
    {
        "time.time",
        "time.monotonic",
        "time.perf_counter",
        "time.process_time",
        "time.time_ns",
        "time.monotonic_ns",
        "time.perf_counter_ns",
    }
)
SIZED: Final = frozenset({"str", "list", "dict", "set", "tuple", "bytes"})
_OF_CALL: Final = {
    "len": "num", "int": "num", "float": "num", "round": "num", "ord": "num", "str": "str", "repr": "str",
    "list": "list", "sorted": "list", "dict": "dict", "set": "set", "tuple": "tuple", "bool": "num", "range": "range",
    "isinstance": "num", "enumerate": "enumerate",
}  # fmt: skip
_OF_DISPLAY: Final = {
    ast.List: "list", ast.ListComp: "list", ast.Dict: "dict", ast.DictComp: "dict", ast.Set: "set",
    ast.SetComp: "set", ast.Tuple: "tuple", ast.JoinedStr: "str",
}  # fmt: skip
OF_STR_METHOD: Final = {
    "strip": "str", "lstrip": "str", "rstrip": "str", "lower": "str", "upper": "str", "title": "str",
    "split": "list", "splitlines": "list", "replace": "str", "join": "str", "format": "str",
    "startswith": "num", "endswith": "num", "count": "num",
}  # fmt: skip
_ANNOTATED: Final = {"str": "str", "int": "num", "float": "num", "list": "list", "dict": "dict", "set": "set"}


class Kinds:
    """Types of expressions in one statement, by what their variables are bound to."""

    def __init__(self, lens: Lens) -> None:
        self._lens = lens
        self._known: dict[Variable, str | None] = {}

    def of(self, node: ast.AST | None) -> str | None:
        """Return the type of an expression, one of `SIZED`, `num`, `range`, `enumerate`; None if it is not certain."""
        if isinstance(node, ast.Constant):
            value = node.value
            if isinstance(value, (int, float)):
                return "num"
            return type(value).__name__ if isinstance(value, (str, bytes)) else None
        if isinstance(node, ast.Name):
            variable = self._lens.variable(node)
            return None if variable is None else self._of_variable(variable)
        if isinstance(node, ast.Call):
            return self._of_call(node)
        if isinstance(node, ast.BinOp):
            left, right = self.of(node.left), self.of(node.right)
            if left == right == "num":
                return "num" if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv)) else None
            if left == right and left in ("str", "list") and isinstance(node.op, ast.Add):
                return left
            if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant) and left == "str":
                return "str"
            return None
        if isinstance(node, ast.Subscript):
            base = self.of(node.value)
            return base if isinstance(node.slice, ast.Slice) and base in ("str", "list", "tuple") else None
        if isinstance(node, ast.NamedExpr):
            return self.of(node.value)
        if isinstance(node, ast.Compare):
            plain = all(isinstance(op, (ast.Is, ast.IsNot, ast.In, ast.NotIn)) for op in node.ops)
            return "num" if plain else None
        return _OF_DISPLAY.get(type(node)) if node is not None else None

    def _of_call(self, node: ast.Call) -> str | None:
        dotted = self._lens.dotted(node.func)
        if dotted in CLOCKS:
            return "num"
        if dotted is not None and dotted.startswith("builtins."):
            return _OF_CALL.get(dotted[9:])
        if isinstance(node.func, ast.Attribute) and self.of(node.func.value) == "str":
            return OF_STR_METHOD.get(node.func.attr)
        return None

    def _of_variable(self, variable: Variable) -> str | None:
        if variable in self._known:
            return self._known[variable]
        self._known[variable] = None
        found = {self._of_binding(variable, binding) for binding in variable.bindings}
        kind = found.pop() if len(found) == 1 else None
        self._known[variable] = kind
        return kind

    def _of_binding(self, variable: Variable, binding: ast.AST) -> str | None:
        if isinstance(binding, ast.arg):
            return self._of_param(variable, binding)
        parent = self._lens.parent(binding)
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1 and parent.targets[0] is binding:
            return self.of(parent.value)
        if isinstance(parent, ast.AnnAssign) and parent.value is not None:
            return self.of(parent.value)
        if isinstance(parent, ast.AugAssign):
            both_numbers = self.of(parent.value) == "num" and isinstance(parent.op, (ast.Add, ast.Sub, ast.Mult))
            return "num" if both_numbers else None
        if isinstance(parent, (ast.For, ast.comprehension)) and parent.target is binding:
            return "num" if self.of(parent.iter) == "range" else None
        if isinstance(parent, ast.Tuple) and parent.elts and parent.elts[0] is binding:
            loop = self._lens.parent(parent)
            if isinstance(loop, (ast.For, ast.comprehension)) and self.of(loop.iter) == "enumerate":
                return "num"
        return None

    def _of_param(self, variable: Variable, binding: ast.arg) -> str | None:
        annotation = binding.annotation
        if isinstance(annotation, ast.Subscript):
            annotation = annotation.value
        if not isinstance(annotation, ast.Name) or not isinstance(
            variable.owner, (ast.FunctionDef, ast.AsyncFunctionDef)
        ):
            return None
        args = variable.owner.args
        if binding is args.vararg or binding is args.kwarg:
            return None
        positional = [*args.posonlyargs, *args.args]
        defaults = dict(zip(positional[len(positional) - len(args.defaults) :], args.defaults, strict=True))
        defaults.update({a: d for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True) if d is not None})
        default = defaults.get(binding)
        if isinstance(default, ast.Constant) and default.value is None:
            return None
        return _ANNOTATED.get(annotation.id)
