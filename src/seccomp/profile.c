/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seccomp/profile.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/array.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "spec/limits.h"

#define ERROR_MAX 4095 /* the kernel's MAX_ERRNO */

const char *const call_architecture_names[_CALL_ARCHITECTURE_N] = {
        [CALLS_X86_64] = "x86-64", [CALLS_X86] = "x86", [CALLS_X32] = "x32",
        [CALLS_ARM64] = "arm64",   [CALLS_ARM] = "arm",
};

typedef struct Parser {
        const SeccompBundle *bundle;
        Profile *profile;
        Problems *problems;
        bool open[SECCOMP_PROFILES_MAX], done[SECCOMP_PROFILES_MAX];
        /* where it is */
        const SeccompSource *source;
        unsigned line, architectures;
} Parser;

Profile *profile_free(Profile *profile) {
        if (!profile)
                return NULL;

        for (size_t i = 0; i < profile->n_rules; i++)
                free(profile->rules[i].call);
        free(profile->rules);
        free(profile->comparisons);
        for (size_t i = 0; i < profile->n_groups; i++) {
                free(profile->groups[i].name);
                strv_free(profile->groups[i].calls);
        }
        free(profile->groups);
        for (size_t i = 0; i < profile->n_numbers; i++)
                free(profile->numbers[i].name);
        free(profile->numbers);
        free(profile);
        return NULL;
}

static int complain(Parser *parser, const char *word, const char *text) {
        return problems_add(
                        parser->problems, parser->source->label, parser->line, NULL, "%s%s%s", word ?: "",
                        word ? " " : "", text);
}

/* Of calls and groups. */
static bool word_is_name(const char *word) {
        size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

        return n > 0 && n <= NAME_MAX_LENGTH && !word[n];
}

static CallGroup *group_find(Profile *profile, const char *name) {
        for (size_t i = 0; i < profile->n_groups; i++)
                if (streq(profile->groups[i].name, name))
                        return profile->groups + i;

        return NULL;
}

