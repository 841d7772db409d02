/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user's editor, as systemctl(1) finds it: $SYSTEMD_EDITOR, $EDITOR, $VISUAL, editor, nano, vim, vi.
 */
#pragma once

/* Opens a file in it and waits until the user is done. 0, or a negative errno: -ECANCELED if it did not end
 * well. RET_LINE is the variable's value that names it; NULL: there is none, and -ENOENT means that there is
 * no editor at all. */
int editor_run(const char *path, const char **ret_line);
