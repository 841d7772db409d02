/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/dropin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "spec/hook.h"
#include "spec/limits.h"

#define HEAD "# Made by berth-generator from the definition of %s; see \"berthctl cat %s\".\n"

/* Text as a unit file takes it for itself: a percent sign starts a specifier, a backslash at the end joins
 * lines. The definition's parser let no control character through. */
static void print_text(FILE *stream, const char *text) {
        for (const char *p = text; *p; p++) {
                if (*p == '%')
                        (void) fputc('%', stream);
                (void) fputc(*p, stream);
        }
        if (string_ends_with(text, "\\"))
                (void) fputc(' ', stream);
        (void) fputc('\n', stream);
}

static int stream_finish(FILE **stream) {
        int r = ferror(*stream) ? -ENOMEM : 0;

        if (fclose(TAKE_PTR(*stream)) != 0)
                r = -ENOMEM;

        return r;
}

/* Does its start need a loop device? */
static bool has_image(const Definition *definition) {
        char path[sizeof DROPIN_IMAGES + NAME_MAX_LENGTH + 8];

        if (!definition->managed)
                return definition->root_image;

        (void) snprintf(path, sizeof path, DROPIN_IMAGES "/%s.raw", definition->name);
        return access(path, F_OK) == 0;
}

/* By number, so that what is allowed is what was opened. Making nodes is always allowed: the start makes the
 * container's node in the unit. */
static void print_device(FILE *stream, const DeviceNode *node) {
        (void) fprintf(stream, "DeviceAllow=/dev/%s/%u:%u %s%sm\n", S_ISBLK(node->type) ? "block" : "char",
                       major(node->number), minor(node->number), node->spec->access & DEVICE_READ ? "r" : "",
                       node->spec->access & DEVICE_WRITE ? "w" : "");
}

int dropin_properties(const Definition *definition, const DeviceNodes *devices, char **ret) {
        _cleanup_free_ char *text = NULL;
        _cleanup_fclose_ FILE *stream = NULL;
        bool image = has_image(definition), hooks = definition->trusted && hook_any_of_stop(definition),
             service = definition->n_properties > 0 || devices->n > 0 || hooks;
        size_t size;
        int r;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;

        if (definition->description || service || image)
                (void) fprintf(stream, HEAD, definition->name, definition->name);
        if (definition->description || image)
                (void) fputs("[Unit]\n", stream);
        if (definition->description) {
                (void) fputs("Description=", stream);
                print_text(stream, definition->description);
        }
        if (image)
                (void) fputs("Wants=modprobe@loop.service\nAfter=modprobe@loop.service\n", stream);
        if (service || image)
                (void) fputs("[Service]\n", stream);
        if (image)
                (void) fputs("DeviceAllow=/dev/loop-control rw\nDeviceAllow=block-loop rw\n", stream);
        if (hooks)
                (void) fprintf(stream, "ExecStopPost=-" BERTH_LIBEXECDIR "/berth-helper post-stop %s\n",
                               definition->name);
        for (size_t i = 0; i < devices->n; i++)
                print_device(stream, devices->list + i);
        for (size_t i = 0; i < definition->n_properties; i++)
                (void) fprintf(stream, "%s=%s\n", definition->properties[i].name,
                               definition->properties[i].value);

        r = stream_finish(&stream);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(text);
        return 0;
}

int dropin_order(const Definition *definition, const Order *order, char **ret) {
        _cleanup_free_ char *text = NULL;
        _cleanup_fclose_ FILE *stream = NULL;
        size_t size;
        int r;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;

        if (order->n_after > 0 || order->n_left_out > 0)
                (void) fprintf(stream, HEAD "[Unit]\n", definition->name, definition->name);
        for (size_t i = 0; i < order->n_left_out; i++)
                (void) fprintf(stream,
                               "# After=container@%s.service is left out: that container is itself started "
                               "after this "
                               "one.\n",
                               order->left_out[i]);
        for (size_t i = 0; i < order->n_after; i++)
                (void) fprintf(stream, "%scontainer@%s.service", i == 0 ? "After=" : " ", order->after[i]);
        if (order->n_after > 0)
                (void) fputc('\n', stream);

        r = stream_finish(&stream);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(text);
        return 0;
}
