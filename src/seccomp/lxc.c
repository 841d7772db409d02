/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seccomp/lxc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/macro.h"
#include "basic/parse.h"
#include "basic/string.h"

#define FIELD_MAX 64

typedef struct Import {
        const char *label;
        unsigned line;
        bool deny; /* the list says what is denied */
        bool skip; /* in a section of an architecture that berth does not filter for */
        FILE *out;
        Problems *problems;
} Import;

static int complain(Import *import, const char *text) {
        return problems_add(import->problems, import->label, import->line, NULL, "%s", text);
}

/* An action of LXC in the words of berth; NULL if it is none. */
static const char *action_of(const char *words, char buffer[static FIELD_MAX]) {
        static const char *const same[] = { "kill", "allow", "trap", "notify" };
        const char *number;
        uint32_t error;

        for (size_t i = 0; i < ELEMENTSOF(same); i++)
                if (streq(words, same[i]))
                        return same[i];
        number = string_after_prefix(words, "errno ");
        if (!number)
                return NULL;
        number += strspn(number, " \t");
        /* With the error 0, a call that is denied would seem to have worked. */
        if (parse_u32(number, &error) < 0 || error == 0 || error > 4095)
                return NULL;
        (void) snprintf(buffer, FIELD_MAX, "errno %" PRIu32, error);
        return buffer;
}

static int import_head(Import *import, char *line) {
        static const struct {
                const char *word;
                bool deny;
        } lists[] = {
                {"allowlist",  false},
                { "whitelist", false},
                { "denylist",  true },
                { "blacklist", true }
        };
        char buffer[FIELD_MAX];
        size_t n = strcspn(line, " \t");
        const char *action;

        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                if (strlen(lists[i].word) != n || memcmp(lists[i].word, line, n) != 0)
                        continue;
                import->deny = lists[i].deny;
                line = string_strip(line + n);
                action = *line ? action_of(line, buffer) : import->deny ? "allow" : "kill";
                if (!action || streq(action, "notify"))
                        return complain(import, "the default action is one of allow, kill, trap and errno N "
                                                "with N from "
                                                "1");
                fprintf(import->out, "default %s\n", action);
                return 1;
        }

        return complain(import, "the second line is \"allowlist\" or \"denylist\"");
}

static int import_section(Import *import, const char *line) {
        /* LXC takes each in small and in capital letters. */
        static const struct {
                const char *lxc, *ours; /* NULL: berth does not filter for it */
        } names[] = {
                {"[all]",          "[*]"     },
                { "[x86]",         "[x86]"   },
                { "[i386]",        "[x86]"   },
                { "[x86_64]",      "[x86-64]"},
                { "[amd64]",       "[x86-64]"},
                { "[x32]",         "[x32]"   },
                { "[arm]",         "[arm]"   },
                { "[arm64]",       "[arm64]" },
                { "[aarch64]",     "[arm64]" },
                { "[loongarch64]", NULL      },
                { "[mips]",        NULL      },
                { "[mips64]",      NULL      },
                { "[mips64n32]",   NULL      },
                { "[mipsel]",      NULL      },
                { "[mipsel64]",    NULL      },
                { "[mipsel64n32]", NULL      },
                { "[ppc]",         NULL      },
                { "[ppc64]",       NULL      },
                { "[ppc64le]",     NULL      },
                { "[s390]",        NULL      },
                { "[s390x]",       NULL      },
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcasecmp(names[i].lxc, line) == 0) {
                        import->skip = !names[i].ours;
                        if (names[i].ours)
                                fprintf(import->out, "%s\n", names[i].ours);
                        else
                                fprintf(import->out,
                                        "# %s is left out: berth filters for x86-64, x86, x32, arm64 and "
                                        "arm.\n",
                                        names[i].lxc);
                        return 0;
                }

        /* To leave it out would be to leave out what it forbids. */
        return complain(import, "a section is [all] or an architecture that LXC knows, such as [x86_64]");
}

static int number_of(const char *text, uint64_t *ret) {
        char *end;

        if (*text < '0' || *text > '9')
                return -EINVAL;
        errno = 0;
        *ret = strtoull(text, &end, 0);
        return errno != 0 || *end ? -EINVAL : 0;
}

