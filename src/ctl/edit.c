/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl edit: a container's definition in the user's editor. The user works on a draft, which takes the definition's
 * place in one step when it is sound; otherwise it stays, and its path is told. A definition that is a file of the
 * host's is replaced as a file, by the caller's own rights; its draft lies beside it, so that it is judged as it will
 * be. One that was made over D-Bus is replaced over D-Bus; its draft lies in a directory of the caller's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "ctl/common.h"
#include "ctl/draft.h"
#include "ctl/editor.h"
#include "ctl/names.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/terminal.h"
#include "ctl/verb.h"
#include "spec/limits.h"
#include "spec/name.h"

#define ETC "/etc/berth/containers"

typedef struct Edit {
        const char *name;
        berth *connection;  /* for one that was made over D-Bus, else NULL */
        char *source;       /* the file that has the definition now; NULL: the service gave it */
        char *target;       /* the file that will have it; NULL: over D-Bus */
        char *before;       /* the text as it was */
        char *draft;        /* the file that is edited */
        mode_t mode; /* whom the source belongs to and who may read it, which is so of its successor, too */
        uid_t uid;
        gid_t gid;
        char *directory;    /* made for the draft; NULL: none */
} Edit;

static void edit_clear(Edit *edit) {
        (void) berth_close(edit->connection);
        free(edit->source);
        free(edit->target);
        free(edit->before);
        free(edit->draft);
        free(edit->directory);
}

static int report_path(int r, const char *doing, const char *path) {
        _cleanup_free_ char *what = string_printf("cannot %s %s", doing, path);

        return report_errno(r, what ?: doing);
}

/* A link or directory where the file would be; a link to /dev/null says that there is to be none. */
static int refuse_file(const char *path) {
        char target[sizeof "/dev/null"];
        ssize_t n = readlink(path, target, sizeof target);

        if (n == (ssize_t) strlen("/dev/null") && memcmp(target, "/dev/null", (size_t) n) == 0) {
                fprintf(stderr,
                        "berthctl: the container is masked: %s is a link to /dev/null; remove it first\n",
                        path);
                return STATUS_NO_CONTAINER;
        }
        fprintf(stderr, "berthctl: %s is not a regular file: edit what it stands for\n", path);

        return STATUS_FAILED;
}

/* Finds the file of the definition. One in /usr/lib is the distribution's: its successor is a file in /etc. */
static int find_file(Edit *edit) {
        const DefinitionSources *sources = definition_sources_host();

        for (size_t i = 0; i < sources->n_directories && !edit->source; i++) {
                const char *directory = sources->directories[i].path;
                _cleanup_free_ char *path = string_printf("%s/%s.container", directory, edit->name);
                struct stat st;

                if (!path)
                        return report_errno(-ENOMEM, "cannot find the definition");
                if (lstat(path, &st) < 0)
                        continue;
                if (!S_ISREG(st.st_mode))
                        return refuse_file(path);

                edit->source = TAKE_PTR(path);
                edit->mode = st.st_mode & 0777;
                edit->uid = st.st_uid;
                edit->gid = st.st_gid;
                if (!sources->directories[i].trusted)
                        continue;
                edit->target = string_printf("%s/%s.container", strncmp(directory, "/usr/", 5) == 0 ? ETC : directory,
                                             edit->name);
                if (!edit->target)
                        return report_errno(-ENOMEM, "cannot find the definition");
        }

        return STATUS_FINE;
}

/* Reads what there is: a file of the host's, or what was made over D-Bus, for which one need not be root. */
static int read_definition(Edit *edit) {
        int status, r;

        if (!settings.host && !settings.machine) {
                status = find_file(edit);
                if (status != STATUS_FINE)
                        return status;
        }
        if (edit->source) {
                r = file_read(AT_FDCWD, edit->source, FILE_SIZE_MAX, &edit->before, NULL);
                if (r < 0 && (edit->target || r != -EACCES))
                        return report_path(r, "read", edit->source);
        }
        if (edit->target)
                return STATUS_FINE;

        status = service_open(&edit->connection);
        if (status != STATUS_FINE || edit->before)
                return status;
        r = berth_get_definition(edit->connection, edit->name, &edit->before);

        return r < 0 ? service_failed(edit->connection, r, "read the definition of", edit->name) : STATUS_FINE;
}

