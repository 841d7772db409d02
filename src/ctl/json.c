/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See json.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "basic/string.h"
#include "ctl/json.h"
#include "ctl/output.h"

static void write_unit(FILE *stream, uint32_t unit) {
        fprintf(stream, "\\u%04x", (unsigned) unit);
}

static void write_character(FILE *stream, const char *bytes, size_t n, uint32_t character) {
        static const char plain[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
        const char *special = character > 0 && character < 0x80 ? strchr(plain, (int) character) : NULL;

        if (special) {
                fputc('\\', stream);
                fputc(names[special - plain], stream);
        } else if (!character_misleads(character))
                fwrite(bytes, 1, n, stream);
        else
                write_unit(stream, character); /* none of them lies beyond U+FFFF */
}

static void write_string(FILE *stream, const char *value) {
        size_t size = strlen(value), n;

        fputc('"', stream);
        for (; size > 0; value += n, size -= n) {
                uint32_t character;

                n = utf8_decode(value, size, &character);
                if (n > 0)
                        write_character(stream, value, n, character);
                else {
                        write_unit(stream, 0xfffd);
                        n = 1;
                }
        }
        fputc('"', stream);
}

static void begin_value(Json *json, const char *key) {
        if (json->more[json->depth])
                fputc(',', json->stream);
        json->more[json->depth] = true;

        if (key) {
                write_string(json->stream, key);
                fputc(':', json->stream);
        }
}

static void descend(Json *json, const char *key, char bracket) {
        begin_value(json, key);
        fputc(bracket, json->stream);
        if (json->depth + 1 < JSON_DEPTH_MAX)
                json->depth++;
        json->more[json->depth] = false;
}

static void ascend(Json *json, char bracket) {
        fputc(bracket, json->stream);
        if (json->depth > 0)
                json->depth--;
}

void json_begin_object(Json *json, const char *key) {
        descend(json, key, '{');
}

void json_end_object(Json *json) {
        ascend(json, '}');
}

void json_begin_array(Json *json, const char *key) {
        descend(json, key, '[');
}

void json_end_array(Json *json) {
        ascend(json, ']');
}

void json_string(Json *json, const char *key, const char *value) {
        begin_value(json, key);
        if (value)
                write_string(json->stream, value);
        else
                fputs("null", json->stream);
}

void json_unsigned(Json *json, const char *key, uint64_t value) {
        begin_value(json, key);
        fprintf(json->stream, "%" PRIu64, value);
}

void json_signed(Json *json, const char *key, int64_t value) {
        begin_value(json, key);
        fprintf(json->stream, "%" PRId64, value);
}

void json_double(Json *json, const char *key, double value) {
        begin_value(json, key);
        if (isfinite(value))
                fprintf(json->stream, "%.6g", value);
        else
                fputs("null", json->stream);
}

void json_boolean(Json *json, const char *key, bool value) {
        begin_value(json, key);
        fputs(value ? "true" : "false", json->stream);
}

void json_null(Json *json, const char *key) {
        json_string(json, key, NULL);
}

void json_counter(Json *json, const char *key, uint64_t value) {
        if (value == UINT64_MAX)
                json_null(json, key);
        else
                json_unsigned(json, key, value);
}

void json_nonzero(Json *json, const char *key, uint64_t value) {
        if (value == 0)
                json_null(json, key);
        else
                json_unsigned(json, key, value);
}

int json_finish(Json *json) {
        fputc('\n', json->stream);
        json->depth = 0;
        json->more[0] = false;

        if (json->stream == stdout)
                return output_flush();

        return fflush(json->stream) != 0 || ferror(json->stream) ? -EIO : 0;
}
