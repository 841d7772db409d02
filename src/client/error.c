/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/error.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "client/include/berth.h"

typedef struct LastError {
        uint64_t connection;
        const char *name; /* NULL: none; one of the table, or other_name */
        char other_name[256];
        char *message; /* NULL: memory ran out */
} LastError;

/* clang-format off */
static const struct { const char *name; int number; } errors[] = {
        { BERTH_ERROR_NO_SUCH_CONTAINER,      ENOENT       },
        { BERTH_ERROR_CONTAINER_EXISTS,       EEXIST       },
        { BERTH_ERROR_INVALID_NAME,           EINVAL       },
        { BERTH_ERROR_INVALID_DEFINITION,     EBADMSG      },
        { BERTH_ERROR_POLICY_VIOLATION,       EPERM        },
        { BERTH_ERROR_NOT_RUNNING,            ESRCH        },
        { BERTH_ERROR_ALREADY_RUNNING,        EALREADY     },
        { BERTH_ERROR_START_FAILED,           EIO          },
        { BERTH_ERROR_ROOT_IN_USE,            EADDRINUSE   },
        { BERTH_ERROR_TIMED_OUT,              ETIMEDOUT    },
        { BERTH_ERROR_BUSY,                   EBUSY        },
        { BERTH_ERROR_CANCELED,               ECANCELED    },
        { BERTH_ERROR_DATA_REFUSED,           EUCLEAN      },
        { BERTH_ERROR_HELPER_LOST,            ECONNABORTED },
        { BERTH_ERROR_NO_SUCH_PROCESS,        ESRCH        },
        { BERTH_ERROR_NO_SUCH_PROPERTY,       ENOTTY       },
        { BERTH_ERROR_FAILED,                 EIO          },
        { BERTH_ERROR_INVALID_ARGS,           EINVAL       },
        { BERTH_ERROR_ACCESS_DENIED,          EACCES       },
        { BERTH_ERROR_AUTHORIZATION_REQUIRED, EACCES       },
        { BERTH_ERROR_NOT_SUPPORTED,          EOPNOTSUPP   },
        { BERTH_ERROR_LIMITS_EXCEEDED,        ENOBUFS      },
        { BERTH_ERROR_NO_SERVICE,             EHOSTUNREACH },
        { BERTH_ERROR_NO_REPLY,               ETIMEDOUT    },
        { BERTH_ERROR_DISCONNECTED,           ECONNRESET   },
        { BERTH_ERROR_NO_MEMORY,              ENOMEM       },
        /* What the library does not say itself, and turns into another name where it knows what it means. */
        { SD_BUS_ERROR_UNKNOWN_OBJECT,        ENOENT       },
        { SD_BUS_ERROR_UNKNOWN_METHOD,        EOPNOTSUPP   },
        { SD_BUS_ERROR_UNKNOWN_INTERFACE,     EOPNOTSUPP   },
        { SD_BUS_ERROR_UNKNOWN_PROPERTY,      ENOTTY       },
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER,     EHOSTUNREACH },
};
/* clang-format on */

static pthread_key_t last_key;
static pthread_once_t last_once = PTHREAD_ONCE_INIT;
static bool last_usable;

static void last_error_free(void *pointer) {
        LastError *last = pointer;

        free(last->message);
        free(last);
}

static void last_error_prepare(void) {
        last_usable = pthread_key_create(&last_key, last_error_free) == 0;
}

/* This thread's; NULL if there is none yet, or there cannot be one. */
static LastError *last_error(void) {
        (void) pthread_once(&last_once, last_error_prepare);

        return last_usable ? pthread_getspecific(last_key) : NULL;
}

static LastError *last_error_make(void) {
        LastError *last = last_error();

        if (last || !last_usable)
                return last;

        last = calloc(1, sizeof *last);
        if (last && pthread_setspecific(last_key, last) != 0) {
                free(last);
                return NULL;
        }

        return last;
}

void error_reset(uint64_t connection) {
        LastError *last = last_error_make();

        if (!last)
                return;

        last->connection = connection;
        last->name = NULL;
        free(last->message);
        last->message = NULL;
}

/* The text with all escaped that string_escape_unprintable() escapes, but newlines. */
static char *escape_lines(const char *text) {
        _cleanup_free_ char *copy = strndup(text, ERROR_MESSAGE_MAX), *result = NULL;
        char *rest = copy, *line;

        while ((line = strsep(&rest, "\n"))) {
                _cleanup_free_ char *escaped = string_escape_unprintable(line);
                char *longer;

                if (!escaped)
                        return NULL;
                longer = string_printf("%s%s%s", result ?: "", result ? "\n" : "", escaped);
                if (!longer)
                        return NULL;
                free(result);
                result = longer;
        }

        return TAKE_PTR(result);
}

/* Keeps an error; returns the errno of its name, or of NUMBER if it has none. */
static int keep(const char *name, const char *message, int number) {
        LastError *last = last_error();
        const char *known = NULL;

        for (size_t i = 0; i < ELEMENTSOF(errors); i++)
                if (streq(errors[i].name, name)) {
                        known = errors[i].name;
                        number = errors[i].number;
                }
        if (last) {
                (void) string_escape_to(name, last->other_name, sizeof last->other_name);
                last->name = known ?: last->other_name;
                free(last->message);
                last->message = escape_lines(message);
        }

        return -number;
}

int error_set_bus(const sd_bus_error *error) {
        return keep(error->name, error->message ?: error->name, EIO);
}

int error_set(const char *name, const char *format, ...) {
        char message[1024];
        va_list args;

        va_start(args, format);
        (void) vsnprintf(message, sizeof message, format, args);
        va_end(args);

        return keep(name, message, EIO);
}

int error_set_errno(int r, const char *doing) {
        char message[256], cause[128];
        const char *name = r == -ENOMEM      ? BERTH_ERROR_NO_MEMORY
                           : r == -ETIMEDOUT ? BERTH_ERROR_NO_REPLY
                                             : BERTH_ERROR_DISCONNECTED;

        (void) snprintf(message, sizeof message, "cannot %s: %s", doing,
                        strerror_r(-r, cause, sizeof cause));
        (void) keep(name, message, EIO);

        return r;
}

const char *error_name(uint64_t connection) {
        const LastError *last = last_error();

        return last && last->connection == connection ? last->name : NULL;
}

const char *error_message(uint64_t connection) {
        const LastError *last = last_error();

        if (!last || last->connection != connection || !last->name)
                return "";

        return last->message ?: "out of memory";
}