static int make_directory(const char *path) {
        return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int open_draft(Edit *edit) {
        const char *temporary = getenv("TMPDIR") ?: "/var/tmp";
        int fd;

        if (edit->target) {
                if (strncmp(edit->target, ETC, strlen(ETC)) == 0 &&
                    (make_directory("/etc/berth") < 0 || make_directory(ETC) < 0))
                        return -errno;
                edit->draft = string_printf("%.*s/.%s.container.XXXXXX",
                                            (int) (strrchr(edit->target, '/') - edit->target), edit->target,
                                            edit->name);
                fd = edit->draft ? mkostemp(edit->draft, O_CLOEXEC) : -1;

                return fd < 0 ? -errno : fd;
        }

        edit->directory = string_printf("%s/berthctl-XXXXXX", temporary);
        if (!edit->directory || !mkdtemp(edit->directory))
                return -errno;
        edit->draft = string_printf("%s/draft.container", edit->directory);
        fd = edit->draft ? open(edit->draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;

        return fd < 0 ? -errno : fd;
}

/* A definition may have secrets that its mode hides, also while it is edited. */
static int keep_owner(const Edit *edit, int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if ((st.st_uid != edit->uid || st.st_gid != edit->gid) && fchown(fd, edit->uid, edit->gid) < 0)
                return -errno;

        return fchmod(fd, edit->mode) < 0 ? -errno : 0;
}

static int write_draft(Edit *edit) {
        _cleanup_close_ int fd = open_draft(edit);
        int r = fd;

        if (fd >= 0)
                r = fd_write_all(fd, edit->before, strlen(edit->before));
        if (fd >= 0 && r >= 0 && edit->target)
                r = keep_owner(edit, fd);

        return r < 0 ? report_path(r, "write the draft", edit->draft ?: "") : STATUS_FINE;
}

static void remove_draft(const Edit *edit) {
        (void) unlink(edit->draft);
        if (edit->directory)
                (void) rmdir(edit->directory);
}

static int keep_draft(const Edit *edit, int status) {
        fprintf(stderr, "berthctl: nothing was changed; what you wrote is in %s\n", edit->draft);

        return status;
}

/* Whether the draft may take the definition's place. */
static int check(const Edit *edit, const Draft *draft) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        int r;

        if (!edit->target)
                return settings.host || settings.machine ? STATUS_FINE : draft_check(draft, edit->name);

        r = definition_load_file(definition_sources_host(), edit->draft, &definition, &problems);

        return report_definition(r, definition, &problems);
}

/* Puts the draft where the definition was, unless somebody else changed that meanwhile. */
static int replace_file(const Edit *edit) {
        _cleanup_free_ char *now = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = file_read(AT_FDCWD, edit->source, FILE_SIZE_MAX, &now, NULL);
        if (r < 0 || !streq(now, edit->before)) {
                fprintf(stderr, "berthctl: %s was changed meanwhile\n", edit->source);
                return STATUS_FAILED;
        }

        /* An editor may have put another file in the draft's place. */
        fd = open(edit->draft, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        r = fd < 0 ? -errno : keep_owner(edit, fd);
        if (r >= 0 && (fsync(fd) < 0 || rename(edit->draft, edit->target) < 0))
                r = -errno;

        return r < 0 ? report_path(r, "replace", edit->target) : STATUS_FINE;
}

static int replace_over_bus(const Edit *edit, const Draft *draft) {
        int r = berth_create(edit->connection, edit->name, draft->text, NULL, 0, BERTH_CREATE_REPLACE);

        return r < 0 ? service_failed(edit->connection, r, "replace the definition of", edit->name) : STATUS_FINE;
}

/* With its drop-ins it may be wrong, although the file itself is not. */
static int look_at_result(const Edit *edit) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        int r;

        if (!settings.quiet && terminal_is_stdout())
                printf("What changed holds from the next start of %s.\n", edit->name);
        if (!edit->target)
                return STATUS_FINE;

        r = definition_load(definition_sources_host(), edit->name, &definition, &problems);

        return report_definition(r, definition, &problems);
}

static void report_editor(int failure, const char *line) {
        _cleanup_free_ char *shown = line ? string_escape_unprintable(line) : NULL;

        if (failure == -ECANCELED)
                fputs("berthctl: the editor failed\n", stderr);
        else if (!line && failure == -ENOENT)
                fputs("berthctl: there is no editor; $EDITOR may name one\n", stderr);
        else
                fprintf(stderr, "berthctl: cannot run the editor%s%s: %s\n", line ? " " : "", shown ?: "",
                        strerror(-failure));
}

static int edit_draft(const Edit *edit, Draft *draft) {
        const char *line;
        int failure, r;

        failure = editor_run(edit->draft, &line);
        r = file_read(AT_FDCWD, edit->draft, FILE_SIZE_MAX, &draft->text, &draft->size);
        if (r < 0)
                return report_path(r, "read", edit->draft);
        draft->label = edit->draft;

        if (failure < 0)
                report_editor(failure, line);

        return failure < 0 ? STATUS_FAILED : STATUS_FINE;
}

/* One visit to the editor. RET_AGAIN says that the user wants another. */
static int edit_once(const Edit *edit, bool *ret_again) {
        _cleanup_(draft_clear) Draft draft = DRAFT_EMPTY;
        int status;

        *ret_again = false;
        status = edit_draft(edit, &draft);
        if (draft.text && (draft.size == 0 || streq(draft.text, edit->before))) {
                if (!settings.quiet)
                        fprintf(stderr, "berthctl: %s, nothing was changed\n",
                                draft.size == 0 ? "the definition is empty" : "the definition is as it was");
                remove_draft(edit);
                return status;
        }
        if (status != STATUS_FINE)
                return keep_draft(edit, status);

        status = check(edit, &draft);
        if (status != STATUS_FINE && terminal_can_ask() && terminal_ask("Edit it again?")) {
                *ret_again = true;
                return status;
        }
        if (status == STATUS_FINE)
                status = edit->target ? replace_file(edit) : replace_over_bus(edit, &draft);
        if (status != STATUS_FINE)
                return keep_draft(edit, status);

        remove_draft(edit);
        return look_at_result(edit);
}

static int run(const Arguments *arguments) {
        _cleanup_free_ char *name = name_from_word(arguments->words[0]);
        _cleanup_(edit_clear) Edit edit = { .name = name };
        bool again;
        int status;

        if (!name)
                return report_errno(-ENOMEM, "cannot edit");
        if (!container_name_is_valid(name))
                return report_name(name);

        status = read_definition(&edit);
        if (status == STATUS_FINE)
                status = write_draft(&edit);
        if (status != STATUS_FINE)
                return status;

        do
                status = edit_once(&edit, &again);
        while (again);

        return status;
}

const Verb verb_edit = {
        .name = "edit",
        .arguments = "NAME",
        .minimum = 1,
        .maximum = 1,
        .run = run,
        .summary = "change a container's definition in an editor",
        .details = "Opens the definition in $SYSTEMD_EDITOR, $EDITOR or $VISUAL. What you wrote takes its place if it is\n"
                   "sound; otherwise nothing changes, and you are told where your draft is. A definition of the\n"
                   "distribution's, in /usr/lib, is left alone: the changed one goes to /etc.",
};
