/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/lsm/apparmor-profile.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/sha256.h"
#include "basic/string.h"
#include "helper/lsm/apparmor-text.h"
#include "helper/process/compiler.h"
#include "helper/store/cache.h"
#include "spec/limits.h"

#define PROFILE_FORMAT "1" /* of what is made of the same parts: part of a profile's name */
#define FLAGS "flags=(attach_disconnected,mediate_deleted)"

static bool has(int directory, const char *path) {
        return directory >= 0 && faccessat(directory, path, F_OK, 0) == 0;
}

static bool has_abi(const char *directory, const char *name) {
        char path[256];

        (void) snprintf(path, sizeof path, "%s/%s", directory, name);
        return access(path, F_OK) == 0;
}

unsigned apparmor_words(const LaunchPlan *plan, int kernel, const char *abi) {
        const Definition *definition = plan->definition;
        unsigned words = 0;

        if (definition->user_namespace)
                words |= APPARMOR_USER_NAMESPACE;
        if (definition->nesting)
                words |= APPARMOR_NESTING;
        if (launch_plan_private(plan, NAMESPACE_CGROUP))
                words |= APPARMOR_CGROUP_NAMESPACE;
        if (launch_plan_private(plan, NAMESPACE_NET))
                words |= APPARMOR_NETWORK_NAMESPACE;

        if (has_abi(abi, "3.0"))
                words |= APPARMOR_ABI_3;
        if (has_abi(abi, "4.0"))
                words |= APPARMOR_ABI_4 | APPARMOR_OPTION_NOSYMFOLLOW;
        if (words & APPARMOR_ABI_4) {
                if (has(kernel, "features/namespaces/mask"))
                        words |= APPARMOR_RULE_USERNS;
                if (has(kernel, "features/ipc/posix_mqueue"))
                        words |= APPARMOR_RULE_MQUEUE;
                if (has(kernel, "features/io_uring"))
                        words |= APPARMOR_RULE_IO_URING;
        }
        if (has(kernel, "features/network/af_unix") || has(kernel, "features/network_v9/af_unix"))
                words |= APPARMOR_RULE_UNIX;
        if (has(kernel, "features/domain/stack")) {
                words |= APPARMOR_STACKING;
                /* In a container the directory of namespaces is root's of the host. */
                if (definition->nesting && !plan->nested && has(kernel, "features/namespaces/profile") &&
                    has(kernel, "policy/namespaces"))
                        words |= APPARMOR_NAMESPACES;
        }
        if (has(kernel, "features/mount/move_mount"))
                words |= APPARMOR_DETACHED_MOUNTS;

        return words;
}

