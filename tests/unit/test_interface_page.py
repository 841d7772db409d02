#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The interfaces' XML and org.berth.container1(5) say the same: each member is in both, with the same arguments and
types, polkit actions, errors, announcements of changes, and version."""

import pathlib
import re
import sys
import unittest
import xml.etree.ElementTree as ElementTree
from typing import Dict, List, NamedTuple, Tuple

AUTHORIZATION = "org.berth.Authorization"
EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"
KINDS = {"method": "Methods", "property": "Properties", "signal": "Signals"}
ERROR = re.compile(r"\b[A-Z][A-Za-z]+\b")

Key = Tuple[str, str, str]  # interface, Methods or the like, name


class Member(NamedTuple):
    inputs: Tuple[str, ...]
    outputs: Tuple[str, ...]
    facts: Dict[str, str]


def sentences(comment: str) -> str:
    return re.sub(r"\s+", " ", comment).strip()


def errors_of(comment: str) -> str:
    """The names that stand after "Errors:", without what is said of them in parentheses."""
    match = re.search(r"Errors: ([^:]*?)\.(?: |$)", re.sub(r"\([^)]*\)", "", comment))
    return " ".join(sorted(ERROR.findall(match.group(1)))) if match else ""


def contract_member(element: ElementTree.Element, comment: str) -> Member:
    notes = {note.get("name"): note.get("value", "") for note in element.iter("annotation")}
    arguments = [(arg.get("direction", "in"), f"{arg.get('type')} {arg.get('name')}") for arg in element.iter("arg")]
    since = re.search(r"Since ([\d.]+\d)\.", comment)
    facts = {"Since": since.group(1) if since else ""}
    if element.tag == "method":
        facts["Action"] = ", ".join(notes.get(AUTHORIZATION, "").split())
        facts["Errors"] = errors_of(comment)
    if element.tag == "property":
        facts["Changes"] = notes.get(EMITS, "true")
        arguments = [("out", element.get("type", ""))]
    return Member(tuple(text for way, text in arguments if way == "in"),
                  tuple(text for way, text in arguments if way == "out"), facts)


def contract(path: pathlib.Path) -> Dict[Key, Member]:
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    found: Dict[Key, Member] = {}
    for interface in ElementTree.parse(path, parser=parser).getroot().iter("interface"):
        comment = ""
        for element in interface:
            if element.tag is ElementTree.Comment:
                comment = sentences(element.text or "")  # it is about all that follow, up to the next one
            elif element.tag in KINDS:
                key = (interface.get("name", ""), KINDS[str(element.tag)], element.get("name", ""))
                found[key] = contract_member(element, comment)
    return found


def page_head(head: str) -> "Tuple[str, Tuple[str, ...], Tuple[str, ...]] | None":
    """What an .It says: name, arguments, results."""
    method = re.fullmatch(r'Fn (\w+)((?: "[^"]*")*)(?: No \\\(-> Fa((?: "[^"]*")+))?', head)
    if method:
        return method.group(1), tuple(re.findall(r'"([^"]*)"', method.group(2))), \
            tuple(re.findall(r'"([^"]*)"', method.group(3) or ""))
    value = re.fullmatch(r"Va (\w+) Ns : Li (\S+)", head)
    return (value.group(1), (), (value.group(2),)) if value else None


def page_facts(body: str) -> Dict[str, str]:
    text = re.sub(r"\s+", " ", body)
    return {fact: value for fact, value in re.findall(r"\b(Action|Errors|Since|Changes): (.*?)\.(?= [A-Z][a-z]+:|\s|$)", text)}


def page(text: str) -> Dict[Key, Member]:
    found: Dict[Key, Member] = {}
    for interface, body in re.findall(r"^\.Sh INTERFACE (\S+)\n(.*?)(?=^\.Sh )", text, re.MULTILINE | re.DOTALL):
        for kind, members in re.findall(r"^\.Ss (\w+)\n(.*?)(?=^\.Ss |\Z)", body, re.MULTILINE | re.DOTALL):
            waiting: List[Tuple[str, Tuple[str, ...], Tuple[str, ...]]] = []
            for entry in re.split(r"^\.It (?=Fn |Va )", members, flags=re.MULTILINE)[1:]:
                head, _, rest = entry.partition("\n")
                read = page_head(head)
                if read is None:
                    continue
                waiting.append(read)
                if not page_facts(rest):
                    continue
                for name, inputs, outputs in waiting:
                    found[interface, kind, name] = Member(inputs, outputs, page_facts(rest))
                waiting = []
    return found


def compare(said: Dict[Key, Member], documented: Dict[Key, Member]) -> List[str]:
    problems = [f"{key} is not in the page" for key in said.keys() - documented.keys()]
    problems += [f"{key} is in the page alone" for key in documented.keys() - said.keys()]
    for key in sorted(said.keys() & documented.keys()):
        right, seen = said[key], documented[key]
        inputs, outputs = (right.inputs + right.outputs, ()) if key[1] == "Signals" else (right.inputs, right.outputs)
        if (seen.inputs, seen.outputs) != (inputs, outputs):
            problems.append(f"{key}: {inputs} -> {outputs}, the page says {seen.inputs} -> {seen.outputs}")
        for fact, value in right.facts.items():
            if fact == "Errors":
                missing = set(value.split()) - set(ERROR.findall(seen.facts.get(fact, "")))
                problems += [f"{key}: the page does not have the error {name}" for name in sorted(missing)]
            elif seen.facts.get(fact) != value:
                problems.append(f"{key}: {fact} is \"{value}\", the page says \"{seen.facts.get(fact)}\"")
    return sorted(problems)


def listed_errors(xml: str) -> "set[str]":
    """The lines "    Name   what it means" of the list that a file begins with."""
    head = xml[:xml.index("<node")]
    return set(re.findall(r"^ {4}([A-Z][A-Za-z]+) {2,}\S", head, re.MULTILINE))


class Page(unittest.TestCase):
    text = ""
    interfaces: List[pathlib.Path] = []

    def test_members(self) -> None:
        said: Dict[Key, Member] = {}
        for path in self.interfaces:
            said.update(contract(path))
        self.assertGreater(len(said), 30)
        self.assertEqual("\n".join(compare(said, page(self.text))), "")

    def test_errors(self) -> None:
        said = set().union(*(listed_errors(path.read_text(encoding="utf-8")) for path in self.interfaces))
        section = self.text[self.text.index("\n.Sh ERRORS"):self.text.index("\n.Sh EXAMPLES")]
        self.assertIn("NoSuchContainer", said)
        self.assertEqual(set(re.findall(r"^\.It Sy (\w+)", section, re.MULTILINE)), said)

    def test_can_fail(self) -> None:
        """Each kind of difference is seen."""
        said = contract(self.interfaces[0])
        for old, new, problem in (
                ('.It Fn StopContainer "s name" "t timeout_usec"', '.It Fn StopContainer "s name"', "the page says"),
                (".It Fn Reload\n", ".It Fn Reloaded\n", "is not in the page"),
                ("Action: run, manage.", "Action: manage.", "Action is"),
                ("Errors: NoSuchProcess.", "Errors: none.", "does not have the error NoSuchProcess"),
                ("Changes: const.", "Changes: true.", "Changes is"),
                ("Since: 0.1.", "Since: 0.2.", "Since is")):
            self.assertIn(old, self.text)
            changed = {key: value for key, value in page(self.text.replace(old, new)).items()
                       if key[0].endswith("Manager")}
            self.assertTrue(any(problem in line for line in compare(said, changed)), (old, compare(said, changed)))


if __name__ == "__main__":
    Page.text = pathlib.Path(sys.argv.pop(1)).read_text(encoding="utf-8")
    Page.interfaces = [pathlib.Path(name) for name in (sys.argv.pop(1), sys.argv.pop(1))]
    unittest.main()
