/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "arg1 & 0xffffffff == TIOCSTI and arg2 != 0": what stands behind "if" in a rule.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "basic/macro.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "seccomp/profile.h"

#define NUMBER_SIZE_MAX 256

static const struct {
        const char *word;
        CompareOperator operator;
} operators[] = {
        {"==",  COMPARE_EQUAL           },
        { "!=", COMPARE_UNEQUAL         },
        { "<",  COMPARE_LESS            },
        { "<=", COMPARE_LESS_OR_EQUAL   },
        { ">",  COMPARE_GREATER         },
        { ">=", COMPARE_GREATER_OR_EQUAL},
};

static int hexadecimal(const char *s, uint64_t *ret) {
        uint64_t value = 0;
        size_t n = strlen(s);

        if (n == 0 || n > 16 || strspn(s, "0123456789abcdefABCDEF") != n)
                return -EINVAL;
        for (; *s; s++)
                value = value << 4 | (uint64_t) (*s <= '9' ? *s - '0' : (*s | 0x20) - 'a' + 10);

        *ret = value;
        return 0;
}

/* Numbers and names of numbers, joined by "|". */
static int number_parse(const char *word, uint64_t *ret) {
        char copy[NUMBER_SIZE_MAX], *rest = copy, *part;
        uint64_t value = 0;

        if (strlen(word) >= sizeof copy)
                return -EINVAL;
        memcpy(copy, word, strlen(word) + 1);

        while ((part = strsep(&rest, "|"))) {
                const char *digits = string_after_prefix(part, "0x");
                uint64_t number;
                int r;

                if (digits)
                        r = hexadecimal(digits, &number);
                else if (*part >= '0' && *part <= '9')
                        r = parse_u64(part, &number);
                else
                        r = constant_find(part, &number);
                if (r < 0)
                        return -EINVAL;
                value |= number;
        }

        *ret = value;
        return 0;
}

static bool argument_parse(const char *word, unsigned *ret) {
        const char *digit = string_after_prefix(word, "arg");

        if (!digit || digit[0] < '0' || digit[0] >= '0' + CALL_ARGUMENTS || digit[1])
                return false;
        *ret = (unsigned) (digit[0] - '0');
        return true;
}

static int operator_find(const char *word) {
        for (size_t i = 0; i < ELEMENTSOF(operators); i++)
                if (streq(operators[i].word, word))
                        return (int) i;

        return -1;
}

/* Takes one comparison off the words; returns what is wrong, or NULL. */
static const char *comparison_parse(char *const **words, Comparison *ret) {
        char *const *word = *words;
        Comparison comparison = { .mask = UINT64_MAX };
        int i;

        if (!*word || !argument_parse(*word++, &comparison.argument))
                return "a condition begins with arg0 to arg5";
        if (*word && streq(*word, "&")) {
                word++;
                if (!*word || number_parse(*word++, &comparison.mask) < 0)
                        return "behind & there is a number, in decimal digits or as 0x1F, or a name that "
                               "berth.seccomp(5) lists, or several of them joined by | without spaces";
        }

        i = *word ? operator_find(*word) : -1;
        if (i < 0)
                return "a condition compares with ==, !=, <, <=, > or >=, with spaces around";
        comparison.operator= operators[i].operator;
        word++;
        if (!*word || number_parse(*word++, &comparison.value) < 0)
                return "a condition compares with a number, in decimal digits or as 0x1F, or a name that "
                       "berth.seccomp(5) lists, or several of them joined by | without spaces";

        if (comparison.operator> COMPARE_UNEQUAL && comparison.mask != UINT64_MAX)
                return "what is masked with & can be compared with == and != only";
        if (comparison.value & ~comparison.mask)
                return "the number has bits that the mask takes away: the comparison has always the same "
                       "result";

        *ret = comparison;
        *words = word;
        return NULL;
}

int condition_parse(
                char *const *words,
                Comparison ret[static CALL_ARGUMENTS],
                size_t *ret_n,
                const char **ret_text) {
        size_t n = 0;

        for (;;) {
                if (n >= CALL_ARGUMENTS) {
                        *ret_text = "a condition has at most six comparisons";
                        return -EINVAL;
                }
                *ret_text = comparison_parse(&words, ret + n);
                if (*ret_text)
                        return -EINVAL;
                n++;
                if (!*words)
                        break;
                if (!streq(*words, "and")) {
                        *ret_text = "comparisons are joined by \"and\"; for \"or\", write two rules";
                        return -EINVAL;
                }
                words++;
        }

        *ret_n = n;
        return 0;
}
