#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table of keys and berth.container(5) say the same: every key is in both, under the same section, with the same
trust and liveness, and the examples of the page are valid definitions."""

import pathlib
import re
import subprocess
import sys
import tempfile
from typing import Dict, List, Tuple

Key = Tuple[str, str]
Facts = Dict[str, str]

FACTS = ("Default", "Trust", "Live", "Since")


def table(program: str) -> Dict[Key, Facts]:
    lines = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    rows = [line.split("\t") for line in lines]
    return {(row[0], row[1]): {"Trust": row[2], "Live": row[3], "list": row[4]} for row in rows}


def plain(text: str) -> str:
    """Text of mdoc lines without its macros."""
    return re.sub(r"\s+", " ", re.sub(r"^\.[A-Z][a-z] ", "", text, flags=re.MULTILINE)).strip()


def page(text: str) -> Dict[Key, Facts]:
    """What the page says of each key; keys whose entries stand above one text share it."""
    found: Dict[Key, Facts] = {}
    for section, body in re.findall(r"^\.Sh SECTION \[(\w+)\]\n(.*?)(?=^\.Sh )", text, re.MULTILINE | re.DOTALL):
        waiting: List[Key] = []
        for entry in re.split(r"^\.It Cm ", body, flags=re.MULTILINE)[1:]:
            head, _, rest = entry.partition("\n")
            waiting.append((section, head.split(" ")[0]))
            rest = rest.partition("\n.El")[0]
            if not rest.strip():
                continue
            facts = {"body": plain(rest)}
            for fact in FACTS:
                match = re.search(rf"\b{fact}: (.*?)\.(?: (?:{'|'.join(FACTS)}):|$)", facts["body"])
                facts[fact] = match.group(1) if match else ""
            for key in waiting:
                found[key] = facts
            waiting = []
    return found


def compare(program: Dict[Key, Facts], documented: Dict[Key, Facts]) -> List[str]:
    problems = [f"[{section}] {name}= is not in the page" for section, name in program.keys() - documented.keys()]
    problems += [f"[{section}] {name}= is in the page alone" for section, name in documented.keys() - program.keys()]
    for key in sorted(program.keys() & documented.keys()):
        name = f"[{key[0]}] {key[1]}="
        facts = documented[key]
        problems += [f"{name}: the page does not say {fact}" for fact in FACTS if not facts[fact]]
        problems += [f"{name}: {fact} is \"{program[key][fact]}\", the page says \"{facts[fact]}\""
                     for fact in ("Trust", "Live") if facts[fact] != program[key][fact]]
        if (program[key]["list"] == "list") != ("A list" in facts["body"]):
            problems.append(f"{name}: the table says it is {program[key]['list']}, the page does not")
    return problems


def check_examples(text: str, berthctl: str) -> List[str]:
    problems = []
    section = text[text.index(".Sh EXAMPLES"):]
    examples = re.findall(r"^\.Bd.*?\n(.*?)^\.Ed", section, re.MULTILINE | re.DOTALL)
    if len(examples) < 2:
        problems.append("the page has no examples")
    with tempfile.TemporaryDirectory() as directory:
        for number, example in enumerate(examples, 1):
            if "[Root]" not in example:
                example += "[Root]\nManaged=yes\n"
            path = pathlib.Path(directory) / f"example-{number}.container"
            path.write_text(example, encoding="utf-8")
            done = subprocess.run([berthctl, "verify", str(path)], stderr=subprocess.PIPE, text=True, check=False)
            wrong = [line for line in done.stderr.splitlines() if "root alone can write" not in line]
            problems += [f"example {number}: {line}" for line in wrong]
    return problems


def check_itself(text: str, program: Dict[Key, Facts]) -> List[str]:
    """That the comparison sees what it is there to see."""
    broken = [
            text.replace(".It Cm Boot Ns =", ".It Cm Boat Ns ="),
            text.replace("Trust: root.", "Trust: anyone.", 1),
            text.replace("Live: yes.", "Live: no.", 1),
            text.replace("Since: 0.1.0.", "", 1),
            text.replace("A list", "One", 1),
    ]
    return [f"the comparison does not see change {number}" for number, changed in enumerate(broken, 1)
            if changed == text or not compare(program, page(changed))]


def main() -> int:
    key_list, berthctl, source = sys.argv[1:]
    text = pathlib.Path(source).read_text(encoding="utf-8")
    program = table(key_list)
    problems = compare(program, page(text)) + check_examples(text, berthctl) + check_itself(text, program)
    for problem in problems:
        print(problem)
    print(f"{len(program)} keys, {len(problems)} problems")
    return 1 if problems or not program else 0


if __name__ == "__main__":
    sys.exit(main())
