# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parts of tests/bench/bench. host.py runs on the host, everything else inside the machine that it boots."""
