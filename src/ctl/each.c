/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/each.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/progress.h"
#include "ctl/service.h"
#include "ctl/verb.h"

#define WORKERS_MAX 16
#define TICK_NSEC 200000000L /* how often the progress is looked at */
#define NSEC_PER_SEC 1000000000L

typedef struct Work {
        berth *connection;
        char *const *names;
        const Each *each;

        pthread_mutex_t lock; /* of what follows, and of stderr */
        pthread_cond_t ended;
        size_t next;
        unsigned workers;
        int status;
        Progress progress;
} Work;

/* Told under the lock, so that words of two failures do not mix. */
static void work_failed(Work *work, int r, const char *name) {
        (void) pthread_mutex_lock(&work->lock);
        progress_pause(&work->progress);
        work->status = status_join(
                        work->status, service_failed(work->connection, r, work->each->doing, name));
        (void) pthread_mutex_unlock(&work->lock);
}

static const char *work_next(Work *work) {
        const char *name;

        (void) pthread_mutex_lock(&work->lock);
        name = work->names[work->next];
        if (name)
                work->next++;
        (void) pthread_mutex_unlock(&work->lock);

        return name;
}

static void *work_run(void *userdata) {
        Work *work = userdata;
        const char *name;

        while ((name = work_next(work))) {
                int r = work->each->call(work->connection, name, work->each->userdata);

                if (r < 0)
                        work_failed(work, r, name);
        }

        (void) pthread_mutex_lock(&work->lock);
        work->workers--;
        (void) pthread_cond_signal(&work->ended);
        (void) pthread_mutex_unlock(&work->lock);

        return NULL;
}

/* Shows that it goes on, until no worker is left. */
static void work_wait(Work *work) {
        (void) pthread_mutex_lock(&work->lock);
        while (work->workers > 0) {
                struct timespec until;

                (void) clock_gettime(CLOCK_REALTIME, &until);
                until.tv_nsec += TICK_NSEC;
                if (until.tv_nsec >= NSEC_PER_SEC) {
                        until.tv_sec++;
                        until.tv_nsec -= NSEC_PER_SEC;
                }
                (void) pthread_cond_timedwait(&work->ended, &work->lock, &until);
                if (work->workers > 0)
                        progress_update(&work->progress, 0, 0);
        }
        (void) pthread_mutex_unlock(&work->lock);
}

int each_name(berth *connection, char *const *names, const Each *each) {
        Work work = {
                .connection = connection,
                .names = names,
                .each = each,
                .lock = PTHREAD_MUTEX_INITIALIZER,
                .ended = PTHREAD_COND_INITIALIZER,
        };
        size_t n = strv_length(names), wanted = geteuid() != 0 ? 1 : n < WORKERS_MAX ? n : WORKERS_MAX;
        _cleanup_free_ char *what = n == 1 ? string_printf("%s %s", each->progress, names[0])
                                           : string_printf("%s %zu containers", each->progress, n);
        _cleanup_free_ char *shown = what ? string_escape_unprintable(what) : NULL;
        pthread_t threads[WORKERS_MAX];
        size_t n_threads = 0;

        progress_begin(&work.progress, shown ?: each->progress);
        (void) pthread_mutex_lock(&work.lock);
        while (n_threads < wanted && pthread_create(threads + n_threads, NULL, work_run, &work) == 0) {
                n_threads++;
                work.workers++;
        }
        (void) pthread_mutex_unlock(&work.lock);
        if (n_threads == 0) { /* then without help */
                work.workers = 1;
                (void) work_run(&work);
        }
        work_wait(&work);
        for (size_t i = 0; i < n_threads; i++)
                (void) pthread_join(threads[i], NULL);
        progress_end(&work.progress);

        return work.status;
}

int each_container(const Arguments *arguments, const Each *each) {
        _cleanup_(berth_closep) berth *connection = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        int status;

        status = service_open(&connection);
        if (status == STATUS_FINE)
                status = service_names(connection, arguments->words, arguments->n, &names);
        if (status != STATUS_FINE)
                return status;

        return each_name(connection, names, each);
}
