/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading of definition files' grammar; see ini.h. The text is cut into physical lines, these are joined
 * into logical ones in one buffer that is as large as the text, so that nothing is allocated per line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/string.h"
#include "spec/ini.h"
#include "spec/limits.h"

typedef struct Ini {
        const char *file;
        const IniHandler *handler;
        Problems *problems;
        bool in_section;
        bool skipping;       /* the section's own line was refused: what follows cannot be judged */
        bool told_carriage_return;
        char *logical; /* the line so far */
        size_t n;
        unsigned line; /* where it began; 0: none is open */
        bool damaged;  /* a part of it was not fit to be read: it was told, the line is dropped */
} Ini;

/* Whether LINE is text without control characters other than tabs; tells what else it has. */
static int line_check(Ini *ini, const char *s, size_t size, unsigned line, bool *ret_fine) {
        *ret_fine = false;

        if (size > LINE_SIZE_MAX || ini->n + size > LINE_SIZE_MAX)
                return problems_add(ini->problems, ini->file, line, NULL,
                                    "the line is longer than %d bytes", LINE_SIZE_MAX);

        while (size > 0) {
                uint32_t character;
                size_t n = utf8_decode(s, size, &character);

                if (n == 0)
                        return problems_add(ini->problems, ini->file, line, NULL,
                                            "the line is not valid UTF-8");
                if (character == '\r') {
                        /* Once: where there is one, there is one in each line. */
                        if (ini->told_carriage_return)
                                return 0;
                        ini->told_carriage_return = true;
                        return problems_add(ini->problems, ini->file, line, NULL,
                                            "the line has a carriage return; lines end with a line feed "
                                            "alone");
                }
                if (character_is_control(character) && character != '\t')
                        return problems_add(ini->problems, ini->file, line, NULL,
                                            "the line has a control character (U+%04X)",
                                            (unsigned) character);
                s += n;
                size -= n;
        }

        *ret_fine = true;
        return 0;
}

static int take_section(Ini *ini, char *s) {
        size_t n = strlen(s);

        ini->in_section = true;
        ini->skipping = s[n - 1] != ']' || n < 3;
        if (ini->skipping)
                return problems_add(ini->problems, ini->file, ini->line, NULL,
                                    "a section is written as [Name], and nothing else stands on its line");

        s[n - 1] = '\0';

        return ini->handler->section(ini->handler->userdata, s + 1, ini->line);
}

static int take_assignment(Ini *ini, char *s) {
        char *value = strchr(s, '='), *key;

        if (!value || value == s)
                return problems_add(ini->problems, ini->file, ini->line, NULL,
                                    "this is neither [Section] nor Key=value nor a comment beginning with # "
                                    "or ;");
        *value++ = '\0';
        key = string_strip(s);
        value = string_strip(value);

        if (!ini->in_section)
                return problems_add(ini->problems, ini->file, ini->line, key,
                                    "stands before the first [Section]");

        return ini->skipping ? 0 : ini->handler->assignment(ini->handler->userdata, key, value, ini->line);
}

/* The logical line is complete. */
static int line_finish(Ini *ini) {
        char *s;
        int r = 0;

        if (ini->line == 0)
                return 0;

        if (!ini->damaged) {
                ini->logical[ini->n] = '\0';
                s = string_strip(ini->logical);
                if (*s == '[')
                        r = take_section(ini, s);
                else if (*s)
                        r = take_assignment(ini, s);
        }

        ini->n = 0;
        ini->line = 0;
        ini->damaged = false;

        return r;
}

/* True if the last of SIZE bytes is a backslash that no other one escapes. The physical line is enough to
 * tell: what was before it in the logical line ended with the blank that a backslash left. */
static bool ends_with_backslash(const char *s, size_t size) {
        size_t n = 0;

        while (n < size && s[size - n - 1] == '\\')
                n++;

        return n % 2 == 1;
}

static int take_line(Ini *ini, const char *s, size_t size, unsigned line) {
        const char *content = s;
        size_t trimmed = size;
        bool fine, continued;
        int r;

        while (content < s + size && (*content == ' ' || *content == '\t'))
                content++;

        /* A comment may stand between the parts of a continued line. */
        if (content < s + size && (*content == '#' || *content == ';'))
                return line_check(ini, s, size, line, &fine);

        if (ini->line == 0)
                ini->line = line;
        continued = ends_with_backslash(s, size);

        /* What continues a damaged line is not looked at: there is nothing to be told that helps. */
        if (ini->damaged)
                return continued ? 0 : line_finish(ini);

        r = line_check(ini, s, size, line, &fine);
        if (r < 0)
                return r;
        if (!fine) {
                ini->damaged = true;
                if (content < s + size && *content == '[')
                        ini->in_section = ini->skipping = true;
                return continued ? 0 : line_finish(ini);
        }

        memcpy(ini->logical + ini->n, s, size);
        ini->n += size;
        if (continued) {
                ini->logical[ini->n - 1] = ' ';
                return 0;
        }

        /* A backslash that was meant to continue the line but has a blank behind it is a common mistake. */
        while (trimmed > 0 && (s[trimmed - 1] == ' ' || s[trimmed - 1] == '\t'))
                trimmed--;
        if (trimmed < size && ends_with_backslash(s, trimmed)) {
                ini->damaged = true;
                r = problems_add(ini->problems, ini->file, line, NULL,
                                 "white space follows the backslash at the end of the line; remove it to "
                                 "continue the line, or double the backslash to mean one");
                if (r < 0)
                        return r;
        }

        return line_finish(ini);
}

int ini_parse(const char *file, const char *text, size_t size, const IniHandler *handler,
              Problems *problems) {
        _cleanup_free_ char *logical = NULL;
        Ini ini = { .file = file, .handler = handler, .problems = problems };
        const char *end = text + size;
        unsigned line = 0;
        int r;

        ini.logical = logical = malloc(size + 1);
        if (!logical)
                return -ENOMEM;

        /* A byte order mark is passed over. */
        if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
                text += 3;

        while (text < end && !problems->full) {
                const char *newline = memchr(text, '\n', (size_t) (end - text));
                const char *stop = newline ?: end;

                r = take_line(&ini, text, (size_t) (stop - text), ++line);
                if (r < 0)
                        return r;
                text = newline ? newline + 1 : end;
        }

        return line_finish(&ini);
}
