/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which containers have a definition, by the names of the files in all places.
 */
#include <unistd.h>

#include "basic/strv.h"
#include "test.h"
#include "tree.h"

static void test_list(void) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_(tree_freep) Tree *tree = tree_new();
        _cleanup_(strv_freep) char **names = NULL;

        tree_write(tree, "etc/web.container", "");
        tree_write(tree, "lib/web.container", "");
        tree_write(tree, "var/db.container", "");
        tree_write(tree, "etc/Bad.container", "");
        tree_write(tree, "etc/readme.txt", "");
        tree_link(tree, "etc/gone.container", "/dev/null");
        tree_write(tree, "lib/gone.container", "");

        CHECK_INT(definition_list(&tree->sources, &names, &problems), 0);
        CHECK_INT(strv_length(names), 2);
        CHECK_STR(names[0], "db");
        CHECK_STR(names[1], "web");
        CHECK_INT(problems.n, 0);
}

/* A place that cannot be read hides what is in it, and nothing else. */
static void test_list_in_part(void) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_(tree_freep) Tree *tree = tree_new();
        _cleanup_(strv_freep) char **names = NULL;

        tree_write(tree, "etc/web.container", "");
        CHECK_INT(rmdir(tree_path(tree, "run")), 0);
        tree_link(tree, "run", "run");
        tree_write(tree, "var/db.container", "");

        CHECK_INT(definition_list(&tree->sources, &names, &problems), DEFINITION_E_INVALID);
        CHECK_INT(strv_length(names), 2);
        CHECK_STR(names[0], "db");
        CHECK_STR(names[1], "web");
        CHECK_INT(problems.n, 1);
        CHECK_HAS(problems.list[0].file, "/run");
        CHECK_HAS(problems.list[0].text, "cannot be read: Too many levels of symbolic links");
}

TESTS(test_list, test_list_in_part)
