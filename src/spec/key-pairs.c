/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/key-pairs.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/array.h"
#include "basic/cleanup.h"
#include "basic/quote.h"
#include "basic/string.h"

int pairs_set_take(KeyValue **pairs, size_t *n, char *key, char *value) {
        _cleanup_free_ char *own_key = key, *own_value = value;

        for (size_t i = 0; i < *n; i++)
                if (streq((*pairs)[i].key, key)) {
                        free((*pairs)[i].value);
                        (*pairs)[i].value = TAKE_PTR(own_value);
                        return 0;
                }

        if (array_reserve(pairs, *n, sizeof(KeyValue)) < 0)
                return -ENOMEM;

        (*pairs)[(*n)++] = (KeyValue) { .key = TAKE_PTR(own_key), .value = TAKE_PTR(own_value) };
        return 0;
}

void pairs_clear(KeyValue **pairs, size_t *n) {
        for (size_t i = 0; i < *n; i++) {
                free((*pairs)[i].key);
                free((*pairs)[i].value);
        }
        free(TAKE_PTR(*pairs));
        *n = 0;
}

int pairs_print(const KeyValue *pairs, size_t n, const char *name, FILE *stream) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *word = string_printf("%s=%s", pairs[i].key, pairs[i].value), *quoted = NULL;

                if (!word)
                        return -ENOMEM;
                quoted = word_quote(word);
                if (!quoted)
                        return -ENOMEM;
                fprintf(stream, "%s=%s\n", name, quoted);
        }

        return ferror(stream) ? -EIO : 0;
}
