/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the unpacker gives up before it looks at a single byte: every path of the host, every right but those over the
 * files it makes, every system call that it has no use for.
 */
#pragma once

/* Makes the detached mount TARGET the root directory and gives up the rest. Refuses in the host's user namespace. */
int rootless_enter(int target);
