/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing a definition; see print.h. The order is that of the key table; [Mount] sections come where the
 * table has their keys, in the order of the definition. Only keys that were assigned are written.
 */
#include <errno.h>

#include "basic/string.h"
#include "spec/key.h"
#include "spec/origin.h"
#include "spec/print.h"

/* "# FILE:LINE, FILE:LINE": all assignments of the key that count. */
static int print_origins(const Definition *definition, const Key *key, size_t mount, FILE *stream) {
        const char *separator = "# ";

        for (size_t i = 0; i < definition->n_origins; i++) {
                const KeyOrigin *origin = definition->origins + i;
                _cleanup_free_ char *file = NULL;

                if (origin->key != key || origin->mount != mount)
                        continue;
                file = string_escape_unprintable(origin->origin.file);
                if (!file)
                        return -ENOMEM;
                fprintf(stream, "%s%s:%u", separator, file, origin->origin.line);
                separator = ", ";
        }
        fputc('\n', stream);

        return 0;
}

static int print_key(const Definition *definition, const Key *key, size_t mount, FILE *stream) {
        const char *base = mount == ORIGIN_NO_MOUNT ? (const char *) definition :
                                                      (const char *) (definition->mounts + mount);
        int r;

        r = print_origins(definition, key, mount, stream);

        return r < 0 ? r : key->type->print(key, base + key->offset, stream);
}

static int print_section(const Definition *definition, const char *section, size_t mount, FILE *stream) {
        bool begun = mount != ORIGIN_NO_MOUNT;
        int r = 0;

        if (begun)
                fprintf(stream, "\n[%s]\n", section);

        for (size_t i = 0; r >= 0 && i < n_keys; i++) {
                if (!streq(keys[i].section, section) || !origins_find(definition, keys + i, mount))
                        continue;
                if (!begun)
                        fprintf(stream, "\n[%s]\n", section);
                begun = true;
                r = print_key(definition, keys + i, mount, stream);
        }

        return r;
}

int definition_print(const Definition *definition, FILE *stream) {
        const char *section = "";
        int r = 0;

        fprintf(stream, "# container %s, %s\n", definition->name,
                definition->trusted ? "from files that root alone can write" : "not trusted");

        for (size_t i = 0; r >= 0 && i < n_keys; i++) {
                if (streq(keys[i].section, section))
                        continue;
                section = keys[i].section;
                if (!streq(section, SECTION_MOUNT)) {
                        r = print_section(definition, section, ORIGIN_NO_MOUNT, stream);
                        continue;
                }
                for (size_t mount = 0; r >= 0 && mount < definition->n_mounts; mount++)
                        r = print_section(definition, section, mount, stream);
        }
        if (r < 0)
                return r;

        return ferror(stream) ? -EIO : 0;
}
