# SPDX-License-Identifier: LGPL-2.1-or-later
"""Inside the machine: runs the sections that are asked for, and prints each as a line of JSON."""

import json
import sys
import traceback

from . import confinement, sections, service
from .contenders import allow_ids

# name: (arguments, arguments of --quick)
SECTIONS = {'start': ((60,), (15,)), 'row': ((100,), (16,)), 'systemd': ((40,), (10,)), 'footprint': ((50,), (10,)),
            'boot': ((5,), (1,)), 'service': ((40, 100, 1000), (10, 20, 1000)), 'many': ((40, 300), (10, 50)),
            'layers': ((60,), (15,)), 'calls': ((5,), (2,))}
ELSEWHERE = {'service': service, 'layers': confinement, 'calls': confinement}


def main():
    quick, names = sys.argv[1] == 'quick', sys.argv[2:]
    allow_ids()
    for name in names:
        try:
            result = getattr(ELSEWHERE.get(name, sections), name)(*SECTIONS[name][quick])
        except Exception:  # one section that cannot be had leaves the others
            result = {'error': traceback.format_exc()}
        print(json.dumps({'name': name} | result), flush=True)


if __name__ == '__main__':
    main()