/* "index,value,operator[,second value]" */
static int import_comparison(Import *import, char *fields[static 4], bool first) {
        static const struct {
                const char *lxc, *sign; /* LXC takes either, and berth the sign */
        } operators[] = {
                {"SCMP_CMP_NE",  "!="},
                { "SCMP_CMP_LT", "<" },
                { "SCMP_CMP_LE", "<="},
                { "SCMP_CMP_EQ", "=="},
                { "SCMP_CMP_GE", ">="},
                { "SCMP_CMP_GT", ">" },
        };
        uint64_t index, value, second = 0;
        const char *joint = first ? " if" : " and";

        if (number_of(fields[0], &index) < 0 || index > 5 || number_of(fields[1], &value) < 0 ||
            (fields[3] && number_of(fields[3], &second) < 0))
                return complain(import,
                                "an argument is [INDEX,VALUE,OPERATOR] or [INDEX,VALUE,OPERATOR,MASK]");
        if (streq(fields[2], "SCMP_CMP_MASKED_EQ") || streq(fields[2], "&=")) {
                /* The value stands first, the mask last. */
                if (!fields[3] || (value & ~second))
                        return complain(import, "SCMP_CMP_MASKED_EQ has a mask that the value lies in");
                fprintf(import->out, "%s arg%" PRIu64 " & 0x%" PRIx64 " == 0x%" PRIx64, joint, index, second,
                        value);
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(operators); i++)
                if (streq(operators[i].lxc, fields[2]) || streq(operators[i].sign, fields[2])) {
                        fprintf(import->out, "%s arg%" PRIu64 " %s 0x%" PRIx64, joint, index,
                                operators[i].sign, value);
                        return 0;
                }

        return complain(import,
                        "the operator is one of SCMP_CMP_NE, LT, LE, EQ, GE, GT and MASKED_EQ, or of "
                        "!=, <, <=, ==, >=, > and &=");
}

static int import_arguments(Import *import, char *text) {
        bool first = true;

        while (*text) {
                char *fields[4] = {}, *end = strchr(text, ']'), *list = text + 1, *field;
                size_t n = 0;
                int r;

                if (*text != '[' || !end)
                        return complain(import, "behind the action there are arguments in brackets");
                *end = '\0';
                while (n < ELEMENTSOF(fields) && (field = strsep(&list, ",")))
                        fields[n++] = string_strip(field);
                if (n < 3 || list)
                        return complain(import, "an argument has three or four fields");
                r = import_comparison(import, fields, first);
                if (r != 0)
                        return r;
                first = false;
                text = end + 1 + strspn(end + 1, " \t,");
        }

        return 0;
}

static int import_rule(Import *import, char *line) {
        char buffer[FIELD_MAX], *arguments = strchr(line, '['), *call = line;
        _cleanup_free_ char *tail = arguments ? strdup(arguments) : NULL;
        const char *action;
        int r;

        if (arguments && !tail)
                return -ENOMEM;
        if (arguments)
                *arguments = '\0';
        line = string_strip(line);
        if (streq(line, "reject_force_umount")) {
                fputs("errno EACCES umount2 if arg1 & MNT_FORCE == MNT_FORCE\n", import->out);
                return 0;
        }

        line += strcspn(line, " \t");
        if (*line)
                *line++ = '\0';
        line = string_strip(line);
        if (!*call || strspn(call, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(call) ||
            strlen(call) >= FIELD_MAX)
                return complain(import, "a line begins with the name of a call");
        action = *line ? action_of(line, buffer) : import->deny ? "kill" : "allow";
        if (!action)
                return complain(import,
                                "the action is one of allow, kill, trap, notify and errno N with N from 1");

        fprintf(import->out, "%s %s", action, call);
        r = tail ? import_arguments(import, tail) : 0;
        fputc('\n', import->out);
        return r;
}

static int import_lines(Import *import, char *text) {
        unsigned head = 0; /* of the two first lines */
        char *line;
        int r = 0;

        while (r >= 0 && (line = strsep(&text, "\n"))) {
                import->line++;
                line[strcspn(line, "#")] = '\0';
                line = string_strip(line);
                if (!*line)
                        continue;
                if (head == 0) {
                        if (!streq(line, "2"))
                                return complain(import,
                                                "the first line is the version, and only 2 is understood");
                        head++;
                } else if (head == 1) {
                        r = import_head(import, line);
                        if (r <= 0)
                                return r;
                        head++;
                } else if (*line == '[')
                        r = import_section(import, line);
                else if (!import->skip)
                        r = import_rule(import, line);
        }

        return r < 0 || head == 2 ? r : complain(import, "the file ends before its list begins");
}

int lxc_import(const char *label, const char *text, size_t size, char **ret, Problems *problems) {
        _cleanup_free_ char *copy = strndup(text, size), *data = NULL;
        Import import = { .label = label, .problems = problems };
        size_t data_size;
        int r;

        if (!copy)
                return -ENOMEM;
        import.out = open_memstream(&data, &data_size);
        if (!import.out)
                return -ENOMEM;
        r = import_lines(&import, copy);
        if (fclose(import.out) != 0)
                return -ENOMEM;
        if (r < 0)
                return r;
        if (problems->n > 0)
                return -EBADMSG;

        *ret = TAKE_PTR(data);
        return 0;
}
