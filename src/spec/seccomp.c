/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/seccomp.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/array.h"
#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "spec/limits.h"
#include "spec/place.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define HEADER_FIELDS 3

const char *const seccomp_directories[] = {
        "/etc/berth/seccomp",
        "/run/berth/seccomp",
        BERTH_SECCOMPDIR,
        NULL,
};

void seccomp_bundle_clear(SeccompBundle *bundle) {
        for (size_t i = 0; i < bundle->n; i++) {
                free(bundle->sources[i].name);
                free(bundle->sources[i].label);
                free(bundle->sources[i].text);
        }
        free(bundle->sources);
        *bundle = SECCOMP_BUNDLE_NULL;
}

static bool name_is_valid(const char *name, size_t size) {
        if (size == 0 || size > NAME_MAX_LENGTH || !memchr(LETTERS, name[0], strlen(LETTERS)))
                return false;
        for (size_t i = 0; i < size; i++)
                if (!memchr(LETTERS "0123456789-", name[i], strlen(LETTERS "0123456789-")))
                        return false;

        return true;
}

bool seccomp_name_is_valid(const char *name) {
        return name_is_valid(name, strlen(name));
}

const char *seccomp_line_extends(const char *line, size_t size, size_t *ret_size) {
        static const char word[] = "extends";
        size_t at = strlen(word), n = 0;

        if (size <= at || memcmp(line, word, at) != 0 || (line[at] != ' ' && line[at] != '\t'))
                return NULL;
        while (at < size && (line[at] == ' ' || line[at] == '\t'))
                at++;
        while (at + n < size && !memchr(" \t\r\n#", line[at + n], 5))
                n++;

        *ret_size = n;
        return n > 0 ? line + at : NULL;
}

const SeccompSource *seccomp_bundle_find(const SeccompBundle *bundle, const char *name, size_t size) {
        for (size_t i = 0; i < bundle->n; i++)
                if (strlen(bundle->sources[i].name) == size &&
                    memcmp(bundle->sources[i].name, name, size) == 0)
                        return bundle->sources + i;

        return NULL;
}

int seccomp_bundle_add_take(
                SeccompBundle *bundle, const char *name, const char *label, char *text, size_t size) {
        SeccompSource source = { .name = strdup(name), .label = strdup(label), .text = text, .size = size };
        int r = source.name && source.label && text ? 0 : -ENOMEM;

        if (r == 0 && bundle->n >= SECCOMP_PROFILES_MAX)
                r = -E2BIG;
        if (r == 0 && (size > FILE_SIZE_MAX || bundle->size + size > FILE_SIZE_MAX))
                r = -EFBIG;
        if (r == 0)
                r = ARRAY_APPEND(bundle->sources, bundle->n, source);
        if (r < 0) {
                free(source.name);
                free(source.label);
                free(text);
                return r;
        }

        bundle->size += size;
        return 0;
}

static int
complain(Problems *problems,
         const SeccompSource *source,
         unsigned line,
         const char *name,
         const char *text) {
        int r;

        r = problems_add(problems, source->label, line, NULL, "the profile %s %s", name, text);
        return r < 0 ? r : -EBADMSG;
}