/* Appends a call, or all of a group. 0, -ENOMEM, or 1 after it has told what is wrong. */
static int calls_append(Parser *parser, const char *word, char ***calls, size_t *n) {
        const CallGroup *group = NULL;
        int r;

        if (!word_is_name(word[0] == '@' ? word + 1 : word)) {
                r = complain(parser, word,
                             "is no name of a call, such as openat, or of a group, such as @file-system");
                return r < 0 ? r : 1;
        }
        if (word[0] == '@') {
                group = group_find(parser->profile, word + 1);
                if (!group) {
                        r = complain(parser, word,
                                     "is no group that was defined before; is an \"extends groups\" "
                                     "missing?");
                        return r < 0 ? r : 1;
                }
        }

        for (size_t i = 0; group ? group->calls[i] != NULL : i < 1; i++) {
                if (++*n > SECCOMP_GROUP_MAX) {
                        r = complain(parser, NULL, "more than 2048 calls");
                        return r < 0 ? r : 1;
                }
                r = strv_append(calls, group ? group->calls[i] : word);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int parse_group(Parser *parser, char *const *words) {
        _cleanup_(strv_freep) char **calls = NULL;
        Profile *profile = parser->profile;
        CallGroup *old;
        char *name;
        size_t n = 0;
        int r;

        if (!words[0] || words[0][0] != '@' || !word_is_name(words[0] + 1) || !words[1])
                return complain(parser, NULL, "a group is \"group @NAME CALL...\"");
        for (size_t i = 1; words[i]; i++) {
                r = calls_append(parser, words[i], &calls, &n);
                if (r != 0)
                        return r < 0 ? r : 0;
        }

        old = group_find(profile, words[0] + 1);
        if (old) {
                strv_free(old->calls);
                old->calls = TAKE_PTR(calls);
                return 0;
        }
        if (profile->n_groups >= SECCOMP_GROUPS_MAX)
                return complain(parser, NULL, "more than 256 groups");

        name = strdup(words[0] + 1);
        r = name ? ARRAY_APPEND(profile->groups, profile->n_groups, (CallGroup){ .name = name }) : -ENOMEM;
        if (r < 0) {
                free(name);
                return r;
        }
        profile->groups[profile->n_groups - 1].calls = TAKE_PTR(calls);
        return 0;
}

static int parse_number(Parser *parser, char *const *words) {
        Profile *profile = parser->profile;
        uint32_t number;
        char *name;
        int r;

        if (!words[0] || !word_is_name(words[0]) || !words[1] || parse_u32(words[1], &number) < 0 ||
            number > UINT16_MAX || words[2])
                return complain(parser, NULL, "the number of a new call is given as \"number CALL N\"");
        if (profile->n_numbers >= SECCOMP_GROUP_MAX)
                return complain(parser, NULL, "more than 2048 calls");

        name = strdup(words[0]);
        r = name ? ARRAY_APPEND(profile->numbers, profile->n_numbers,
                                (NumberedCall){ .name = name, .number = number })
                 : -ENOMEM;
        if (r < 0)
                free(name);
        return r;
}

/* Takes an action off the words: 0, -ENOENT if the first word is none, -EINVAL if its number is wrong. */
static int action_parse(char *const **words, uint32_t *ret) {
        static const struct {
                const char *word;
                uint32_t action;
        } actions[] = {
                {"allow",   SECCOMP_RET_ALLOW       },
                { "errno",  SECCOMP_RET_ERRNO       },
                { "kill",   SECCOMP_RET_KILL_PROCESS},
                { "log",    SECCOMP_RET_LOG         },
                { "notify", SECCOMP_RET_USER_NOTIF  },
                { "trap",   SECCOMP_RET_TRAP        },
        };
        const char *word = **words;
        size_t i = 0;

        while (i < ELEMENTSOF(actions) && !streq(actions[i].word, word))
                i++;
        if (i == ELEMENTSOF(actions))
                return -ENOENT;

        ++*words;
        *ret = actions[i].action;
        if (actions[i].action == SECCOMP_RET_ERRNO) {
                uint32_t number;

                word = **words;
                if (!word || (error_find(word, &number) < 0 && parse_u32(word, &number) < 0) ||
                    number == 0 || number > ERROR_MAX)
                        return -EINVAL;
                ++*words;
                *ret |= number;
        }

        return 0;
}

static int rule_append(Parser *parser, uint32_t action, const char *call, size_t first, size_t n) {
        Profile *profile = parser->profile;
        Rule rule = {
                .action = action,
                .architectures = parser->architectures,
                .first = first,
                .n = n,
                .source = parser->source,
                .line = parser->line,
        };
        int r;

        if (profile->n_rules >= SECCOMP_RULES_MAX)
                return complain(parser, NULL, "more rules than one filter can have");
        /* The listener is handed over when the filter is there already. */
        if (action == SECCOMP_RET_USER_NOTIF && streq(call, "sendmsg"))
                return complain(parser, NULL,
                                "notify cannot be for sendmsg, which berth itself needs to hand over the "
                                "descriptor that the notifications come from");

        rule.call = strdup(call);
        r = rule.call ? ARRAY_APPEND(profile->rules, profile->n_rules, rule) : -ENOMEM;
        if (r < 0)
                free(rule.call);
        return r;
}

static int parse_rule(Parser *parser, uint32_t action, char *const *words) {
        _cleanup_(strv_freep) char **calls = NULL;
        Profile *profile = parser->profile;
        Comparison comparisons[CALL_ARGUMENTS];
        size_t n_calls = 0, n = 0, first = profile->n_comparisons;
        const char *text;
        int r;

        for (; *words && !streq(*words, "if"); words++) {
                r = calls_append(parser, *words, &calls, &n_calls);
                if (r != 0)
                        return r < 0 ? r : 0;
        }
        if (!calls)
                return complain(parser, NULL, "the rule names no call and no group");
        if (*words && condition_parse(words + 1, comparisons, &n, &text) < 0)
                return complain(parser, NULL, text);

        for (size_t i = 0; i < n; i++) {
                r = ARRAY_APPEND(profile->comparisons, profile->n_comparisons, comparisons[i]);
                if (r < 0)
                        return r;
        }
        for (char *const *call = calls; *call; call++) {
                r = rule_append(parser, action, *call, first, n);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int parse_default(Parser *parser, char *const *words) {
        uint32_t action;

        if (!*words || action_parse(&words, &action) < 0 || *words || action == SECCOMP_RET_USER_NOTIF)
                return complain(parser, NULL,
                                "the default is \"default ACTION\" with one of allow, errno NAME, kill, "
                                "trap and log");
        for (size_t i = 0; i < _CALL_ARCHITECTURE_N; i++)
                if (parser->architectures & (1U << i))
                        parser->profile->defaults[i] = action;

        return 0;
}

/* "[x86 x32]", "[*]" */
static int parse_section(Parser *parser, char *line) {
        char *end = strchr(line, ']'), *rest = line + 1, *word;
        unsigned architectures = 0;

        if (!end || *string_strip(end + 1))
                return complain(parser, NULL, "a section is [ARCHITECTURE...], alone in its line");
        *end = '\0';
        while ((word = strsep(&rest, " \t"))) {
                size_t i = 0;

                if (!*word)
                        continue;
                while (i < _CALL_ARCHITECTURE_N && !streq(call_architecture_names[i], word))
                        i++;
                if (i == _CALL_ARCHITECTURE_N && !streq(word, "*"))
                        return complain(parser, word,
                                        "is no architecture; there are x86-64, x86, x32, arm64 and arm, and "
                                        "* for all");
                architectures |= i == _CALL_ARCHITECTURE_N ? CALL_ARCHITECTURES_ALL : 1U << i;
        }
        if (architectures == 0)
                return complain(parser, NULL, "the section names no architecture; [*] is all of them");

        parser->architectures = architectures;
        return 0;
}

static int parse_source(Parser *parser, size_t index);

static int parse_extends(Parser *parser, char *const *words) {
        const SeccompSource *found;
        Parser saved = *parser;
        size_t index;
        int r;

        found = words[0] && !words[1] ? seccomp_bundle_find(parser->bundle, words[0], strlen(words[0]))
                                      : NULL;
        if (!found)
                return complain(parser, words[0],
                                "cannot be extended: the line is \"extends NAME\", for a profile that "
                                "there is");
        index = (size_t) (found - parser->bundle->sources);
        if (parser->open[index])
                return complain(parser, words[0], "extends itself, by this line or others");
        if (parser->done[index])
                return 0;

        r = parse_source(parser, index);
        parser->source = saved.source;
        parser->line = saved.line;
        parser->architectures = saved.architectures;
        return r;
}

static int parse_words(Parser *parser, char *const *words) {
        char *const *rest = words;
        uint32_t action;
        int r;

        if (streq(words[0], "extends"))
                return parse_extends(parser, words + 1);
        if (streq(words[0], "group"))
                return parse_group(parser, words + 1);
        if (streq(words[0], "number"))
                return parse_number(parser, words + 1);
        if (streq(words[0], "default"))
                return parse_default(parser, words + 1);

        r = action_parse(&rest, &action);
        if (r == -EINVAL)
                return complain(parser, NULL,
                                "behind errno there is the name of an error, such as EPERM, or a number "
                                "from 1 to 4095");
        if (r < 0)
                return complain(parser, words[0],
                                "is not known; a line begins with allow, errno, kill, trap, log, notify, "
                                "default, group, number, extends or [ARCHITECTURE]");
        return parse_rule(parser, action, rest);
}

/* One line with those that continue it. */
static int parse_line(Parser *parser, char *line) {
        _cleanup_(strv_freep) char **words = NULL;
        char *rest = line, *word;
        int r;

        if (*line == '[')
                return parse_section(parser, line);
        while ((word = strsep(&rest, WHITESPACE))) {
                if (!*word)
                        continue;
                r = strv_append(&words, word);
                if (r < 0)
                        return r;
        }

        return words ? parse_words(parser, words) : 0;
}

/* Cuts comments off, and joins lines that begin with white space to the one before. */
static int parse_source(Parser *parser, size_t index) {
        const SeccompSource *source = parser->bundle->sources + index;
        _cleanup_free_ char *text = malloc(source->size + 1);
        unsigned line = 0, begun = 0;
        char *from, *next, *whole;
        int r;

        if (!text)
                return -ENOMEM;
        memcpy(text, source->text, source->size);
        text[source->size] = '\0';
        parser->open[index] = true;
        parser->source = source;
        parser->architectures = CALL_ARCHITECTURES_ALL;
        if (strlen(text) != source->size) {
                parser->line = 0;
                return complain(parser, NULL, "the file has a NUL in it, and is no text");
        }

        whole = NULL;
        for (from = text; from; from = next) {
                next = strchr(from, '\n');
                if (next)
                        *next++ = '\0';
                line++;
                from[strcspn(from, "#")] = '\0';
                if (!from[strspn(from, WHITESPACE)])
                        continue;
                if (whole && (*from == ' ' || *from == '\t')) {
                        size_t size = strlen(whole);

                        memmove(whole + size, from, strlen(from) + 1);
                        continue;
                }
                if (whole) {
                        parser->line = begun;
                        r = parse_line(parser, whole);
                        if (r < 0)
                                return r;
                }
                whole = from;
                begun = line;
        }
        parser->line = begun;
        r = whole ? parse_line(parser, whole) : 0;

        parser->open[index] = false;
        parser->done[index] = true;
        return r;
}

int profile_parse(const SeccompBundle *bundle, Profile **ret, Problems *problems) {
        _cleanup_(profile_freep) Profile *profile = calloc(1, sizeof(Profile));
        Parser parser = { .bundle = bundle, .profile = profile, .problems = problems };
        int r;

        if (!profile)
                return -ENOMEM;
        for (size_t i = 0; i < _CALL_ARCHITECTURE_N; i++)
                profile->defaults[i] = SECCOMP_RET_ERRNO | ENOSYS;

        r = parse_source(&parser, 0);
        if (r < 0)
                return r;
        if (problems->n > 0)
                return -EBADMSG;

        *ret = TAKE_PTR(profile);
        return 0;
}