int apparmor_body(
                Failure *failure,
                const ApparmorParts *parts,
                const Definition *definition,
                unsigned words,
                char **ret) {
        _cleanup_free_ char *text = NULL;
        _cleanup_fclose_ FILE *stream = NULL;
        size_t size;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;

        for (size_t i = 0; i < parts->n; i++) {
                unsigned line;

                if (!parts->list[i].text)
                        continue;
                if (apparmor_text_add(stream, parts->list[i].text, words, &line) < 0)
                        return failure_cause(
                                        failure, -EBADMSG,
                                        "%s:%u: a condition is of these words: " APPARMOR_WORDS,
                                        parts->list[i].label, line);
        }
        if (definition->apparmor_rules)
                (void) fputs("# AppArmorRules=\n", stream);
        for (char *const *rule = definition->apparmor_rules; rule && *rule; rule++)
                (void) fprintf(stream, "%s\n", *rule);

        if (fclose(TAKE_PTR(stream)) != 0)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

char *apparmor_profile_text(const char *name, const char *body, unsigned words) {
        return string_printf(
                        "%sprofile %s " FLAGS " {\n%s}\n",
                        words & APPARMOR_ABI_4   ? "abi <abi/4.0>,\n"
                        : words & APPARMOR_ABI_3 ? "abi <abi/3.0>,\n"
                                                 : "",
                        name, body);
}

static void hash_string(Sha256 *hash, const char *s) {
        sha256_add(hash, s, strlen(s) + 1);
}

/* A parser that was exchanged, and a kernel that can do other things, make another profile of the same text.
 */
static int profile_name(const char *body, unsigned words, const struct stat *parser, char **ret) {
        char digits[SHA256_TEXT_SIZE], facts[96];
        uint8_t digest[SHA256_SIZE];
        struct utsname kernel;
        Sha256 hash;

        if (uname(&kernel) < 0)
                return -errno;

        sha256_init(&hash);
        hash_string(&hash, PROFILE_FORMAT " " FLAGS);
        hash_string(&hash, kernel.release);
        hash_string(&hash, kernel.version);
        (void) snprintf(facts, sizeof facts, "%x %lld %lld.%09ld", words, (long long) parser->st_size,
                        (long long) parser->st_mtim.tv_sec, parser->st_mtim.tv_nsec);
        hash_string(&hash, facts);
        hash_string(&hash, body);
        sha256_finish(&hash, digest);
        sha256_text(digest, digits);

        *ret = string_printf(APPARMOR_PREFIX "%s", digits);
        return *ret ? 0 : -ENOMEM;
}

/* The kernel lists profiles as lines, NAME (MODE). */
static bool is_loaded(int kernel, const char *name) {
        _cleanup_fclose_ FILE *profiles = NULL;
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *line = NULL;
        const size_t length = strlen(name);
        size_t size = 0;

        fd = openat(kernel, "profiles", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return false;
        profiles = fdopen(fd, "re");
        if (!profiles)
                return false;
        TAKE_FD(fd);

        while (getline(&line, &size, profiles) > 0)
                if (strncmp(line, name, length) == 0 && line[length] == ' ')
                        return true;

        return false;
}

/* The parser says in which line of its input something is wrong; nobody has seen that input but it. */
static int tell_refusal(Failure *failure, const char *message, const char *text) {
        const char *at = strstr(message, " line ");
        unsigned long line = at ? strtoul(at + strlen(" line "), NULL, 10) : 0;
        int size = (int) strcspn(message, "\n");

        for (; line > 1 && *text; line--)
                text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
        while (*text == ' ')
                text++;
        if (line != 1 || !*text)
                return failure_cause(failure, -EBADMSG, "%.*s", size, message);

        return failure_cause(
                        failure, -EBADMSG, "%.*s, or before, in: %.*s", size, message,
                        (int) strcspn(text, "\n"), text);
}

static int compile(Failure *failure, const char *text, char **ret, size_t *ret_size) {
        static char *const arguments[] = {
                (char *) "apparmor_parser", (char *) "--skip-kernel-load",
                (char *) "--skip-cache",    (char *) "--stdout",
                (char *) "--quiet",         NULL,
        };
        static const Compiler compiler = {
                .path = APPARMOR_PARSER,
                .arguments = arguments,
                .output_max = APPARMOR_PROFILE_SIZE_MAX,
                .memory_max = APPARMOR_COMPILE_MEMORY_MAX,
                .seconds_max = APPARMOR_COMPILE_SECONDS_MAX,
        };
        _cleanup_free_ char *message = NULL;
        int r;

        r = compiler_run(&compiler, text, strlen(text), ret, ret_size, &message);
        if (r == -EBADMSG)
                return tell_refusal(failure, message, text);
        if (r == -ENOEXEC)
                return failure_cause(failure, r, APPARMOR_PARSER ", which compiles it, could not be run");
        if (r == -ECANCELED)
                return failure_cause(
                                failure, r, APPARMOR_PARSER ", which compiles it, was killed or crashed");
        if (r == -EAGAIN)
                return failure_no_process(failure);
        return r == 0 && *ret_size == 0 ? failure_cause(failure, -EBADMSG, APPARMOR_PARSER " gave nothing")
                                        : r;
}

/* As one write(2): the kernel takes a profile whole. */
static int load(Failure *failure, int kernel, const char *data, size_t size) {
        _cleanup_close_ int fd = -EBADF;
        ssize_t n;

        fd = openat(kernel, ".replace", O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return failure_cause(failure, -errno, "no profiles can be loaded: %s", strerror(errno));
        n = write(fd, data, size);
        if (n < 0)
                return failure_cause(failure, -errno, "the kernel does not take it: %s", strerror(errno));
        return n == (ssize_t) size ? 0 : -EIO;
}

static int provide_compiled(Failure *failure, int kernel, int cache, const char *name, const char *text) {
        _cleanup_close_ int file = -EBADF;
        _cleanup_free_ char *data = NULL;
        size_t size = 0;
        int r;

        r = compile(failure, text, &data, &size);
        if (r < 0)
                return r;
        r = load(failure, kernel, data, size);
        if (r < 0)
                return r;

        /* Without a cache, on a host whose /var is read-only or full, the first start after a boot takes
         * longer. */
        if (cache >= 0)
                (void) cache_write(cache, name, data, size, &file);
        return 0;
}

/* 1 if the kernel has it now, 0 if it has to be compiled. */
static int provide_cached(Failure *failure, int kernel, int cache, const char *name) {
        _cleanup_close_ int file = -EBADF;
        _cleanup_free_ char *data = NULL;
        size_t size = 0;
        int r;

        if (is_loaded(kernel, name))
                return 1;
        if (cache < 0 || cache_read(cache, name, APPARMOR_PROFILE_SIZE_MAX, &data, &size, &file) < 0)
                return 0;

        r = load(failure, kernel, data, size);
        return r < 0 ? r : 1;
}

static int provide(Failure *failure, int kernel, const char *name, const char *body, unsigned words) {
        _cleanup_close_ int cache = -EBADF;
        _cleanup_free_ char *text = NULL;
        int r;

        if (is_loaded(kernel, name))
                return 0;

        (void) cache_open(APPARMOR_CACHE, &cache);
        r = provide_cached(failure, kernel, cache, name);
        if (r != 0)
                return r < 0 ? r : 0;

        /* Of many that start at once, as at a boot with a new kernel, one compiles and the others wait. */
        if (cache >= 0 && flock(cache, LOCK_EX) == 0) {
                r = provide_cached(failure, kernel, cache, name);
                if (r != 0)
                        return r < 0 ? r : 0;
        }

        text = apparmor_profile_text(name, body, words);
        if (!text)
                return -ENOMEM;
        return provide_compiled(failure, kernel, cache, name, text);
}

int apparmor_profile_provide(
                Failure *failure, const LaunchPlan *plan, int kernel, unsigned words, char **ret_name) {
        _cleanup_(apparmor_parts_clear) ApparmorParts parts = APPARMOR_PARTS_NULL;
        _cleanup_free_ char *body = NULL, *name = NULL;
        struct stat parser;
        int r;

        if (stat(APPARMOR_PARSER, &parser) < 0)
                return failure_cause(failure, -errno, APPARMOR_PARSER ": %s", strerror(errno));
        r = apparmor_parts_read(failure, definition_sources_host(), apparmor_directories, &parts);
        if (r < 0)
                return r;
        r = apparmor_body(failure, &parts, plan->definition, words, &body);
        if (r < 0)
                return r;
        r = profile_name(body, words, &parser, &name);
        if (r < 0)
                return r;
        r = provide(failure, kernel, name, body, words);
        if (r < 0)
                return r;

        *ret_name = TAKE_PTR(name);
        return 0;
}
