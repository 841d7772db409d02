/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/launch/handed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "helper/launch/subject.h"
#include "spec/load.h"
#include "spec/unit.h"

/* One notification for each: they have names of their own. What has no end that could hang up needs no
 * watching. */
static int handed_keep_one(const Notify *notify, const char *prefix, const char *name, int fd) {
        char text[64 + HANDOVER_NAME_MAX];

        (void) snprintf(text, sizeof text, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s%s", prefix, name);
        return notify_send_fds(notify, text, &fd, 1);
}

static int handed_keep(const Notify *notify, const Handover *handed) {
        int r;

        r = handed_keep_one(notify, HANDOVER_STORE_DEFINITION, "", handed->definition);
        for (size_t i = 0; r == 0 && i < handed->n_fds; i++)
                r = handed_keep_one(notify, HANDOVER_STORE_PREFIX, handed->fds[i].name, handed->fds[i].fd);

        return r;
}

/* The socket is nothing that a guest may have. */
static int handed_close_input(void) {
        _cleanup_close_ int fd = -EBADF;

        fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
                return -errno;

        return 0;
}

int handed_receive(Failure *failure, const Notify *notify, FdStore *store, const char *name) {
        int r;

        r = step_begin(failure, STEP_DEFINITION, "%s", name);
        if (r < 0)
                return r;

        if (store->handed.definition < 0) {
                handover_clear(&store->handed);
                r = handover_receive(STDIN_FILENO, &store->handed);
                if (r == -ENODATA)
                        return failure_cause(
                                        failure, r,
                                        "nothing was handed over on standard input, or a launcher took "
                                        "it that was killed; run the container anew");
                if (r < 0)
                        return failure_cause(
                                        failure, r, "standard input is not what berth's service hands over");
                r = handed_keep(notify, &store->handed);
                if (r < 0)
                        return r;
        }

        return handed_close_input();
}

int handed_load(Failure *failure, const FdStore *store, const char *name, Definition **ret) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        const char *names[HANDOVER_FDS_MAX], *missing;
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = step_begin(failure, STEP_DEFINITION, "%s", name);
        if (r < 0)
                return r;
        r = handover_read_definition(store->handed.definition, &text, &size);
        if (r < 0)
                return r;
        r = definition_load_text(name, "definition", text, size, false, &definition, &problems);
        if (r != 0)
                return subject_problem(failure, &problems, r < 0 ? r : -START_ERRNO_INVALID_DEFINITION);

        for (size_t i = 0; i < store->handed.n_fds; i++)
                names[i] = store->handed.fds[i].name;
        missing = definition_missing_descriptor(definition, names, store->handed.n_fds);
        if (missing)
                return failure_cause(
                                failure, -EBADF,
                                "it names the descriptor fd:%s, and none of that name was handed over",
                                missing);

        r = subject_check(failure, definition);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(definition);
        return 0;
}
