/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between the helper and `berth-unpack`, which it runs without rights: a user namespace in which the foreign range is
 * 0 to 65535, and namespaces of every other kind. Its arguments, descriptors and answer, and nothing of either side.
 *
 *   berth-unpack archive      takes an archive from UNPACK_FD_INPUT (a file or a pipe)
 *   berth-unpack tree         copies the tree at UNPACK_FD_TREE, a detached mount whose owners are mapped
 *   berth-unpack tree-of-one  the same where one user's files are all that counts, as the root's
 *
 * The answer are lines on UNPACK_FD_ANSWER: "note SENTENCE" for each kind of thing that was left out or changed, and
 * one last line, "done" or "failed ERRNO SENTENCE". No last line: it was killed. What it says is no more to be
 * believed than the archive.
 */
#pragma once

#define UNPACK_PROGRAM "berth-unpack"
#define UNPACK_ARCHIVE "archive"
#define UNPACK_TREE "tree"
#define UNPACK_TREE_OF_ONE "tree-of-one"

#define UNPACK_FD_INPUT 0
#define UNPACK_FD_ANSWER 1
#define UNPACK_FD_TARGET 3   /* a detached mount of the empty directory to fill */
#define UNPACK_FD_TREE 4
#define UNPACK_FD_PROGRESS 5 /* a pipe for lines "DONE TOTAL"; may be missing */

#define UNPACK_NOTE "note "
#define UNPACK_DONE "done"
#define UNPACK_FAILED "failed "
#define UNPACK_ANSWER_MAX (32 * 1024)
#define UNPACK_SENTENCE_MAX 2048
#define UNPACK_NOTES_MAX 16
