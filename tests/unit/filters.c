/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filters.h"

#include <linux/audit.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "test.h"

static uint32_t data_word(const struct seccomp_data *data, uint32_t offset) {
        uint32_t word;

        REQUIRE(offset <= sizeof *data - sizeof word && offset % sizeof word == 0);
        memcpy(&word, (const char *) data + offset, sizeof word);
        return word;
}

/* By how many instructions a jump goes on. What no filter of ours may have ends the program. */
static uint32_t jump(const struct sock_filter *f, uint32_t a) {
        switch (f->code) {
        case BPF_JMP | BPF_JA:
                return f->k;
        case BPF_JMP | BPF_JEQ | BPF_K:
                return a == f->k ? f->jt : f->jf;
        case BPF_JMP | BPF_JGE | BPF_K:
                return a >= f->k ? f->jt : f->jf;
        case BPF_JMP | BPF_JGT | BPF_K:
                return a > f->k ? f->jt : f->jf;
        default:
                REQUIRE(false);
                return 0;
        }
}

uint32_t
filter_run(const Filter *filter, uint32_t architecture, uint32_t number, const uint64_t *arguments) {
        struct seccomp_data data = { .nr = (int) number, .arch = architecture };
        uint32_t a = 0;

        if (arguments)
                memcpy(data.args, arguments, sizeof data.args);
        for (size_t i = 0; i < filter->n; i++) {
                const struct sock_filter *f = filter->instructions + i;

                if (f->code == (BPF_RET | BPF_K))
                        return f->k;
                if (f->code == (BPF_LD | BPF_W | BPF_ABS))
                        a = data_word(&data, f->k);
                else if (f->code == (BPF_ALU | BPF_AND | BPF_K))
                        a &= f->k;
                else
                        i += jump(f, a);
        }

        REQUIRE(false);
        return 0;
}

int filter_of_bundle(SeccompBundle *bundle, unsigned architectures, Filter *ret, char **ret_message) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_(profile_freep) Profile *profile = NULL;
        int r;

        r = profile_parse(bundle, &profile, &problems);
        if (r >= 0)
                r = filter_compile(profile, architectures, ret, &problems);
        if (ret_message)
                *ret_message = problems.n > 0 ? problem_format(problems.list) : NULL;
        return r;
}

int filter_try(const char *text, unsigned architectures, Filter *ret, char **ret_message) {
        _cleanup_(seccomp_bundle_clear) SeccompBundle bundle = SECCOMP_BUNDLE_NULL;

        REQUIRE(seccomp_bundle_add_take(&bundle, "", "test", strdup(text), strlen(text)) == 0);
        return filter_of_bundle(&bundle, architectures, ret, ret_message);
}

Filter filter_of(const char *text) {
        _cleanup_free_ char *message = NULL;
        Filter filter = FILTER_NULL;
        int r;

        r = filter_try(text, X86_FAMILY, &filter, &message);
        if (r < 0)
                fprintf(stderr, "%s\n", message ?: "?");
        REQUIRE(r == 0);
        return filter;
}

uint32_t call_of(const char *call, uint32_t token) {
        int number = seccomp_syscall_resolve_name_arch(token, call);

        REQUIRE(number >= 0);
        return (uint32_t) number;
}

uint32_t filter_ask(const Filter *filter, const char *call, uint64_t a, uint64_t b, uint64_t c) {
        const uint64_t arguments[6] = { a, b, c };

        return filter_run(filter, AUDIT_ARCH_X86_64, call_of(call, SCMP_ARCH_X86_64), arguments);
}

uint32_t filter_ask_x86(const Filter *filter, const char *call, uint64_t a, uint64_t b, uint64_t c) {
        const uint64_t arguments[6] = { a, b, c };

        /* libseccomp gives this name to a way through socketcall(2). */
        return filter_run(
                        filter, AUDIT_ARCH_I386, streq(call, "socket") ? 359 : call_of(call, SCMP_ARCH_X86),
                        arguments);
}