/* 0, or 1 when the directory has no such file. */
static int
read_profile(SeccompBundle *bundle,
             const char *directory,
             const char *name,
             const DefinitionSources *trusted,
             const SeccompSource *from,
             unsigned line,
             Problems *problems) {
        _cleanup_(place_clear) Place place = PLACE_EMPTY;
        _cleanup_free_ char *path = NULL;
        char *text;
        size_t size;
        int r;

        path = string_printf("%s/%s" SECCOMP_SUFFIX, directory, name);
        if (!path)
                return -ENOMEM;
        r = place_open(trusted ?: definition_sources_host(), path, trusted, &place);
        if (r == -ENOENT)
                return 1;
        if (r == -ENOMEM)
                return r;
        if (r != 0 || place.directory)
                return complain(problems, from, line, path, r != 0 ? place_error_text(r) : "is a directory");
        if (trusted && !place.trusted)
                return complain(problems, from, line, path, "is not a file that root alone can write");

        r = fd_read_all(place.fd, FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return complain(problems, from, line, path, strerror(-r));
        return seccomp_bundle_add_take(bundle, name, path, text, size);
}

static int
read_extended(SeccompBundle *bundle,
              const char *const *directories,
              const char *name,
              const DefinitionSources *trusted,
              size_t from,
              unsigned line,
              Problems *problems) {
        int r;

        if (seccomp_bundle_find(bundle, name, strlen(name)))
                return 0;
        if (!seccomp_name_is_valid(name))
                return complain(problems, bundle->sources + from, line, name,
                                "cannot be: a name is letters from a to z, digits and '-', and begins with "
                                "a letter");

        for (; *directories; directories++) {
                r = read_profile(
                                bundle, *directories, name, trusted, bundle->sources + from, line, problems);
                if (r <= 0)
                        return r;
        }

        return complain(problems, bundle->sources + from, line, name,
                        "is in none of the directories that berth.seccomp(5) names");
}

int seccomp_bundle_complete(
                SeccompBundle *bundle,
                const char *const *directories,
                const DefinitionSources *sources,
                Problems *problems) {
        /* It grows under way. */
        for (size_t i = 0; i < bundle->n; i++) {
                const char *text = bundle->sources[i].text, *end = text + bundle->sources[i].size;

                for (unsigned line = 1; text < end; line++) {
                        const char *newline = memchr(text, '\n', (size_t) (end - text));
                        size_t size = (size_t) ((newline ?: end) - text), name_size = 0;
                        const char *word = seccomp_line_extends(text, size, &name_size);
                        _cleanup_free_ char *name = NULL;
                        int r;

                        name = word ? strndup(word, name_size) : NULL;
                        if (word && !name)
                                return -ENOMEM;
                        r = name ? read_extended(bundle, directories, name, sources, i, line, problems) : 0;
                        if (r < 0)
                                return r;
                        text += size + 1;
                }
        }

        return 0;
}

int seccomp_bundle_print(const SeccompBundle *bundle, char **ret, size_t *ret_size) {
        _cleanup_free_ char *data = NULL;
        _cleanup_fclose_ FILE *stream = NULL;
        size_t size;
        int r;

        stream = open_memstream(&data, &size);
        if (!stream)
                return -ENOMEM;
        for (size_t i = 0; i < bundle->n; i++) {
                const SeccompSource *source = bundle->sources + i;

                fprintf(stream, "%s %zu %s\n", source->name, source->size, source->label);
                fwrite(source->text, 1, source->size, stream);
        }

        r = fclose(TAKE_PTR(stream)) == 0 ? 0 : -ENOMEM;
        if (r == 0) {
                *ret = TAKE_PTR(data);
                *ret_size = size;
        }
        return r;
}

/* Splits "NAME SIZE LABEL"; the label may have spaces. */
static int parse_header(char *header, char *ret_fields[static HEADER_FIELDS], uint64_t *ret_size) {
        ret_fields[0] = header;
        for (size_t i = 1; i < HEADER_FIELDS; i++) {
                ret_fields[i] = strchr(ret_fields[i - 1], ' ');
                if (!ret_fields[i])
                        return -EBADMSG;
                *ret_fields[i]++ = '\0';
        }

        return parse_u64(ret_fields[1], ret_size) < 0 ? -EBADMSG : 0;
}

int seccomp_bundle_parse(const char *data, size_t size, SeccompBundle *ret) {
        _cleanup_(seccomp_bundle_clear) SeccompBundle bundle = SECCOMP_BUNDLE_NULL;
        const char *end = data + size;

        while (data < end) {
                const char *newline = memchr(data, '\n', (size_t) (end - data));
                _cleanup_free_ char *header = NULL;
                char *fields[HEADER_FIELDS], *text;
                uint64_t length;
                int r;

                if (!newline)
                        return -EBADMSG;
                header = strndup(data, (size_t) (newline - data));
                if (!header)
                        return -ENOMEM;
                data = newline + 1;
                r = parse_header(header, fields, &length);
                if (r < 0)
                        return r;
                if (length > (uint64_t) (end - data))
                        return -EBADMSG;
                text = malloc(length + 1);
                if (!text)
                        return -ENOMEM;
                memcpy(text, data, length);
                text[length] = '\0';
                r = seccomp_bundle_add_take(&bundle, fields[0], fields[2], text, length);
                if (r < 0)
                        return r == -ENOMEM ? r : -EBADMSG;
                data += length;
        }
        if (bundle.n == 0)
                return -EBADMSG;

        *ret = TAKE_VALUE(bundle, SECCOMP_BUNDLE_NULL);
        return 0;
}

void seccomp_bundle_name(const char *printed, size_t size, char ret[static SHA256_TEXT_SIZE]) {
        static const char maker[] = SECCOMP_FORMAT " " BERTH_VERSION " " BERTH_ARCHITECTURE;
        uint8_t digest[SHA256_SIZE];
        Sha256 hash;

        sha256_init(&hash);
        sha256_add(&hash, maker, sizeof maker);
        sha256_add(&hash, printed, size);
        sha256_finish(&hash, digest);
        sha256_text(digest, ret);
}

int seccomp_bundle_begin(SeccompBundle *bundle, const Definition *definition) {
        const char *name = definition_seccomp(definition);
        bool usual = streq(name, SECCOMP_DEFAULT);
        char *text = NULL;
        size_t size;
        FILE *stream;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;
        fprintf(stream, "extends %s\n", usual && !definition->user_namespace ? SECCOMP_PRIVILEGED : name);
        if (usual && definition->nesting)
                fputs("extends " SECCOMP_NESTING "\n", stream);
        for (char *const *line = definition->seccomp_rules; line && *line; line++)
                fprintf(stream, "%s\n", *line);
        if (fclose(stream) != 0) {
                free(text);
                return -ENOMEM;
        }

        return seccomp_bundle_add_take(bundle, "", "SeccompRules", text, size);
}
