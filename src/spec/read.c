/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading of a definition's files; see read.h. A frame stands for each file that is being read, so that an
 * include can tell the way to it, and see that it comes back to a file that is still open.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/array.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "spec/ini.h"
#include "spec/key.h"
#include "spec/limits.h"
#include "spec/origin.h"
#include "spec/read.h"

#define NAME_SHOWN_MAX 64

struct ReadFrame {
        const ReadFrame *parent;
        const char *file;     /* owned by the definition */
        const Place *place;   /* NULL: from memory */
        bool trusted;
        unsigned depth;
        unsigned line;        /* of the include that is being followed */
        const char *section;  /* as in the table; NULL: none yet, or an unknown one */
        size_t entry;         /* index of the section's entry if it may come more than once */
};

typedef struct ReadState {
        Reader *reader;
        ReadFrame *frame;
} ReadState;

/* "[Container], [Root], ...", as the table has them. */
static char *list_sections(void) {
        const char *previous = "";
        char *list = NULL;

        for (size_t i = 0; i < n_keys; i++) {
                char *longer;

                if (streq(keys[i].section, previous))
                        continue;
                previous = keys[i].section;
                longer = string_printf("%s%s[%s]", list ?: "", list ? ", " : "", previous);
                free(list);
                if (!longer)
                        return NULL;
                list = longer;
        }

        return list;
}

static int refuse_section(ReadState *state, const char *name, unsigned line) {
        _cleanup_free_ char *list = NULL;
        Problems *problems = state->reader->problems;
        const char *suggestion = section_suggest(name);

        if (suggestion)
                return problems_add(problems, state->frame->file, line, NULL,
                                    "there is no section [%.*s]; did you mean [%s]?", NAME_SHOWN_MAX, name,
                                    suggestion);

        list = list_sections();
        if (!list)
                return -ENOMEM;

        return problems_add(problems, state->frame->file, line, NULL,
                            "there is no section [%.*s]; there are %s", NAME_SHOWN_MAX, name, list);
}

static int on_section(void *userdata, const char *name, unsigned line) {
        ReadState *state = userdata;
        ReadFrame *frame = state->frame;
        Definition *definition = state->reader->definition;
        const KeyList *list;

        frame->section = NULL;
        for (size_t i = 0; i < n_keys && !frame->section; i++)
                if (streq(keys[i].section, name))
                        frame->section = keys[i].section;
        if (!frame->section)
                return refuse_section(state, name, line);

        frame->entry = ORIGIN_NO_ENTRY;
        list = key_list_find(name);
        if (!list)
                return 0;

        frame->entry = key_list_count(list, definition);
        if (frame->entry >= list->max) {
                frame->section = NULL;
                return problems_add(state->reader->problems, frame->file, line, NULL,
                                    "more than %zu [%s] sections", list->max, list->section);
        }

        return key_list_add(list, definition, (Origin) { .file = frame->file, .line = line });
}

static int refuse_key(ReadState *state, const char *name, unsigned line) {
        const ReadFrame *frame = state->frame;
        const char *suggestion = key_suggest(frame->section, name), *elsewhere = key_section(name);
        Problems *problems = state->reader->problems;
        _cleanup_free_ char *shown = strndup(name, NAME_SHOWN_MAX);

        if (!shown)
                return -ENOMEM;
        if (elsewhere)
                return problems_add(problems, frame->file, line, shown,
                                    "there is no such key in [%s]; it belongs in [%s]", frame->section,
                                    elsewhere);
        if (suggestion)
                return problems_add(problems, frame->file, line, shown,
                                    "there is no such key in [%s]; did you mean %s=?", frame->section,
                                    suggestion);

        return problems_add(problems, frame->file, line, shown,
                            "there is no such key in [%s]; berth.container(5) lists them", frame->section);
}

static int on_include(KeyContext *context, const char *path);

