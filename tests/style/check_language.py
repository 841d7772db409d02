#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Text files are UTF-8 without control or direction-changing characters and blanks at a line's end; C has no
tabs, no long lines, no functions that cannot be used safely; nothing waits "to be done"."""

import pathlib
import re
import unicodedata

import style

COLUMNS = 120          # 109 is the aim, what clang-format makes
LITERAL_COLUMNS = 170  # a message or a row of test data is better found in one piece
FORBIDDEN = {
    "strcpy": "snprintf() or stpncpy() with a bound", "strcat": "a buffer that knows its length",
    "sprintf": "snprintf()", "vsprintf": "vsnprintf()", "strtok": "a cursor over the text", "gets": "getline()",
    "alloca": "a buffer of fixed size, or malloc()", "strdupa": "strdup()", "system": "fork and execve()",
    "popen": "fork and execve()", "tmpnam": "O_TMPFILE or mkdtemp()", "mktemp": "mkostemp()",
    "atoi": "a parser that can fail", "atol": "a parser that can fail", "basename": "strrchr()",
    "readdir_r": "readdir()", "rand": "getrandom()",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(FORBIDDEN) + r")\s*\(")
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" "DO", "FIX" "ME", "X" "XX"]) + r")\b")
TEXT_SUFFIXES = {".txt", ".md", ".xml", ".policy", ".conf", ".service", ".in", ".socket", ".target", ".build",
                 ".1", ".3", ".5", ".7", ".8", ""}
BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def bad_character(line: str, tabs: bool) -> str:
    """Names the first character that has no place in a line; nothing if there is none."""
    for char in line:
        if char == "\t":
            if not tabs:
                return "a tab: indent by 8 spaces"
        elif unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") or unicodedata.bidirectional(char) in BIDI:
            return f"the character U+{ord(char):04X}"
    return ""


def line_problems(path: pathlib.Path, line: str) -> "list[str]":
    problems = []
    bad = bad_character(line, not (style.is_c(path) or style.is_python(path)))
    if bad != "":
        problems.append(bad)
    if line != line.rstrip():
        problems.append("blanks at the end of the line")
    columns = LITERAL_COLUMNS if '"' in line else COLUMNS
    if style.is_c(path) and len(line) > columns:
        problems.append(f"{len(line)} columns, at most {columns}")
    if UNFINISHED.search(line):
        problems.append("something is left to be done: do it, or leave it out")
    return problems


def file_problems(name: str, path: pathlib.Path) -> "list[style.Problem]":
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return [style.Problem(name, 0, f"not UTF-8: {error.reason} at byte {error.start}")]
    problems = [style.Problem(name, number, problem)
                for number, line in enumerate(text.split("\n"), 1) for problem in line_problems(path, line)]
    if text != "" and (not text.endswith("\n") or text.endswith("\n\n")):
        problems.append(style.Problem(name, text.count("\n") + 1, "does not end with exactly one newline"))
    if style.is_c(path):
        code = style.strip_c(text)
        for match in CALL.finditer(code):
            line = code.count("\n", 0, match.start()) + 1
            problems.append(style.Problem(name, line, f"{match.group(1)}(): use {FORBIDDEN[match.group(1)]}"))
    return problems


def check(root: pathlib.Path) -> style.Outcome:
    problems = []
    looked_at = 0
    for path in style.project_files(root):
        if not (style.is_c(path) or style.is_python(path) or style.is_shell(path) or path.suffix in TEXT_SUFFIXES):
            continue
        looked_at += 1
        problems += file_problems(style.relative(root, path), path)
    return problems, looked_at


if __name__ == "__main__":
    style.main("check_language", __doc__, check)
