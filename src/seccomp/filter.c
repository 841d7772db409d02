/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seccomp/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "basic/array.h"
#include "basic/string.h"

#define X32_FIRST UINT32_C(0x40000000)
#define JUMP_MAX 255 /* of a conditional jump */

typedef struct Call {
        uint32_t number;
        size_t rule;
} Call;

/* Calls from this number up to the next segment's. With conditions when n_rules is not 0: those of the calls
 * from first on, the last of them first, before the action. */
typedef struct Segment {
        uint32_t start, action;
        size_t first, n_rules;
} Segment;

/* One table of calls: x32 shares that of x86-64, with numbers from X32_FIRST on. */
typedef struct Table {
        const Profile *profile;
        bool narrow; /* registers of 32 bits */
        Call *calls;
        size_t n_calls;
        Segment *segments;
        size_t n_segments;
} Table;

static void table_clear(Table *table) {
        free(table->calls);
        free(table->segments);
}

void filter_clear(Filter *filter) {
        free(filter->instructions);
        *filter = FILTER_NULL;
}

static int emit(Filter *filter, uint16_t code, uint32_t k, size_t jt, size_t jf) {
        return ARRAY_APPEND(
                        filter->instructions, filter->n,
                        (struct sock_filter){
                                        .code = code, .k = k, .jt = (uint8_t) jt, .jf = (uint8_t) jf });
}

static int emit_filter(Filter *filter, const Filter *other) {
        for (size_t i = 0; i < other->n; i++) {
                int r = ARRAY_APPEND(filter->instructions, filter->n, other->instructions[i]);

                if (r < 0)
                        return r;
        }

        return 0;
}

static int compare_calls(const void *a, const void *b) {
        const Call *first = a, *second = b;

        if (first->number != second->number)
                return first->number < second->number ? -1 : 1;
        return first->rule < second->rule ? -1 : first->rule > second->rule;
}

