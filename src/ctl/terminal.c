/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See terminal.h. Widths come from the C library's tables by a locale of our own, whatever the user's is.
 */
#include <langinfo.h>
#include <locale.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "basic/cleanup.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "ctl/settings.h"
#include "ctl/terminal.h"

static struct {
        bool known;
        bool terminal;
        size_t width;
} out;

/* What stdout is now. */
static bool stdout_is_terminal(void) {
        return isatty(STDOUT_FILENO) > 0;
}

static size_t stdout_width(void) {
        const char *columns = getenv("COLUMNS");
        struct winsize size;
        uint32_t width;

        if (columns && parse_u32(columns, &width) >= 0 && width > 0)
                return width;
        if (!stdout_is_terminal())
                return WIDTH_UNLIMITED;
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return 80;

        return size.ws_col;
}

void terminal_remember_stdout(void) {
        if (out.known)
                return;

        out.terminal = stdout_is_terminal();
        out.width = stdout_width();
        out.known = true;
}

bool terminal_is_stdout(void) {
        return out.known ? out.terminal : stdout_is_terminal();
}

bool terminal_can_ask(void) {
        return isatty(STDIN_FILENO) > 0 && isatty(STDERR_FILENO) > 0;
}

size_t terminal_width(void) {
        return out.known ? out.width : stdout_width();
}

static bool has_color(bool terminal) {
        const char *term = getenv("TERM"), *none = getenv("NO_COLOR"), *systemd = getenv("SYSTEMD_COLORS");
        bool wanted;

        if (settings.color && (streq(settings.color, "") || streq(settings.color, "always")))
                return true;
        if (settings.color && streq(settings.color, "never"))
                return false;
        if (none && *none)
                return false;
        if (systemd && parse_boolean(systemd, &wanted) >= 0 && !wanted)
                return false;

        return terminal && term && !streq(term, "dumb");
}

bool terminal_has_color(void) {
        return has_color(terminal_is_stdout());
}

bool terminal_has_color_on_stderr(void) {
        return has_color(isatty(STDERR_FILENO) > 0);
}

const char *color_sequence(Color color) {
        static const char *const sequences[_COLOR_N] = {
                [COLOR_NONE] = "\033[0m",        [COLOR_BOLD] = "\033[0;1m",
                [COLOR_GREY] = "\033[0;38;5;245m", [COLOR_GREEN] = "\033[0;1;32m",
                [COLOR_YELLOW] = "\033[0;1;33m", [COLOR_RED] = "\033[0;1;31m",
                [COLOR_UNDERLINE] = "\033[0;4m",
        };

        return terminal_has_color() ? sequences[color] : "";
}

bool terminal_has_utf8(void) {
        locale_t users = newlocale(LC_CTYPE_MASK, "", (locale_t) 0);
        bool utf8;

        if (!users)
                return false;
        utf8 = streq(nl_langinfo_l(CODESET, users), "UTF-8");
        freelocale(users);

        return utf8;
}

/* Columns of one character: 0 for a mark that combines with the one before, 2 for a wide one. */
static size_t character_width(uint32_t character) {
        static locale_t utf8 = (locale_t) 0;
        locale_t before;
        int width;

        if (character < 0x7f)
                return 1;
        if (!utf8)
                utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
        if (!utf8)
                return 1;

        before = uselocale(utf8);
        width = wcwidth((wchar_t) character);
        (void) uselocale(before);

        return width < 0 ? 1 : (size_t) width;
}

size_t text_fitting(const char *text, size_t width, size_t *ret_width) {
        size_t size = strlen(text), at = 0, used = 0;

        while (at < size) {
                uint32_t character = 0;
                size_t n = utf8_decode(text + at, size - at, &character), columns;

                columns = n > 0 ? character_width(character) : 1;
                if (columns > width - used)
                        break;
                used += columns;
                at += n > 0 ? n : 1;
        }

        *ret_width = used;
        return at;
}

size_t text_width(const char *text) {
        size_t width;

        (void) text_fitting(text, SIZE_MAX, &width);

        return width;
}

bool terminal_ask(const char *question) {
        _cleanup_free_ char *line = NULL;
        size_t size = 0;

        for (;;) {
                fprintf(stderr, "%s [y/N] ", question);
                if (getline(&line, &size, stdin) < 0) {
                        fputc('\n', stderr);
                        return false;
                }
                line[strcspn(line, "\n")] = '\0';
                if (streq(line, "y") || streq(line, "yes"))
                        return true;
                if (streq(line, "") || streq(line, "n") || streq(line, "no"))
                        return false;
        }
}
