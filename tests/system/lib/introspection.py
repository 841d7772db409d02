# SPDX-License-Identifier: LGPL-2.1-or-later
"""D-Bus interfaces as introspection data describes them, ready to be compared."""

import xml.etree.ElementTree as ElementTree
from typing import Dict, List, NamedTuple, Tuple

CHANGES = 'org.freedesktop.DBus.Property.EmitsChangedSignal'


class Interface(NamedTuple):
    methods: Dict[str, List[Tuple[str, str, str]]]  # arguments: name, type, direction
    signals: Dict[str, List[Tuple[str, str]]]       # arguments: name, type
    properties: Dict[str, Tuple[str, str, str]]     # type, access, what is announced of a change


def note(element, name, default):
    return next((one.get('value') for one in element.findall('annotation') if one.get('name') == name), default)


def interface(element):
    """One <interface>. The order of arguments counts, that of members does not."""
    return Interface(
        {method.get('name'): [(arg.get('name', ''), arg.get('type'), arg.get('direction', 'in'))
                              for arg in method.findall('arg')] for method in element.findall('method')},
        {signal.get('name'): [(arg.get('name', ''), arg.get('type')) for arg in signal.findall('arg')]
         for signal in element.findall('signal')},
        {prop.get('name'): (prop.get('type'), prop.get('access'), note(prop, CHANGES, 'true'))
         for prop in element.findall('property')})


def interfaces(xml):
    """All interfaces of introspection data, by name."""
    return {one.get('name'): interface(one) for one in ElementTree.fromstring(xml).findall('interface')}


def differences(expected, found):
    """In words; nothing if both are the same."""
    said = []
    for kind in Interface._fields:
        wanted, there = getattr(expected, kind), getattr(found, kind)
        said += [f'{kind}: no {name}' for name in sorted(wanted.keys() - there.keys())]
        said += [f'{kind}: {name} is not in the contract' for name in sorted(there.keys() - wanted.keys())]
        said += [f'{kind}: {name} is {there[name]}, not {wanted[name]}'
                 for name in sorted(wanted.keys() & there.keys()) if wanted[name] != there[name]]
    return said


def listing(text):
    """The members of one interface in the table of `busctl introspect`: name, kind, signature, result, flags."""
    rows = {}
    for line in text.splitlines():
        words = line.split()
        name, kind, signature = words[:3]
        if kind == 'property':
            rows[name.removeprefix('.')] = (kind, signature, words[-1])
        elif kind in ('method', 'signal'):
            rows[name.removeprefix('.')] = (kind, signature, words[3])
    return rows


def expected_listing(one):
    """What busctl's table has to say of an interface."""
    flags = {'true': 'emits-change', 'invalidates': 'emits-invalidation', 'const': 'const', 'false': '-'}
    rows = {}
    for name, arguments in one.methods.items():
        ways = {way: ''.join(kind for _, kind, direction in arguments if direction == way) or '-'
                for way in ('in', 'out')}
        rows[name] = ('method', ways['in'], ways['out'])
    for name, arguments in one.signals.items():
        rows[name] = ('signal', ''.join(kind for _, kind in arguments) or '-', '-')
    for name, (kind, _, announced) in one.properties.items():
        rows[name] = ('property', kind, flags[announced])
    return rows