/* The calls of one architecture that rules are about. */
static int table_add_calls(Table *table, CallArchitecture architecture, Problems *problems) {
        const Profile *profile = table->profile;

        for (size_t i = 0; i < profile->n_rules; i++) {
                const Rule *rule = profile->rules + i;
                uint32_t number;
                int r;

                if (!(rule->architectures & (1U << architecture)))
                        continue;
                r = call_number(profile, rule->call, architecture, &number);
                if (r == -ENOENT) {
                        r =
                                        problems_add(problems, rule->source->label, rule->line, NULL,
                                                     "%s is no call that libseccomp knows; a call that is "
                                                     "younger can be given by "
                                                     "\"number %s N\"",
                                                     rule->call, rule->call);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (r == -ENXIO)
                        continue;
                r = ARRAY_APPEND(table->calls, table->n_calls, (Call){ .number = number, .rule = i });
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Segments that decide the same without a condition become one. */
static int table_add_segment(Table *table, Segment segment) {
        Segment *last = table->n_segments > 0 ? table->segments + table->n_segments - 1 : NULL;

        if (last && last->start == segment.start) {
                table->n_segments--;
                last = table->n_segments > 0 ? last - 1 : NULL;
        }
        if (last && last->n_rules == 0 && segment.n_rules == 0 && last->action == segment.action)
                return 0;

        return ARRAY_APPEND(table->segments, table->n_segments, segment);
}

static uint32_t table_default(const Table *table, CallArchitecture architecture, uint32_t number) {
        bool x32 = architecture == CALLS_X86_64 && number >= X32_FIRST;

        return table->profile->defaults[x32 ? CALLS_X32 : architecture];
}

/* What is to be done with all calls that have one number, which begin at index *AT. */
static Segment table_decide(const Table *table, CallArchitecture architecture, size_t *at) {
        uint32_t number = table->calls[*at].number;
        Segment segment = { .start = number,
                            .action = table_default(table, architecture, number),
                            .first = *at };

        for (; *at < table->n_calls && table->calls[*at].number == number; ++*at) {
                const Rule *rule = table->profile->rules + table->calls[*at].rule;

                if (rule->n == 0) {
                        segment.action = rule->action;
                        segment.first = *at + 1;
                }
        }
        segment.n_rules = *at - segment.first;

        return segment;
}

/* From START on the default, until something else begins. */
static int table_add_default(Table *table, CallArchitecture architecture, uint32_t start) {
        return table_add_segment(
                        table,
                        (Segment){ .start = start, .action = table_default(table, architecture, start) });
}

static int table_add_segments(Table *table, CallArchitecture architecture) {
        bool x32 = architecture != CALLS_X86_64; /* where their numbers begin has been passed */
        size_t i = 0;
        int r;

        r = table_add_default(table, architecture, 0);
        while (r >= 0 && i < table->n_calls) {
                uint32_t number = table->calls[i].number;

                if (!x32 && number >= X32_FIRST) {
                        x32 = true;
                        r = table_add_default(table, architecture, X32_FIRST);
                }
                if (r >= 0)
                        r = table_add_segment(table, table_decide(table, architecture, &i));
                if (r >= 0)
                        r = table_add_default(table, architecture, number + 1);
        }

        return r >= 0 && !x32 ? table_add_default(table, architecture, X32_FIRST) : r;
}

static uint32_t argument_offset(unsigned argument, bool high) {
        size_t offset = offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t);

        return (uint32_t) (offset + (high ? sizeof(uint32_t) : 0));
}

/* Jumps that are patched when it is known where they lead. */
enum {
        JUMP_NEXT = 0,
        JUMP_MATCH = 254, /* behind the comparison */
        JUMP_FAIL = 255,  /* behind the rule */
};

static int emit_half(Filter *code, const Comparison *comparison, bool high) {
        uint32_t mask = (uint32_t) (high ? comparison->mask >> 32 : comparison->mask);
        int r;

        r = emit(code, BPF_LD | BPF_W | BPF_ABS, argument_offset(comparison->argument, high), 0, 0);
        if (r >= 0 && mask != UINT32_MAX)
                r = emit(code, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
        return r;
}

static int emit_equal(Filter *code, const Comparison *comparison, bool narrow) {
        bool equal = comparison->operator== COMPARE_EQUAL;
        int r = 0;

        if (!narrow && comparison->mask >> 32) {
                r = emit_half(code, comparison, true);
                if (r >= 0)
                        r = emit(code, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) (comparison->value >> 32),
                                 JUMP_NEXT, equal ? JUMP_FAIL : JUMP_MATCH);
        }
        if (r >= 0)
                r = emit_half(code, comparison, false);
        if (r >= 0)
                r = emit(code, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) comparison->value,
                         equal ? JUMP_NEXT : JUMP_FAIL, equal ? JUMP_FAIL : JUMP_NEXT);
        return r;
}

/* Less is not greater or equal, and so on. */
static int emit_order(Filter *code, const Comparison *comparison, bool narrow) {
        bool negated = comparison->operator== COMPARE_LESS || comparison->operator== COMPARE_LESS_OR_EQUAL;
        bool or_equal = comparison->operator== COMPARE_GREATER_OR_EQUAL || comparison->operator==
                        COMPARE_LESS;
        uint8_t greater = negated ? JUMP_FAIL : JUMP_MATCH, less = negated ? JUMP_MATCH : JUMP_FAIL;
        int r = 0;

        if (!narrow) {
                r = emit_half(code, comparison, true);
                if (r >= 0)
                        r = emit(code, BPF_JMP | BPF_JGT | BPF_K, (uint32_t) (comparison->value >> 32),
                                 greater, JUMP_NEXT);
                if (r >= 0)
                        r = emit(code, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) (comparison->value >> 32),
                                 JUMP_NEXT, less);
        }
        if (r >= 0)
                r = emit_half(code, comparison, false);
        if (r >= 0)
                r = emit(code, BPF_JMP | (or_equal ? BPF_JGE : BPF_JGT) | BPF_K,
                         (uint32_t) comparison->value, greater, less);
        return r;
}

static void patch(Filter *code, size_t from, uint8_t mark) {
        for (size_t i = from; i < code->n; i++) {
                struct sock_filter *instruction = code->instructions + i;

                if (BPF_CLASS(instruction->code) != BPF_JMP)
                        continue;
                if (instruction->jt == mark)
                        instruction->jt = (uint8_t) (code->n - i - 1);
                if (instruction->jf == mark)
                        instruction->jf = (uint8_t) (code->n - i - 1);
        }
}

/* The conditions of a rule are at most 6 comparisons of at most 7 instructions: no jump is too far. */
static int emit_rule(Filter *code, const Table *table, const Rule *rule) {
        size_t begin = code->n;
        int r;

        for (size_t i = 0; i < rule->n; i++) {
                Comparison comparison = table->profile->comparisons[rule->first + i];
                size_t from = code->n;

                if (table->narrow) {
                        comparison.mask &= UINT32_MAX;
                        comparison.value &= UINT32_MAX;
                }
                r = comparison.operator<= COMPARE_UNEQUAL ? emit_equal(code, &comparison, table->narrow)
                                                          : emit_order(code, &comparison, table->narrow);
                if (r < 0)
                        return r;
                patch(code, from, JUMP_MATCH);
        }

        r = emit(code, BPF_RET | BPF_K, rule->action, 0, 0);
        patch(code, begin, JUMP_FAIL);
        return r;
}

