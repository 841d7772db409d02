/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berth-generator: run by systemd whenever it loads its units (systemd.generator(7)). Writes for each definition what
 * the container's unit needs of it. A definition that cannot be understood is passed over: its start says why.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/strv.h"
#include "spec/dropin.h"
#include "spec/load.h"
#include "spec/policy.h"

typedef struct Definitions {
        Definition **list;
        size_t n;
} Definitions;

static void definitions_done(Definitions *definitions) {
        for (size_t i = 0; i < definitions->n; i++)
                definition_free(definitions->list[i]);
        free(definitions->list);
}

static int load_one(const char *name, Definition **ret) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        int r;

        *ret = NULL;

        r = definition_load(definition_sources_host(), name, &definition, &problems);
        if (r == 0)
                r = policy_check(definition, &problems);
        if (r < 0)
                return r;
        if (r > 0)
                return 0;

        *ret = TAKE_PTR(definition);
        return 0;
}

/* 0, DEFINITION_E_INVALID when there may be more, or negative errno. */
static int load_all(Definitions *definitions) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_(strv_freep) char **names = NULL;
        int result, r;

        result = definition_list(definition_sources_host(), &names, &problems);
        if (result < 0)
                return result;
        if (result > 0)
                (void) problems_print(&problems, stderr);

        definitions->list = calloc(strv_length(names) + 1, sizeof *definitions->list);
        if (!definitions->list)
                return -ENOMEM;

        for (char **name = names; name && *name; name++) {
                r = load_one(*name, &definitions->list[definitions->n]);
                if (r < 0)
                        return r;
                if (definitions->list[definitions->n])
                        definitions->n++;
        }

        return result;
}

static int write_dropin(int directory, const char *name, const char *file, const char *text) {
        _cleanup_free_ char *path = NULL;

        if (!*text)
                return 0;

        if (asprintf(&path, "container@%s.service.d", name) < 0)
                return -ENOMEM;
        if (mkdirat(directory, path, 0755) < 0 && errno != EEXIST)
                return -errno;

        free(TAKE_PTR(path));
        if (asprintf(&path, "container@%s.service.d/%s", name, file) < 0)
                return -ENOMEM;

        return file_create(directory, path, 0644, text);
}

static int generate(int directory, const Definition *definition, const Order *place) {
        _cleanup_(device_nodes_done) DeviceNodes devices = DEVICE_NODES_NULL;
        _cleanup_free_ char *properties = NULL, *order = NULL;
        const DeviceSpec *failed = NULL;
        int r;

        /* What is not there yet may come before the start, which has this done again then. */
        r = device_nodes_find(definition, &devices, &failed);
        if (r == -ENOMEM)
                return r;
        r = dropin_properties(definition, &devices, &properties);
        if (r < 0)
                return r;
        r = dropin_order(definition, place, &order);
        if (r < 0)
                return r;
        r = write_dropin(directory, definition->name, DROPIN_NAME, properties);
        if (r < 0)
                return r;

        return write_dropin(directory, definition->name, DROPIN_ORDER_NAME, order);
}

int main(int argc, char **argv) {
        _cleanup_(definitions_done) Definitions definitions = {};
        _cleanup_(orders_clear) Orders orders = ORDERS_EMPTY;
        _cleanup_close_ int directory = -EBADF;
        int r, status = EXIT_SUCCESS;

        if (argc != 2 && argc != 4) {
                (void) fprintf(stderr, "berth-generator: run by systemd, with one or three directories; see systemd.generator(7)\n");
                return 2;
        }

        (void) umask(0022);
        directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0) {
                (void) fprintf(stderr, "berth-generator: cannot open %s: %s\n", argv[1], strerror(errno));
                return EXIT_FAILURE;
        }

        r = load_all(&definitions);
        if (r > 0)
                status = EXIT_FAILURE;
        if (r >= 0)
                r = orders_make(definitions.list, definitions.n, &orders);
        if (r < 0) {
                (void) fprintf(stderr, "berth-generator: cannot read the definitions: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }

        for (size_t i = 0; i < definitions.n; i++) {
                r = generate(directory, definitions.list[i], &orders.list[i]);
                if (r < 0) {
                        (void) fprintf(stderr, "berth-generator: cannot write the drop-in of container %s: %s\n",
                                       definitions.list[i]->name, strerror(-r));
                        status = EXIT_FAILURE;
                }
        }

        return status;
}
