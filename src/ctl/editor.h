/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user's editor, as systemctl(1) finds it: $SYSTEMD_EDITOR, $EDITOR, $VISUAL, editor, nano, vim, vi.
 */
#pragma once

/* Opens a file in it and waits until the user is done. 0, or a negative errno: -ENOENT if there is no editor,
 * -ECANCELED if it did not end well. */
int editor_run(const char *path);
