/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing a definition; see print.h. The order is that of the key table; Sections that may come more than
 * once come where the table has their keys, in the order of the definition. Only keys that were assigned are written.
 */
#include <errno.h>

#include "basic/string.h"
#include "spec/key.h"
#include "spec/origin.h"
#include "spec/print.h"

/* "# FILE:LINE, FILE:LINE": all assignments of the key that count. */
static int print_origins(const Definition *definition, const Key *key, size_t entry, FILE *stream) {
        const char *separator = "# ";

        for (size_t i = 0; i < definition->n_origins; i++) {
                const KeyOrigin *origin = definition->origins + i;
                _cleanup_free_ char *file = NULL;

                if (origin->key != key || origin->entry != entry)
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

static int print_key(const Definition *definition, const Key *key, size_t entry, FILE *stream) {
        int r;

        r = print_origins(definition, key, entry, stream);

        return r < 0 ? r : key->type->print(key, key_field(key, definition, entry), stream);
}

static int print_section(const Definition *definition, const char *section, size_t entry, FILE *stream) {
        bool begun = entry != ORIGIN_NO_ENTRY;
        int r = 0;

        if (begun)
                fprintf(stream, "\n[%s]\n", section);

        for (size_t i = 0; r >= 0 && i < n_keys; i++) {
                if (!streq(keys[i].section, section) || !origins_find(definition, keys + i, entry))
                        continue;
                if (!begun)
                        fprintf(stream, "\n[%s]\n", section);
                begun = true;
                r = print_key(definition, keys + i, entry, stream);
        }

        return r;
}

int definition_print(const Definition *definition, FILE *stream) {
        const char *section = "";
        const KeyList *list;
        int r = 0;

        fprintf(stream, "# container %s, %s\n", definition->name,
                definition->trusted ? "from files that root alone can write" : "not trusted");

        for (size_t i = 0; r >= 0 && i < n_keys; i++) {
                if (streq(keys[i].section, section))
                        continue;
                section = keys[i].section;
                list = key_list_find(section);
                if (!list) {
                        r = print_section(definition, section, ORIGIN_NO_ENTRY, stream);
                        continue;
                }
                for (size_t entry = 0; r >= 0 && entry < key_list_count(list, definition); entry++)
                        r = print_section(definition, section, entry, stream);
        }
        if (r < 0)
                return r;

        return ferror(stream) ? -EIO : 0;
}
