# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the three lists that together say what a caller may do over D-Bus: interfaces, polkit actions, bus policy."""

import pathlib
import xml.etree.ElementTree as ElementTree
from typing import Dict, Iterator, List, NamedTuple, Tuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
INTERFACES = ROOT / "dbus-interfaces"
BUS_POLICY = INTERFACES / "org.berth.container1.conf"
POLKIT = ROOT / "polkit" / "org.berth.container1.policy"
PREFIX = "org.berth.container1."
AUTHORIZATION = "org.berth.Authorization"


class Method(NamedTuple):
    interface: str
    name: str
    arguments: Tuple[Tuple[str, str, str], ...]  # name, type, direction
    authorization: Tuple[str, ...]               # polkit actions without their prefix, or "none"

    def signature(self, direction: str) -> str:
        return "".join(kind for _, kind, way in self.arguments if way == direction)


def methods(path: pathlib.Path) -> Iterator[Method]:
    for interface in ElementTree.parse(path).getroot().iter("interface"):
        for method in interface.iter("method"):
            arguments = tuple((arg.get("name", ""), arg.get("type", ""), arg.get("direction", ""))
                              for arg in method.iter("arg"))
            said = [note.get("value", "") for note in method.iter("annotation") if note.get("name") == AUTHORIZATION]
            yield Method(interface.get("name", ""), method.get("name", ""), arguments,
                         tuple(" ".join(said).split()))


def properties(path: pathlib.Path) -> Dict[str, str]:
    return {prop.get("name", ""): prop.get("type", "") for prop in ElementTree.parse(path).getroot().iter("property")}


def complete_type(signature: str) -> int:
    """The length of the first complete type of a D-Bus signature; ValueError if there is none."""
    if signature == "":
        raise ValueError("ends too early")
    if signature[0] in "ybnqiuxtdsogvh":
        return 1
    if signature[0] == "a":
        if signature[1:2] == "{":
            if signature[2:3] not in tuple("ybnqiuxtdsogh"):
                raise ValueError("the key of a dictionary has to be a basic type")
            value = complete_type(signature[3:])
            if signature[3 + value:4 + value] != "}":
                raise ValueError("a dictionary has one key and one value")
            return 4 + value
        return 1 + complete_type(signature[1:])
    if signature[0] == "(":
        length = 1
        while signature[length:length + 1] != ")":
            length += complete_type(signature[length:])
        if length == 1:
            raise ValueError("an empty structure")
        return length + 1
    raise ValueError(f"`{signature[0]}' is no type")


def single_type(signature: str) -> bool:
    try:
        return complete_type(signature) == len(signature)
    except ValueError:
        return False


def actions(path: pathlib.Path) -> Dict[str, List[str]]:
    """The polkit actions, each with its answers for any, inactive and active sessions."""
    found = {}
    for action in ElementTree.parse(path).getroot().iter("action"):
        defaults = action.find("defaults")
        found[action.get("id", "")] = [] if defaults is None else [
            defaults.findtext(name, "") for name in ("allow_any", "allow_inactive", "allow_active")]
    return found
