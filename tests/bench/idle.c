/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The least that can be started: says READY=1 to systemd if it is asked to, waits for SIGTERM, ends. It is the empty
 * service that a container's start is compared with, and what runs in the containers whose cost is measured.
 */
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void say_ready(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || strlen(path) >= sizeof address.sun_path)
                return;
        memcpy(address.sun_path, path, strlen(path));
        if (path[0] == '@')
                address.sun_path[0] = '\0';
        (void) sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *) &address,
                      (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(path)));
        (void) close(fd);
}

int main(void) {
        const char *path = getenv("NOTIFY_SOCKET");
        sigset_t end;
        int which;

        (void) sigemptyset(&end);
        (void) sigaddset(&end, SIGTERM);
        (void) sigaddset(&end, SIGINT);
        (void) sigprocmask(SIG_BLOCK, &end, NULL);
        if (path)
                say_ready(path);

        (void) sigwait(&end, &which);
        return EXIT_SUCCESS;
}
