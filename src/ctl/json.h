/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing JSON (RFC 8259), one value in one line. Strings may hold anything: bytes that are not UTF-8
 * become U+FFFD, and what could steer a terminal is escaped, so that the output may be looked at as well as parsed.
 *
 * A key is given inside of objects and NULL elsewhere. The writer adds commas; the caller pairs begin and end.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH_MAX 32

typedef struct Json {
        FILE *stream;
        unsigned depth;
        bool more[JSON_DEPTH_MAX]; /* something stands already in the value of this depth */
} Json;

#define JSON_TO(file) { .stream = (file) }

void json_begin_object(Json *json, const char *key);
void json_end_object(Json *json);
void json_begin_array(Json *json, const char *key);
void json_end_array(Json *json);

void json_string(Json *json, const char *key, const char *value); /* NULL: null */
void json_unsigned(Json *json, const char *key, uint64_t value);
void json_signed(Json *json, const char *key, int64_t value);
void json_double(Json *json, const char *key, double value);      /* neither infinite nor a number: null */
void json_boolean(Json *json, const char *key, bool value);
void json_null(Json *json, const char *key);

/* UINT64_MAX, which stands for "this host does not count that", is null. */
void json_counter(Json *json, const char *key, uint64_t value);

/* 0, which stands for "there is none now" where the value is a process or a time, is null. */
void json_nonzero(Json *json, const char *key, uint64_t value);

/* Ends the line and hands it on at once, so that a reader of a stream has it. 0 or -EIO. */
int json_finish(Json *json);
