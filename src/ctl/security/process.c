/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/security/process.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "basic/array.h"
#include "basic/parse.h"
#include "basic/sha256.h"
#include "basic/string.h"

/* Cuts the next line off a text. */
static char *next_line(char **rest) {
        return *rest && **rest ? strsep(rest, "\n") : NULL;
}

/* The next word of a line; NULL behind the last one. */
static char *next_word(char **rest) {
        char *word;

        do
                word = strsep(rest, " \t");
        while (word && !*word);

        return word;
}

/*
 * status
 */

static bool parse_hexadecimal(const char *text, uint64_t *ret) {
        *ret = 0;
        if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
                return false;
        *ret = strtoull(text, NULL, 16);

        return true;
}

static void parse_small(const char *text, int *ret) {
        uint32_t number;

        if (parse_u32(text, &number) >= 0 && number <= INT_MAX)
                *ret = (int) number;
}

static int count_words(char *text) {
        int n = 0;

        while (next_word(&text))
                n++;

        return n;
}

static void parse_status_line(char *line, ProcessStatus *status) {
        static const char *const sets[_CAPABILITY_SET_N] = {
                [SET_INHERITABLE] = "CapInh", [SET_PERMITTED] = "CapPrm", [SET_EFFECTIVE] = "CapEff",
                [SET_BOUNDING] = "CapBnd",    [SET_AMBIENT] = "CapAmb",
        };
        const char *name = strsep(&line, ":");

        if (!line)
                return;
        line = string_strip(line);
        for (size_t i = 0; i < ELEMENTSOF(sets); i++)
                if (streq(name, sets[i]))
                        status->has_set[i] = parse_hexadecimal(line, &status->sets[i]);
        if (streq(name, "NoNewPrivs"))
                parse_small(line, &status->no_new_privileges);
        else if (streq(name, "Seccomp"))
                parse_small(line, &status->seccomp);
        else if (streq(name, "Seccomp_filters"))
                parse_small(line, &status->filters);
        else if (streq(name, "NStgid"))
                status->pid_namespaces = count_words(line);
}

void process_status_parse(const char *text, ProcessStatus *ret) {
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy, *line;

        *ret = PROCESS_STATUS_NULL;
        while ((line = next_line(&rest)))
                parse_status_line(line, ret);
}

/*
 * uid_map
 */

static bool parse_id_line(char *line, IdLine *ret) {
        const char *inside = next_word(&line), *outside = next_word(&line), *count = next_word(&line);

        return count && !next_word(&line) && parse_u32(inside, &ret->inside) >= 0 &&
               parse_u32(outside, &ret->outside) >= 0 && parse_u32(count, &ret->count) >= 0 &&
               ret->count > 0 && ret->inside + (uint64_t) ret->count <= (uint64_t) UINT32_MAX + 1 &&
               ret->outside + (uint64_t) ret->count <= (uint64_t) UINT32_MAX + 1;
}

int id_lines_parse(const char *text, IdLines *ret) {
        _cleanup_free_ char *copy = strdup(text);
        _cleanup_free_ IdLine *lines = NULL;
        char *rest = copy, *line;
        size_t n = 0;

        if (!copy)
                return -ENOMEM;
        while ((line = next_line(&rest))) {
                IdLine one;

                if (!parse_id_line(line, &one))
                        return -EBADMSG;
                if (ARRAY_APPEND(lines, n, one) < 0)
                        return -ENOMEM;
        }

        *ret = (IdLines){ TAKE_PTR(lines), n };
        return 0;
}

bool id_lines_are_identity(const IdLines *map) {
        return map->n == 1 && map->lines[0].inside == 0 && map->lines[0].outside == 0 &&
               map->lines[0].count == UINT32_MAX;
}

/*
 * mountinfo
 */

static bool is_octal(char c) {
        return c >= '0' && c <= '7';
}

