# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the project is built for the machines of these tests."""

BUILD_OPTIONS = ['-Dfault-injection=true']
