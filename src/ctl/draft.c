/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See draft.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/quote.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/common.h"
#include "ctl/draft.h"
#include "ctl/verb.h"
#include "spec/key.h"
#include "spec/limits.h"
#include "spec/load.h"

void draft_clear(Draft *draft) {
        free(draft->text);
        (void) strv_free(draft->entry_keys);
        *draft = (Draft) DRAFT_EMPTY;
}

static int add_line(Draft *draft, const char *line) {
        size_t size = strlen(line);
        char *text = realloc(draft->text, draft->size + size + 2);

        if (!text)
                return report_errno(-ENOMEM, "cannot write the definition");

        memcpy(text + draft->size, line, size);
        memcpy(text + draft->size + size, "\n", 2);
        draft->text = text;
        draft->size += size + 1;

        return STATUS_FINE;
}

int draft_read(Draft *draft, const char *path) {
        bool standard_input = streq(path, "-");
        int r;

        if (standard_input)
                r = fd_read_all(STDIN_FILENO, FILE_SIZE_MAX, &draft->text, &draft->size);
        else
                r = file_read(AT_FDCWD, path, FILE_SIZE_MAX, &draft->text, &draft->size);
        if (r < 0) {
                _cleanup_free_ char *shown = string_escape_unprintable(path);

                return report_errno(r, standard_input ? "cannot read standard input" : shown ?: "?");
        }

        /* A backslash at its end must not take in what is added. */
        draft->label = standard_input ? "standard input" : path;
        return add_line(draft, "");
}

/* The header of a section, unless the text is in it. */
static int enter_section(Draft *draft, const char *section, const char *key) {
        bool many = key_list_find(section), again = many && strv_contains(draft->entry_keys, key);
        char header[sizeof draft->section + 4];
        int status = STATUS_FINE;

        if (!streq(draft->section, section) || again) {
                draft->entry_keys = strv_free(draft->entry_keys);
                (void) snprintf(draft->section, sizeof draft->section, "%s", section);
                (void) snprintf(header, sizeof header, "\n[%s]", draft->section);
                status = add_line(draft, header);
        }
        if (status == STATUS_FINE && many && strv_append(&draft->entry_keys, key) < 0)
                return report_errno(-ENOMEM, "cannot write the definition");

        return status;
}

int draft_set(Draft *draft, const char *section, const char *key, const char *value) {
        _cleanup_free_ char *line = string_printf("%s=%s", key, value), *shown = NULL;
        int status;

        if (!line)
                return report_errno(-ENOMEM, "cannot write the definition");
        if (strpbrk(value, "\n\r") || string_ends_with(value, "\\")) {
                shown = string_escape_unprintable(line);
                fprintf(stderr, "berthctl: \"%s\": a value is one line, without a backslash at its end\n", shown ?: "?");
                return STATUS_USAGE;
        }

        status = enter_section(draft, section, key);

        return status != STATUS_FINE ? status : add_line(draft, line);
}

/* A key that does not exist, or not where it was looked for. */
static int refuse_key(const char *section, const char *key) {
        _cleanup_free_ char *shown = string_escape_unprintable(key);
        const char *near = NULL;

        for (size_t i = 0; i < n_keys && !near; i++)
                if (!section || streq(keys[i].section, section))
                        near = key_suggest(keys[i].section, key);

        fprintf(stderr, "berthctl: there is no key \"%s\"%s%s", shown ?: "?", section ? " in the section " : "",
                section ?: "");
        if (near)
                fprintf(stderr, "; did you mean %s=?\n", near);
        else
                fputs("; berth.container(5) has them all\n", stderr);

        return STATUS_USAGE;
}

static int refuse_form(const char *assignment) {
        _cleanup_free_ char *shown = string_escape_unprintable(assignment);

        fprintf(stderr, "berthctl: \"%s\" is not of the form KEY=VALUE\n", shown ?: "?");

        return STATUS_USAGE;
}

int draft_assign(Draft *draft, const char *assignment) {
        const char *equals = strchr(assignment, '='), *section;
        _cleanup_free_ char *name = NULL;
        char *key, *dot;

        if (!equals)
                return refuse_form(assignment);
        name = strndup(assignment, (size_t) (equals - assignment));
        if (!name)
                return report_errno(-ENOMEM, "cannot write the definition");

        dot = strchr(name, '.');
        if (!dot) {
                section = key_section(name);
                if (!section)
                        return refuse_key(NULL, name);

                return draft_set(draft, section, name, equals + 1);
        }

        *dot = '\0';
        key = dot + 1;
        if (!section_exists(name)) {
                _cleanup_free_ char *shown = string_escape_unprintable(name);

                fprintf(stderr, "berthctl: there is no section \"%s\"\n", shown ?: "?");
                return STATUS_USAGE;
        }

        return key_find(name, key) ? draft_set(draft, name, key, equals + 1) : refuse_key(name, key);
}

int draft_set_command(Draft *draft, char *const *words) {
        _cleanup_free_ char *line = NULL;

        for (char *const *word = words; *word; word++) {
                _cleanup_free_ char *quoted = word_quote(*word);
                char *longer = quoted ? string_printf("%s%s%s", line ?: "", line ? " " : "", quoted) : NULL;

                if (!longer)
                        return report_errno(-ENOMEM, "cannot write the definition");
                free(line);
                line = longer;
        }

        return draft_set(draft, "Container", "Command", line ?: "");
}

int draft_check(const Draft *draft, const char *name) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        int r;

        r = definition_load_text(
                        name, draft->label, draft->text ?: "", draft->size, false, &definition, &problems);

        return report_definition(r, definition, &problems);
}