/* The kernel writes blanks, newlines, backslashes and the like as \040. */
static void unescape(char *text) {
        char *to = text;

        for (const char *from = text; *from; to++)
                if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && is_octal(from[2]) &&
                    is_octal(from[3])) {
                        *to = (char) ((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
                        if (!*to)
                                *to = '?';
                        from += 4;
                } else
                        *to = *from++;
        *to = '\0';
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" */
static bool parse_mount_line(MountLine *mount) {
        char *rest = mount->text, *id, *parent, *device, *root, *point, *options, *word;

        id = next_word(&rest);
        parent = next_word(&rest);
        device = next_word(&rest);
        root = next_word(&rest);
        point = next_word(&rest);
        options = next_word(&rest);
        do
                word = next_word(&rest);
        while (word && !streq(word, "-"));
        word = next_word(&rest);
        if (!device || !word)
                return false;

        mount->id = mount->parent = -1;
        parse_small(id, &mount->id);
        parse_small(parent, &mount->parent);
        unescape(root);
        unescape(point);
        mount->root = root;
        mount->point = point;
        mount->options = options;
        mount->type = word;

        return mount->id >= 0 && mount->parent >= 0;
}

void mount_lines_clear(MountLines *mounts) {
        for (size_t i = 0; i < mounts->n; i++)
                free(mounts->lines[i].text);
        free(mounts->lines);
        free(mounts->by_id);
        *mounts = (MountLines){};
}

static int add_mount_line(MountLines *mounts, const char *line, size_t size) {
        MountLine mount = { .text = strndup(line, size) };

        if (!mount.text)
                return -ENOMEM;
        if (!parse_mount_line(&mount)) {
                free(mount.text);
                return 0;
        }
        if (ARRAY_APPEND(mounts->lines, mounts->n, mount) < 0) {
                free(mount.text);
                return -ENOMEM;
        }

        return 0;
}

static int compare_ids(const void *a, const void *b, void *lines) {
        const MountLine *first = (const MountLine *) lines + *(const size_t *) a;
        const MountLine *second = (const MountLine *) lines + *(const size_t *) b;

        return (first->id > second->id) - (first->id < second->id);
}

static int sort_mount_lines(MountLines *mounts) {
        mounts->by_id = calloc(mounts->n + 1, sizeof *mounts->by_id);
        if (!mounts->by_id)
                return -ENOMEM;
        for (size_t i = 0; i < mounts->n; i++)
                mounts->by_id[i] = i;
        qsort_r(mounts->by_id, mounts->n, sizeof *mounts->by_id, compare_ids, mounts->lines);

        return 0;
}

int mount_lines_parse(const char *text, MountLines *ret) {
        MountLines mounts = {};
        int r = 0;

        for (size_t size; r >= 0 && *text; text += size + (text[size] == '\n')) {
                size = strcspn(text, "\n");
                r = add_mount_line(&mounts, text, size);
        }
        if (r >= 0)
                r = sort_mount_lines(&mounts);
        if (r < 0) {
                mount_lines_clear(&mounts);
                return r;
        }

        *ret = mounts;
        return 0;
}

const MountLine *mount_lines_find(const MountLines *mounts, const char *point) {
        for (size_t i = 0; i < mounts->n; i++)
                if (streq(mounts->lines[i].point, point))
                        return mounts->lines + i;

        return NULL;
}

const MountLine *mount_lines_by_id(const MountLines *mounts, int id) {
        size_t low = 0, high = mounts->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const MountLine *mount = mounts->lines + mounts->by_id[middle];

                if (mount->id == id)
                        return mount;
                if (mount->id < id)
                        low = middle + 1;
                else
                        high = middle;
        }

        return NULL;
}

bool mount_line_has_option(const MountLine *mount, const char *option) {
        size_t size = strlen(option);

        for (const char *p = mount->options;; p++) {
                size_t length = strcspn(p, ",");

                if (length == size && memcmp(p, option, size) == 0)
                        return true;
                p += length;
                if (!*p)
                        return false;
        }
}

/*
 * The small ones
 */

void label_split(char *text, const char **ret_name, const char **ret_mode) {
        size_t size = strcspn(text, "\n");
        char *mode;

        text[size] = '\0';
        *ret_name = text;
        *ret_mode = NULL;
        mode = strrchr(text, '(');
        if (!mode || mode < text + 2 || mode[-1] != ' ' || text[size - 1] != ')')
                return;

        text[size - 1] = '\0';
        mode[-1] = '\0';
        *ret_mode = mode + 1;
}

bool label_is_generated(const char *label) {
        static const char mark[] = "berth-", and[] = "//&";

        /* Somebody else's may begin so, too. */
        for (const char *part = label; part;
             part = strstr(part, and) ? strstr(part, and) + strlen(and) : NULL) {
                const char *hash = string_after_prefix(part, mark);

                if (hash && strspn(hash, "0123456789abcdef") == SHA256_TEXT_SIZE - 1 &&
                    strchr("/", hash[SHA256_TEXT_SIZE - 1]))
                        return true;
        }

        return false;
}

int fd_info_mount(const char *text) {
        static const char key[] = "mnt_id:";
        int id = -1;

        for (size_t size; *text; text += size + (text[size] == '\n')) {
                _cleanup_free_ char *value = NULL;

                size = strcspn(text, "\n");
                if (strncmp(text, key, strlen(key)) != 0)
                        continue;
                value = strndup(text + strlen(key), size - strlen(key));
                if (value)
                        parse_small(string_strip(value), &id);
                break;
        }

        return id;
}
