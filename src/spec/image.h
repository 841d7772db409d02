/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a disk image holds: a file system, or a GUID partition table with one partition that is a root (UEFI
 * specification 2.10, chapter 5; the Discoverable Partitions Specification of the UAPI group). Pure: the caller reads.
 * Nothing that an image says is believed before it was checked against the image's own size.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads SIZE bytes at OFFSET, all of them within the image. 0 or negative errno. */
typedef int (*ImageRead)(void *userdata, uint64_t offset, void *buffer, size_t size);

typedef struct ImageRoot {
        uint64_t offset, size;  /* where the file system lies */
        bool read_only;         /* the partition says that it is not to be written */
        const char *filesystem; /* as mount(8) calls it */
} ImageRoot;

typedef enum ImageError {
        _IMAGE_E_SUCCESS,
        IMAGE_E_UNKNOWN,    /* neither a file system that berth knows nor a partition table */
        IMAGE_E_ENCRYPTED,  /* LUKS */
        IMAGE_E_TABLE,      /* a partition table that is damaged */
        IMAGE_E_OLD_TABLE,  /* a DOS partition table, which tells nothing of what is in a partition */
        IMAGE_E_NO_ROOT,    /* no partition that could be the root */
        IMAGE_E_MANY_ROOTS, /* more than one */
} ImageError;

/* 0, an ImageError, or what READ returned. */
int image_probe(ImageRead read, void *userdata, uint64_t size, ImageRoot *ret);

/* What is wrong, as a clause. */
const char *image_error_text(int error);
