/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/seccomp/compile.h"

#include <linux/filter.h>

#include "helper/process/compiler.h"
#include "spec/limits.h"
#include "spec/seccomp.h"

int seccomp_compile(
                const char *bundle, size_t size, char **ret_program, size_t *ret_size, char **ret_message) {
        static char *const arguments[] = { (char *) SECCOMP_PROGRAM, (char *) "compile", NULL };
        static const Compiler compiler = {
                .path = BERTH_BINDIR "/" SECCOMP_PROGRAM,
                .arguments = arguments,
                .output_max = BPF_MAXINSNS * sizeof(struct sock_filter),
                .memory_max = SECCOMP_COMPILE_MEMORY_MAX,
                .seconds_max = SECCOMP_COMPILE_SECONDS_MAX,
        };

        return compiler_run(&compiler, bundle, size, ret_program, ret_size, ret_message);
}
