/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Profiles of system call filters: a bundle, as the helper sends it, if the input is one, else a single
 * profile, and the same text as a profile of LXC. What is accepted becomes a program in which every jump
 * stays inside and goes forward; what is made of LXC's is understood.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "seccomp/filter.h"
#include "seccomp/lxc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
        if (!condition)
                abort();
}

static void check_program(const Filter *filter) {
        must(filter->n > 0 && filter->n <= BPF_MAXINSNS);
        for (size_t i = 0; i < filter->n; i++) {
                const struct sock_filter *f = filter->instructions + i;

                if (BPF_CLASS(f->code) != BPF_JMP)
                        continue;
                must(BPF_OP(f->code) == BPF_JA ? f->k < filter->n - i - 1
                                               : i + 1 + f->jt < filter->n && i + 1 + f->jf < filter->n);
        }
        must(BPF_CLASS(filter->instructions[filter->n - 1].code) == BPF_RET);
}

static void compile(const SeccompBundle *bundle, bool must_parse) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_(profile_freep) Profile *profile = NULL;
        int r;

        r = profile_parse(bundle, &profile, &problems);
        must(r == 0 ? problems.n == 0 : r == -EBADMSG && problems.n > 0 && !must_parse);
        for (unsigned family = 0; r == 0 && family < 2; family++) {
                _cleanup_(filter_clear) Filter filter = FILTER_NULL;
                int compiled = filter_compile(profile, family == 0 ? 7 : 24, &filter, &problems);

                must(compiled == 0 || (compiled == -EBADMSG && problems.n > 0));
                if (compiled == 0)
                        check_program(&filter);
        }
}

static int bundle_of_one(const char *text, size_t size, SeccompBundle *ret) {
        char *copy = malloc(size + 1);

        must(copy);
        memcpy(copy, text, size);
        copy[size] = '\0';
        return seccomp_bundle_add_take(ret, "", "text", copy, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(seccomp_bundle_clear) SeccompBundle bundle = SECCOMP_BUNDLE_NULL,
                                                      imported = SECCOMP_BUNDLE_NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_free_ char *text = NULL;
        int r;

        r = seccomp_bundle_parse((const char *) data, size, &bundle);
        if (r < 0)
                r = bundle_of_one((const char *) data, size, &bundle);
        if (r == 0)
                compile(&bundle, false);

        r = lxc_import("text", (const char *) data, size, &text, &problems);
        must(r == 0 ? text != NULL : r == -EBADMSG && problems.n > 0);
        if (r == 0 && bundle_of_one(text, strlen(text), &imported) == 0)
                compile(&imported, !strstr(text, "notify sendmsg"));

        return 0;
}