static int emit_segment(Filter *code, const Table *table, const Segment *segment) {
        for (size_t i = segment->n_rules; i > 0; i--) {
                int r =
                                emit_rule(code, table,
                                          table->profile->rules + table->calls[segment->first + i - 1].rule);

                if (r < 0)
                        return r;
        }

        return emit(code, BPF_RET | BPF_K, segment->action, 0, 0);
}

/* A search tree over the segments: the number is in the accumulator. */
static int emit_search(Filter *code, const Table *table, const Segment *segments, size_t n) {
        _cleanup_(filter_clear) Filter left = FILTER_NULL;
        size_t half = n / 2;
        int r;

        if (n == 1)
                return emit_segment(code, table, segments);

        r = emit_search(&left, table, segments, half);
        if (r < 0)
                return r;
        if (left.n <= JUMP_MAX)
                r = emit(code, BPF_JMP | BPF_JGE | BPF_K, segments[half].start, left.n, 0);
        else {
                r = emit(code, BPF_JMP | BPF_JGE | BPF_K, segments[half].start, 0, 1);
                if (r >= 0)
                        r = emit(code, BPF_JMP | BPF_JA, (uint32_t) left.n, 0, 0);
        }
        if (r >= 0)
                r = emit_filter(code, &left);
        return r < 0 ? r : emit_search(code, table, segments + half, n - half);
}

static int
emit_table(Filter *code,
           const Profile *profile,
           CallArchitecture architecture,
           unsigned architectures,
           Problems *problems) {
        _cleanup_(table_clear) Table table = {
                .profile = profile,
                .narrow = architecture == CALLS_X86 || architecture == CALLS_ARM,
        };
        int r;

        r = table_add_calls(&table, architecture, problems);
        if (r >= 0 && architecture == CALLS_X86_64 && (architectures & (1U << CALLS_X32)))
                r = table_add_calls(&table, CALLS_X32, problems);
        if (r < 0)
                return r;
        if (table.n_calls > 0)
                qsort(table.calls, table.n_calls, sizeof *table.calls, compare_calls);
        r = table_add_segments(&table, architecture);
        if (r < 0)
                return r;

        r = emit(code, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
        return r < 0 ? r : emit_search(code, &table, table.segments, table.n_segments);
}

int filter_compile(const Profile *profile, unsigned architectures, Filter *ret, Problems *problems) {
        static const uint32_t audit[_CALL_ARCHITECTURE_N] = {
                [CALLS_X86_64] = AUDIT_ARCH_X86_64,
                [CALLS_X86] = AUDIT_ARCH_I386,
                [CALLS_ARM64] = AUDIT_ARCH_AARCH64,
                [CALLS_ARM] = AUDIT_ARCH_ARM,
        };
        _cleanup_(filter_clear) Filter filter = FILTER_NULL;
        int r;

        r = emit(&filter, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
        for (unsigned i = 0; r >= 0 && i < _CALL_ARCHITECTURE_N; i++) {
                _cleanup_(filter_clear) Filter table = FILTER_NULL;

                if (!(architectures & (1U << i)) || audit[i] == 0)
                        continue;
                r = emit_table(&table, profile, i, architectures, problems);
                if (r >= 0)
                        r = emit(&filter, BPF_JMP | BPF_JEQ | BPF_K, audit[i], 1, 0);
                if (r >= 0)
                        r = emit(&filter, BPF_JMP | BPF_JA, (uint32_t) table.n, 0, 0);
                if (r >= 0)
                        r = emit_filter(&filter, &table);
        }
        if (r >= 0)
                r = emit(&filter, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
        if (r < 0)
                return r;

        if (problems->n == 0 && filter.n > BPF_MAXINSNS) {
                r =
                                problems_add(problems, NULL, 0, NULL,
                                             "the filter would have %zu instructions, and the kernel takes "
                                             "%d; use fewer conditions",
                                             filter.n, BPF_MAXINSNS);
                if (r < 0)
                        return r;
        }
        if (problems->n > 0)
                return -EBADMSG;

        *ret = TAKE_VALUE(filter, FILTER_NULL);
        return 0;
}