static int on_assignment(void *userdata, const char *name, const char *value, unsigned line) {
        ReadState *state = userdata;
        KeyContext context = {
                .definition = state->reader->definition,
                .origin = { .file = state->frame->file, .line = line },
                .problems = state->reader->problems,
                .include = on_include,
                .userdata = state,
        };
        int r;

        /* The section was told to be unknown; its keys cannot be judged. */
        if (!state->frame->section)
                return 0;

        context.key = key_find(state->frame->section, name);
        if (!context.key)
                return refuse_key(state, name, line);

        r = key_assign(&context, state->frame->entry, value);

        return r < 0 ? r : 0;
}

/* "FILE:LINE, included by FILE:LINE, ...": how the reader came to where it is. */
static char *describe_chain(const ReadFrame *frame) {
        char *chain = NULL;

        for (; frame; frame = frame->parent) {
                char *longer = string_printf("%s%s%s:%u", chain ?: "", chain ? ", included by " : "",
                                             frame->file, frame->line);

                free(chain);
                if (!longer)
                        return NULL;
                chain = longer;
        }

        return chain;
}

/* Reads a file that an include names, unless it is being read already. */
static int include_place(KeyContext *context, ReadState *state, const Place *place) {
        _cleanup_free_ char *chain = NULL;

        for (const ReadFrame *frame = state->frame; frame; frame = frame->parent)
                if (frame->place && frame->place->device == place->device &&
                    frame->place->inode == place->inode) {
                        chain = describe_chain(state->frame);
                        if (!chain)
                                return -ENOMEM;
                        return key_refuse(context, "%s includes itself: from %s", place->path, chain);
                }

        return read_place(state->reader, place);
}

static int include_directory(KeyContext *context, ReadState *state, Place *directory) {
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        r = read_conf_names(state->reader, directory, &names);
        for (char **name = names; r >= 0 && name && *name; name++) {
                _cleanup_(place_clear) Place place = PLACE_EMPTY;

                r = place_open_in(state->reader->sources, directory, *name, &place);
                if (r == PLACE_E_MASKED)
                        r = 0;
                else if (r == 0 && !place.directory)
                        r = include_place(context, state, &place);
                else if (r != -ENOMEM)
                        r = key_refuse(context, "%s/%s %s", directory->path, *name,
                                       place_error_text(r == 0 ? PLACE_E_KIND : r));
        }

        return r < 0 ? r : 0;
}

static int on_include(KeyContext *context, const char *path) {
        ReadState *state = context->userdata;
        Reader *reader = state->reader;
        _cleanup_(place_clear) Place place = PLACE_EMPTY;
        _cleanup_free_ char *chain = NULL;
        int r;

        state->frame->line = context->origin.line;

        if (!state->frame->place)
                return key_refuse(context, "is followed only in files, not in a text that was sent");
        /* Root must not read files for somebody else. */
        if (!state->frame->trusted && !reader->include_always)
                return key_refuse(context, "is followed only in files that root alone can write, and %s",
                                  reader->definition->untrusted_reason);
        if (state->frame->depth >= INCLUDE_DEPTH_MAX) {
                chain = describe_chain(state->frame);
                if (!chain)
                        return -ENOMEM;
                return key_refuse(context, "files include each other more than %d deep: from %s",
                                  INCLUDE_DEPTH_MAX, chain);
        }

        r = place_open(reader->sources, path, state->frame->trusted, &place);
        if (r == -ENOMEM)
                return r;
        reader->problems->denied = reader->problems->denied || r == -EACCES;
        if (r != 0)
                return key_refuse_value(context, path, "cannot be included: it %s%s",
                                        r < 0 ? "cannot be opened: " : "", place_error_text(r));

        return place.directory ? include_directory(context, state, &place)
                               : include_place(context, state, &place);
}

/* The definition's own copy of a file's name, which origins point to; NULL without memory. */
static const char *remember_file(Definition *definition, const char *path) {
        char *copy = strdup(path);

        if (!copy)
                return NULL;
        if (ARRAY_APPEND(definition->files, definition->n_files, copy) < 0) {
                free(copy);
                return NULL;
        }

        return copy;
}

static int distrust(Definition *definition, const char *file, const char *reason) {
        definition->trusted = false;
        if (definition->untrusted_reason)
                return 0;

        definition->untrusted_reason = reason ? strdup(reason)
                                              : string_printf("%s lies in a place that is never trusted",
                                                              file);

        return definition->untrusted_reason ? 0 : -ENOMEM;
}

