/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/process/environment.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/file.h"

#define OS_RELEASE_MAX (64 * 1024)
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void environment_done(Environment *environment) {
        for (size_t i = 0; i < environment->n; i++)
                free(environment->variables[i]);
        free(environment->variables);
        *environment = ENVIRONMENT_NULL;
}

int environment_set(Environment *environment, const char *name, const char *value) {
        _cleanup_free_ char *assignment = NULL;
        size_t length = strlen(name);
        char **larger;

        if (asprintf(&assignment, "%s=%s", name, value) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < environment->n; i++)
                if (strncmp(environment->variables[i], name, length) == 0 && environment->variables[i][length] == '=') {
                        free(environment->variables[i]);
                        environment->variables[i] = TAKE_PTR(assignment);
                        return 0;
                }

        larger = reallocarray(environment->variables, environment->n + 2, sizeof *larger);
        if (!larger)
                return -ENOMEM;

        environment->variables = larger;
        environment->variables[environment->n++] = TAKE_PTR(assignment);
        environment->variables[environment->n] = NULL;
        return 0;
}

static int environment_set_all(Environment *environment, const KeyValue *pairs, size_t n) {
        for (size_t i = 0; i < n; i++) {
                int r = environment_set(environment, pairs[i].key, pairs[i].value);

                if (r < 0)
                        return r;
        }

        return 0;
}

int environment_fill(Environment *environment, const LaunchPlan *plan, const User *user) {
        const bool init = plan->boot == BOOT_INIT;
        const KeyValue always[] = {
                { (char *) "container", (char *) "berth" },
                { (char *) "container_uuid", (char *) plan->machine_id },
                { (char *) "PATH", (char *) DEFAULT_PATH },
        };
        const KeyValue login[] = {
                { (char *) "HOME", (char *) user->home },
                { (char *) "USER", (char *) user->name },
                { (char *) "LOGNAME", (char *) user->name },
                { (char *) "SHELL", (char *) user->shell },
        };
        int r;

        r = environment_set_all(environment, always, ELEMENTSOF(always));
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(login) && !init; i++) {
                if (!login[i].value[0])
                        continue;
                r = environment_set_all(environment, &login[i], 1);
                if (r < 0)
                        return r;
        }

        return environment_set_all(environment, plan->definition->environment, plan->definition->n_environment);
}

/* A value of os-release without its quotes. Only plain characters are let through: this goes into somebody else's
 * environment. */
static void os_release_value(const char *text, size_t size, char *buffer, size_t buffer_size) {
        size_t n = 0;

        for (size_t i = 0; i < size && n + 1 < buffer_size; i++)
                if (isalnum((unsigned char) text[i]) || strchr("._-+~", text[i]))
                        buffer[n++] = text[i];
        buffer[n] = '\0';
}

int environment_add_host(Environment *environment) {
        static const struct {
                const char *key, *variable;
        } keys[] = {
                { "ID=", "container_host_id" },
                { "VERSION_ID=", "container_host_version_id" },
                { "BUILD_ID=", "container_host_build_id" },
                { "VARIANT_ID=", "container_host_variant_id" },
        };
        _cleanup_free_ char *text = NULL;
        int r;

        r = file_read(AT_FDCWD, "/etc/os-release", OS_RELEASE_MAX, &text, NULL);
        if (r == -ENOENT)
                r = file_read(AT_FDCWD, "/usr/lib/os-release", OS_RELEASE_MAX, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        for (const char *line = text; *line;) {
                size_t size = strcspn(line, "\n");

                for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                        size_t length = strlen(keys[i].key);
                        char value[128];

                        if (size <= length || strncmp(line, keys[i].key, length) != 0)
                                continue;
                        os_release_value(line + length, size - length, value, sizeof value);
                        r = environment_set(environment, keys[i].variable, value);
                        if (r < 0)
                                return r;
                }

                line += size + (line[size] == '\n');
        }

        return 0;
}
