/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "spec/name.h"

#define CONTAINERS_PATH "/org/berth/container1/container"
#define USERS_PATH "/org/berth/container1/user"
#define VALUE_DEPTH_MAX 8

/* Splits "1000/web"; "web" has no user. */
static bool name_split(const char *name, uint32_t *ret_uid, const char **ret_plain) {
        const char *slash = strchr(name, '/');
        char digits[11];

        if (!slash) {
                *ret_plain = name;
                return false;
        }

        *ret_plain = NULL;
        if ((size_t) (slash - name) >= sizeof digits)
                return true;
        memcpy(digits, name, (size_t) (slash - name));
        digits[slash - name] = '\0';
        if (digits[0] != '0' && parse_u32(digits, ret_uid) >= 0)
                *ret_plain = slash + 1;

        return true;
}

bool full_name_is_valid(const char *name) {
        const char *plain;
        uint32_t uid;

        (void) name_split(name, &uid, &plain);

        return plain && container_name_is_valid(plain);
}

int path_of_name(const char *name, char **ret_path) {
        const char *plain;
        char digits[11];
        uint32_t uid = 0;
        bool of_user;

        if (!full_name_is_valid(name))
                return -EINVAL;

        of_user = name_split(name, &uid, &plain);
        if (!of_user)
                return sd_bus_path_encode(CONTAINERS_PATH, plain, ret_path);
        (void) snprintf(digits, sizeof digits, "%" PRIu32, uid);

        return sd_bus_path_encode_many(ret_path, USERS_PATH "/%/%", digits, plain);
}

int name_of_path(const char *path, char **ret_name) {
        _cleanup_free_ char *name = NULL, *uid = NULL, *plain = NULL;
        int r;

        r = sd_bus_path_decode(path, CONTAINERS_PATH, &name);
        if (r == 0) {
                r = sd_bus_path_decode_many(path, USERS_PATH "/%/%", &uid, &plain);
                if (r > 0) {
                        name = string_printf("%s/%s", uid, plain);
                        if (!name)
                                return -ENOMEM;
                }
        }
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        if (r == 0 || !full_name_is_valid(name))
                return -EBADMSG;

        *ret_name = TAKE_PTR(name);

        return 0;
}

/*
 * Values
 */

static void json_string(FILE *stream, const char *s) {
        fputc('"', stream);
        for (; *s; s++)
                if (*s == '"' || *s == '\\')
                        fprintf(stream, "\\%c", *s);
                else if ((unsigned char) *s < 0x20)
                        fprintf(stream, "\\u%04x", (unsigned) (unsigned char) *s);
                else
                        fputc(*s, stream);
        fputc('"', stream);
}

/* A value of a basic type; strings in quotes if it stands in JSON. */
static int basic_text(sd_bus_message *message, char type, bool json, FILE *stream) {
        union {
                const char *s;
                int b;
                uint8_t y;
                int16_t n;
                uint16_t q;
                int32_t i;
                uint32_t u;
                int64_t x;
                uint64_t t;
                double d;
        } value;
        int r;

        if (type == SD_BUS_TYPE_UNIX_FD)
                return -EBADMSG;
        r = sd_bus_message_read_basic(message, type, &value);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;

        switch (type) {
        case SD_BUS_TYPE_STRING:
        case SD_BUS_TYPE_OBJECT_PATH:
        case SD_BUS_TYPE_SIGNATURE:
                if (json)
                        json_string(stream, value.s);
                else
                        fputs(value.s, stream);
                return 0;
        case SD_BUS_TYPE_BOOLEAN:
                fputs(value.b ? "true" : "false", stream);
                return 0;
        case SD_BUS_TYPE_BYTE:
                fprintf(stream, "%" PRIu8, value.y);
                return 0;
        case SD_BUS_TYPE_INT16:
                fprintf(stream, "%" PRIi16, value.n);
                return 0;
        case SD_BUS_TYPE_UINT16:
                fprintf(stream, "%" PRIu16, value.q);
                return 0;
        case SD_BUS_TYPE_INT32:
                fprintf(stream, "%" PRIi32, value.i);
                return 0;
        case SD_BUS_TYPE_UINT32:
                fprintf(stream, "%" PRIu32, value.u);
                return 0;
        case SD_BUS_TYPE_INT64:
                fprintf(stream, "%" PRIi64, value.x);
                return 0;
        case SD_BUS_TYPE_UINT64:
                fprintf(stream, "%" PRIu64, value.t);
                return 0;
        case SD_BUS_TYPE_DOUBLE:
                if (value.d - value.d == 0) /* JSON has no infinity and no NaN */
                        fprintf(stream, "%.17g", value.d);
                else
                        fputs("null", stream);
                return 0;
        default:
                return -EBADMSG;
        }
}

static int any_text(sd_bus_message *message, bool json, unsigned depth, FILE *stream);

/* The inside of an array or structure, or the two parts of an entry of a dictionary. */
static int parts_text(sd_bus_message *message, const char *separator, unsigned depth, FILE *stream) {
        bool first = true;
        int r;

        while ((r = sd_bus_message_at_end(message, false)) == 0) {
                if (!first)
                        fputs(separator, stream);
                first = false;
                r = any_text(message, true, depth, stream);
                if (r < 0)
                        return r;
        }

        return r < 0 ? r : 0;
}

/* JSON's names are strings: what is none in D-Bus gets quotes. */
static int entry_text(sd_bus_message *message, const char *contents, unsigned depth, FILE *stream) {
        bool quote = !strchr("sog", contents[0]);
        int r;

        if (quote)
                fputc('"', stream);
        r = basic_text(message, contents[0], true, stream);
        if (quote)
                fputc('"', stream);
        if (r < 0)
                return r;
        fputs(": ", stream);

        return any_text(message, true, depth, stream);
}

static int
container_text(sd_bus_message *message, char type, const char *contents, unsigned depth, FILE *stream) {
        bool dictionary = type == SD_BUS_TYPE_ARRAY && contents[0] == SD_BUS_TYPE_DICT_ENTRY_BEGIN;
        int r;

        if (depth >= VALUE_DEPTH_MAX)
                return -EBADMSG;
        r = sd_bus_message_enter_container(message, type, contents);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;

        if (type == SD_BUS_TYPE_DICT_ENTRY)
                r = entry_text(message, contents, depth, stream);
        else {
                fputc(dictionary ? '{' : '[', stream);
                r = parts_text(message, ", ", depth, stream);
                fputc(dictionary ? '}' : ']', stream);
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(message);
}

static int any_text(sd_bus_message *message, bool json, unsigned depth, FILE *stream) {
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(message, &type, &contents);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;

        if (type == SD_BUS_TYPE_VARIANT) {
                if (depth >= VALUE_DEPTH_MAX)
                        return -EBADMSG;
                r = sd_bus_message_enter_container(message, type, contents);
                if (r >= 0)
                        r = any_text(message, json, depth + 1, stream);

                return r < 0 ? r : sd_bus_message_exit_container(message);
        }
        if (type == SD_BUS_TYPE_ARRAY || type == SD_BUS_TYPE_STRUCT || type == SD_BUS_TYPE_DICT_ENTRY)
                return container_text(message, type, contents, depth + 1, stream);

        return basic_text(message, type, json, stream);
}

int value_text(sd_bus_message *message, char **ret_text) {
        _cleanup_free_ char *text = NULL;
        FILE *stream;
        size_t size;
        int r;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;
        r = any_text(message, false, 0, stream);
        if (fclose(stream) != 0)
                return -ENOMEM;
        if (r < 0)
                return r;

        *ret_text = TAKE_PTR(text);

        return 0;
}
