/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prints a definition file as the program understands it, for tests written in other languages. berthctl does
 * the same for definitions in their places alone.
 */
#include "spec/load.h"
#include "spec/print.h"

int main(int argc, char **argv) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;

        if (argc != 2)
                return 2;
        if (definition_load_file(definition_sources_host(), argv[1], &definition, &problems) != 0) {
                (void) problems_print(&problems, stderr);
                return 1;
        }

        return definition_print(definition, stdout) < 0;
}