static int read_framed(Reader *reader, ReadFrame *frame, const char *text, size_t size) {
        ReadState state = { .reader = reader, .frame = frame };
        const IniHandler handler = { .userdata = &state,
                                     .section = on_section,
                                     .assignment = on_assignment };
        int r;

        frame->parent = reader->frame;
        frame->depth = frame->parent ? frame->parent->depth + 1 : 0;
        frame->entry = ORIGIN_NO_ENTRY;

        reader->frame = frame;
        r = ini_parse(frame->file, text, size, &handler, reader->problems);
        reader->frame = frame->parent;

        return r;
}

int read_text(Reader *reader, const char *label, const char *text, size_t size, bool trusted) {
        ReadFrame frame = { .trusted = trusted };
        int r;

        frame.file = remember_file(reader->definition, label);
        if (!frame.file)
                return -ENOMEM;
        r = trusted ? 0 : distrust(reader->definition, label, NULL);
        if (r < 0)
                return r;
        if (size > FILE_SIZE_MAX)
                return problems_add(reader->problems, label, 0, NULL, "is larger than %d bytes",
                                    FILE_SIZE_MAX);

        return read_framed(reader, &frame, text, size);
}

/* All of a regular file. One that has just the size that it was said to have costs one read(2). */
static int read_file(const Place *place, size_t max, char **ret, size_t *ret_size) {
        _cleanup_free_ char *text = NULL;
        ssize_t n;

        if (place->size > max)
                return -EFBIG;
        text = malloc(place->size + 1);
        if (!text)
                return -ENOMEM;

        do
                n = read(place->fd, text, place->size + 1);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        /* It grows while it is read. */
        if ((size_t) n > place->size)
                return -EAGAIN;

        *ret = TAKE_PTR(text);
        *ret_size = (size_t) n;

        return 0;
}

int read_place(Reader *reader, const Place *place) {
        ReadFrame frame = { .place = place, .trusted = place->trusted };
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        int r;

        if (reader->definition->n_files >= FILES_MAX)
                return problems_add(reader->problems, place->path, 0, NULL,
                                    "the definition has more than %d files", FILES_MAX);

        frame.file = remember_file(reader->definition, place->path);
        if (!frame.file)
                return -ENOMEM;
        r = place->trusted ? 0 : distrust(reader->definition, place->path, place->reason);
        if (r < 0)
                return r;

        r = read_file(place, FILE_SIZE_MAX - reader->size, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r == -EFBIG)
                return problems_add(reader->problems, place->path, 0, NULL,
                                    "the definition's files have more than %d bytes", FILE_SIZE_MAX);
        if (r < 0)
                return problems_add(reader->problems, place->path, 0, NULL, "cannot be read: %s",
                                    strerror(-r));
        reader->size += size;

        return read_framed(reader, &frame, text, size);
}

int read_conf_names(Reader *reader, const Place *directory, char ***ret_names) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_closedir_ DIR *stream = NULL;
        const struct dirent *entry;
        size_t n = 0;
        int fd, r;

        fd = fcntl(directory->fd, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
                return -errno;
        stream = fdopendir(fd);
        if (!stream) {
                r = -errno;
                (void) fd_close(fd);
                return r;
        }

        for (;;) {
                errno = 0;
                entry = readdir(stream);
                if (!entry)
                        break;
                if (entry->d_name[0] == '.' || !string_ends_with(entry->d_name, ".conf"))
                        continue;
                if (++n > DIRECTORY_ENTRIES_MAX)
                        return problems_add(reader->problems, directory->path, 0, NULL,
                                            "has more than %d *.conf files", DIRECTORY_ENTRIES_MAX);
                r = strv_append(&names, entry->d_name);
                if (r < 0)
                        return r;
        }
        if (errno > 0)
                return problems_add(reader->problems, directory->path, 0, NULL, "cannot be read: %s",
                                    strerror(errno));

        strv_sort(names);
        *ret_names = TAKE_PTR(names);

        return 0;
}
