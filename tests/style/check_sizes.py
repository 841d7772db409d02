#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""No file over 600 lines, no function over 80: the tail is where programs go bad, so the maximum is gated."""

import ast
import pathlib
import re
from typing import Iterator, Tuple

import style

FILE_LINES = 600
FUNCTION_LINES = 80
SHELL_FUNCTION = re.compile(r"^(?:function\s+)?([A-Za-z_][\w-]*)\s*\(\)\s*[{(]\s*$")

Function = Tuple[str, int, int]  # name, first line, last line


def c_functions(text: str) -> Iterator[Function]:
    """The functions of a C file: a brace at the outermost level that follows a parameter list."""
    code = style.strip_c(text)
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code, flags=re.MULTILINE)
    depth = 0
    start = 0
    inside = None
    for position, char in enumerate(code):
        if char == "{":
            if depth == 0:
                head = code[start:position]
                inside = function_head(head)
                first = code.count("\n", 0, start + len(head) - len(head.lstrip())) + 1
            depth += 1
        elif char == "}":
            depth = max(depth - 1, 0)
            if depth == 0:
                if inside is not None:
                    yield inside, first, code.count("\n", 0, position) + 1
                start = position + 1
                inside = None
        elif char == ";" and depth == 0:
            start = position + 1


def function_head(head: str) -> "str | None":
    """The name of the function that this text begins, None if it begins something else."""
    if "=" in head or not re.search(r"\)\s*$", head):
        return None
    names = re.findall(r"([A-Za-z_]\w*)\s*\(", head)
    names = [name for name in names if not name.startswith("__attribute")]
    return names[0] if names else None


def python_functions(text: str) -> Iterator[Function]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno or node.lineno


def shell_functions(text: str) -> Iterator[Function]:
    name, first = None, 0
    for number, line in enumerate(text.split("\n"), 1):
        match = SHELL_FUNCTION.match(line)
        if match:
            name, first = match.group(1), number
        elif name is not None and line in ("}", ")"):
            yield name, first, number
            name = None


def functions(path: pathlib.Path, text: str) -> Iterator[Function]:
    if style.is_c(path):
        return c_functions(text)
    if style.is_python(path):
        return python_functions(text)
    return shell_functions(text)


def check(root: pathlib.Path) -> style.Outcome:
    problems = []
    looked_at = 0
    for path in style.project_files(root):
        if not (style.is_c(path) or style.is_python(path) or style.is_shell(path)):
            continue
        name = style.relative(root, path)
        text = path.read_text(encoding="utf-8", errors="replace")
        looked_at += 1
        lines = len(text.splitlines())
        if lines > FILE_LINES:
            problems.append(style.Problem(name, 0, f"{lines} lines, at most {FILE_LINES}: split it by topic"))
        for function, first, last in functions(path, text):
            looked_at += 1
            length = last - first + 1
            if length > FUNCTION_LINES:
                problems.append(style.Problem(name, first, f"{function}() has {length} lines, at most {FUNCTION_LINES}"))
    return problems, looked_at


if __name__ == "__main__":
    style.main("check_sizes", __doc__, check)
