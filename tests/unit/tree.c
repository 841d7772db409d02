/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A scratch directory for tests of loading; see tree.h. Whatever goes wrong here ends the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/string.h"
#include "text.h"
#include "tree.h"

static void need(int result) {
        if (result < 0) {
                perror("scratch directory");
                abort();
        }
}

Tree *tree_new(void) {
        static const char *const names[] = { "etc", "run", "lib", "var" };
        char path[] = "/tmp/test-berth-XXXXXX";
        Tree *tree = calloc(1, sizeof(Tree));

        if (!tree || !mkdtemp(path) || !(tree->path = strdup(path)))
                abort();
        need(chmod(path, 0755));

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                tree->directories[i].path = strdup(tree_path(tree, names[i]));
                tree->directories[i].trusted = !streq(names[i], "var");
                need(mkdir(tree->directories[i].path, 0755));
                need(chmod(tree->directories[i].path, 0755));
        }
        tree->sources = (DefinitionSources) {
                .directories = tree->directories,
                .n_directories = ELEMENTSOF(tree->directories),
                .trusted_uid = getuid(),
                .anchor = tree->path,
        };

        return tree;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where) {
        return remove(path);
}

Tree *tree_free(Tree *tree) {
        (void) nftw(tree->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        for (size_t i = 0; i < ELEMENTSOF(tree->directories); i++)
                free((char *) tree->directories[i].path);
        free(tree->path);
        free(tree);

        return NULL;
}

const char *tree_path(const Tree *tree, const char *name) {
        static char buffers[4][512];
        static unsigned next;
        char *buffer = buffers[next++ % ELEMENTSOF(buffers)];

        (void) snprintf(buffer, sizeof buffers[0], "%s/%s", tree->path, name);

        return buffer;
}

static FILE *create(const Tree *tree, const char *name) {
        char path[512];
        FILE *stream;

        (void) snprintf(path, sizeof path, "%s", tree_path(tree, name));
        for (char *slash = path + strlen(tree->path) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
                *slash = '\0';
                if (mkdir(path, 0755) == 0)
                        need(chmod(path, 0755));
        }

        (void) unlink(path);
        stream = fopen(path, "we");
        if (!stream)
                need(-1);
        need(fchmod(fileno(stream), 0644));

        return stream;
}

void tree_write(const Tree *tree, const char *name, const char *text) {
        FILE *stream = create(tree, name);

        for (; *text; text++)
                if (*text == '@' && text[1] == '/')
                        fputs(tree->path, stream);
                else
                        fputc(*text, stream);
        need(fclose(stream));
}

void tree_fill(const Tree *tree, const char *name, char c, size_t size) {
        FILE *stream = create(tree, name);

        while (size-- > 0)
                fputc(c, stream);
        need(fclose(stream));
}

void tree_link(const Tree *tree, const char *name, const char *target) {
        const char *path = tree_path(tree, name);

        need(fclose(create(tree, name)));
        need(unlink(path));
        need(symlink(*target == '@' ? tree_path(tree, target + 2) : target, path));
}

void tree_mode(const Tree *tree, const char *name, mode_t mode) {
        need(chmod(tree_path(tree, name), mode));
}

Definition *tree_load(const Tree *tree, const char *name, int expected, char **ret_problems) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        Definition *definition = NULL;
        int r;

        r = definition_load(&tree->sources, name, &definition, &problems);
        *ret_problems = problems_text(&problems);
        if (r != expected || (r == 0) != !!definition || (r == 0) != (problems.n == 0)) {
                fprintf(stderr, "loading %s gave %d, not %d: %s\n", name, r, expected, *ret_problems);
                abort();
        }

        return definition;
}
