/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/launch/state.h"

#include <signal.h>
#include <sys/pidfd.h>

#include "basic/cleanup.h"

void launch_done(Launch *launch) {
        /* After a start that succeeded pid is 0: the guest is not ours to touch. */
        launch->socket = fd_close(launch->socket);
        if (launch->pid > 0)
                (void) pidfd_send_signal(launch->pidfd, SIGKILL, NULL, 0);

        borrowed_mounts_done(&launch->borrowed);
        run_host_done(&launch->run);
        root_done(&launch->root);
        fd_store_done(&launch->store);
        cgroup_done(&launch->cgroup);
        seccomp_program_done(&launch->seccomp);
        lsm_done(&launch->lsm);
        launch->seccomp_server = fd_close(launch->seccomp_server);
        launch_plan_done(&launch->plan);
        descriptors_done(&launch->descriptors);
        if (launch->definition)
                definition_free(launch->definition);
        notify_done(&launch->notify);
        launch->stage = fd_close(launch->stage);
        launch->reaper = fd_close(launch->reaper);
        launch->pidfd = fd_close(launch->pidfd);
        launch->user_namespace = fd_close(launch->user_namespace);
        launch->sysctl = fd_close(launch->sysctl);
        launch->barrier = fd_close(launch->barrier);
}
