/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See journal.h.
 */
#include <errno.h>
#include <stdio.h>
#include <systemd/sd-journal.h>

#include "basic/string.h"
#include "ctl/journal.h"
#include "ctl/output.h"
#include "ctl/process.h"

struct Journal {
        sd_journal *journal;
};

Journal *journal_close(Journal *journal) {
        if (!journal)
                return NULL;

        sd_journal_close(journal->journal);
        free(journal);

        return NULL;
}

/* What the unit's processes wrote to their standard output and error, and nothing that others say of it. */
static int match(sd_journal *journal, const char *unit) {
        _cleanup_free_ char *term = string_printf("_SYSTEMD_UNIT=%s", unit);
        int r;

        if (!term)
                return -ENOMEM;
        r = sd_journal_add_match(journal, term, 0);
        if (r >= 0)
                r = sd_journal_add_match(journal, "_TRANSPORT=stdout", 0);

        return r;
}

int journal_open(const char *unit, uint64_t since_usec, Journal **ret) {
        _cleanup_(journal_closep) Journal *journal = calloc(1, sizeof *journal);
        int r;

        if (!journal)
                return -ENOMEM;
        r = sd_journal_open(&journal->journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r >= 0)
                r = match(journal->journal, unit);
        if (r >= 0)
                r = sd_journal_seek_realtime_usec(journal->journal, since_usec);
        if (r >= 0)
                r = sd_journal_get_fd(journal->journal);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(journal);
        return 0;
}

int journal_get_fd(Journal *journal) {
        return sd_journal_get_fd(journal->journal);
}

short journal_get_events(Journal *journal) {
        int events = sd_journal_get_events(journal->journal);

        return events < 0 ? 0 : (short) events;
}

static int print_entry(sd_journal *journal) {
        static const char field[] = "MESSAGE=";
        const void *data;
        size_t size;
        int r;

        r = sd_journal_get_data(journal, "MESSAGE", &data, &size);
        if (r < 0 || size < strlen(field))
                return r == -ENOENT ? 0 : r;

        (void) fwrite((const char *) data + strlen(field), 1, size - strlen(field), stdout);
        putchar('\n');

        return 0;
}

int journal_print(Journal *journal) {
        int r;

        (void) sd_journal_process(journal->journal);
        for (;;) {
                r = sd_journal_next(journal->journal);
                if (r <= 0)
                        break;
                r = print_entry(journal->journal);
                if (r < 0)
                        break;
        }
        (void) output_flush(); /* it goes on, though nobody may read it */

        return r < 0 ? r : 0;
}

int journal_finish(Journal *journal) {
        char program[] = "journalctl", sync[] = "--sync", quiet[] = "--quiet";
        char *argv[] = { program, sync, quiet, NULL };

        if (geteuid() == 0)
                (void) process_run(argv);

        return journal_print(journal);
}
