/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every limit on what a definition may hold and on what callers may make the service keep, in one place. They are far
 * above what anybody writes by hand or needs, and low enough that nobody's definition or calls cost noticeable memory
 * or time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NAME_MAX_LENGTH 63                /* of a container: one label of a host name */

#define FILE_SIZE_MAX (1024 * 1024)       /* bytes of one file, and of all files of a definition together */
#define LINE_SIZE_MAX (64 * 1024)         /* bytes of one line with its continuations */
#define FILES_MAX 256                     /* files that make up one definition: drop-ins, includes */
#define DIRECTORY_ENTRIES_MAX 4096        /* *.conf in one directory */
#define INCLUDE_DEPTH_MAX 8
#define PROBLEMS_MAX 100                  /* that are collected before reading stops */
#define LINKS_MAX 16                      /* symbolic links on the way to one file */

#define TEXT_SIZE_MAX 1024                /* Description= */
#define PATH_SIZE_MAX 4096
#define MASK_PATHS_MAX 256                /* MaskPaths=, UnmaskPaths= */
#define COMMAND_SIZE_MAX 16000            /* bytes of all arguments; quoted they still fit in a line */
#define COMMAND_WORDS_MAX 1024
#define ENVIRONMENT_MAX 256               /* variables */
#define ENVIRONMENT_SIZE_MAX 16000        /* bytes of one variable */
#define GROUPS_MAX 64
#define AFTER_MAX 256
#define MOUNTS_MAX 256
#define DEVICES_MAX 256                   /* [Device] sections */
#define DEVICE_NODES_MAX 1024             /* nodes that they stand for together */
#define ID_RANGES_MAX 64
#define PROPERTIES_MAX 256                /* assignments in [Resources] that go to systemd */
#define SYSCTLS_MAX 256
#define SYSCTL_SIZE_MAX 1024

#define ID_RANGE_SIZE 65536               /* ids that a start gives to a container */
#define ID_MAX (UINT32_MAX - 1)           /* the last id; the value above it means "none" */
#define TASKS_MAX_DEFAULT 16384           /* TasksMax= of the unit, which only root may raise */
#define LOCK_RELEASE_USEC (UINT64_C(2) * 1000000) /* for systemd to let go of a lock of a container that has ended */
#define DELAY_MAX_USEC (UINT64_C(3600) * 1000000) /* [Autostart] Delay= */
#define STOP_TIMEOUT_MAX_USEC (UINT64_C(366) * 24 * 3600 * 1000000) /* of StopContainer; a longer one counts as this */

#define HOOKS_MAX 32                      /* commands of one kind */
#define HOOK_TIMEOUT_USEC (UINT64_C(30) * 1000000) /* [Hooks] Timeout= when it is not set */
#define HOOK_LINE_MAX 2048                /* bytes of a line of a hook's output; a longer one counts as several */
#define HOOK_LOOK_MSEC 250                /* how often is looked whether a container is to end while a hook runs */
#define HOOK_KILL_MSEC (5 * 1000)         /* for the kernel to end what a hook left running */

#define SECCOMP_PROFILES_MAX 64           /* that one system call filter is made of */
#define SECCOMP_GROUP_MAX 2048            /* calls in one group; Linux has some 500 */
#define SECCOMP_GROUPS_MAX 256
#define SECCOMP_RULES_MAX 32768           /* a rule for each call of a group */
#define RULE_LINES_MAX 256                /* SeccompRules=, AppArmorRules= */
#define SECCOMP_COMPILE_MEMORY_MAX (UINT64_C(256) * 1024 * 1024)
#define SECCOMP_COMPILE_SECONDS_MAX 10
#define APPARMOR_PROFILE_SIZE_MAX (8 * 1024 * 1024)       /* bytes of a compiled profile */
#define APPARMOR_COMPILE_MEMORY_MAX (UINT64_C(1024) * 1024 * 1024)
#define APPARMOR_COMPILE_SECONDS_MAX 60
#define SECCOMP_NOTIFY_MSEC (10 * 1000)   /* for who serves SeccompNotify= to take the listener */

#define CALLERS_MAX 4096                  /* connections to the bus that called the manager and are still there */
#define CALLS_HELD_MAX 1024               /* calls that wait for their caller's uid or for polkit, in all */
#define CALLS_HELD_EACH_MAX 256           /* of one caller */
#define AUTHORIZATIONS_MAX 512            /* calls that wait for polkit, in all */
#define AUTHORIZATIONS_EACH_MAX 64        /* of one uid */
#define CALL_SIZE_MAX (FILE_SIZE_MAX + 128 * 1024)      /* bytes of a call that waits for polkit: its arguments */
#define AUTHORIZATIONS_SIZE_MAX (128 * 1024 * 1024)     /* bytes of calls that wait for polkit, in all */
#define AUTHORIZATIONS_SIZE_EACH_MAX (16 * 1024 * 1024) /* of one uid */
#define AUTHORIZATIONS_ASKED_MAX 48       /* that polkit has at a time: dbus-daemon allows 128 open calls in all */
#define AUTHORIZATIONS_ASKED_EACH_MAX 16  /* of one uid */
#define AUTHORIZATION_USEC (UINT64_C(30) * 1000000)              /* polkit's time for an answer */
#define AUTHORIZATION_INTERACTIVE_USEC (UINT64_C(300) * 1000000) /* the same when it may ask the user */

#define CONSOLES_MAX 1024                 /* containers whose consoles the manager holds */
#define CONSOLE_RING_SIZE (64 * 1024)     /* bytes of a console's last output that are kept */
#define CONSOLE_CLIENTS_MAX 8             /* attached to one console */
#define CONSOLE_SENDERS_MAX 64            /* launchers that are about to hand over a console */
#define CONSOLE_DISPATCH_SIZE (16 * 1024) /* bytes read from one console before others have their turn */
#define CONSOLE_BURST (256 * 1024)        /* bytes that a console may show at once ... */
#define CONSOLE_RATE (512 * 1024)         /* ... and per second in the long run; a guest that has more waits */
#define CONSOLE_INPUT_SIZE 1024           /* bytes from one client that wait for the guest to take them */
#define CONSOLE_LINGER_USEC (UINT64_C(5) * 1000000) /* for clients to read the rest when the container is gone */
#define CONSOLE_SENDER_USEC (UINT64_C(10) * 1000000) /* for a launcher to send after it connected */
#define COUNTER_FILE_MAX (1024 * 1024)    /* bytes of a file of a control group; io.stat has a line for each device */
#define CAPABILITY_FILE_MAX (64 * 1024)   /* bytes of a file that is looked at to learn what the host can do */

#define HELPER_CONNECTIONS_MAX 8          /* to the helper; the manager needs one */
#define HELPER_REQUESTS_MAX 64            /* that the helper works on at a time, in all */
#define HELPER_DESCRIPTORS_MAX 64         /* that a request names */
#define HELPER_DATA_MAX (96 * 1024 * 1024)                /* bytes of memory of the serving process */
#define HELPER_MESSAGE_USEC (UINT64_C(10) * 1000000)      /* for a whole request, once a byte of it is there */
#define HELPER_IDLE_USEC (UINT64_C(30) * 1000000)         /* without a connection until the helper leaves */
#define HELPER_SYSTEMD_USEC (UINT64_C(300) * 1000000)     /* systemd's time for an answer, also to a reload */
#define HELPER_SILENCE_USEC (UINT64_C(30) * 60 * 1000000) /* for which a helper that works on data may say nothing */
#define HELPER_ACCEPT_MAX 100             /* connections that are looked at in this time: */
#define HELPER_ACCEPT_USEC (UINT64_C(100) * 1000)
#define HELPER_REFUSALS_MAX 30            /* lines about refusals in this time: */
#define HELPER_REFUSALS_USEC (UINT64_C(10) * 1000000)
#define OPERATIONS_MAX 1024               /* D-Bus calls that wait for the helper or a job, in all */
#define OPERATIONS_EACH_MAX 128           /* of one uid; not of root */
#define OPERATIONS_LONG_EACH_MAX 4        /* of these those that make or remove containers; the helper works on 16 */
#define DESCRIPTORS_MAX 64                /* that a caller hands over with a definition */
/* What berth takes into its store from an archive, a tree or an image. */
#define UNPACK_MEMBERS_MAX 4000000
#define UNPACK_DEPTH_MAX 256              /* directories on the way to a file */
#define UNPACK_ATTRIBUTES_MAX 64          /* extended attributes of one file */
#define UNPACK_ATTRIBUTE_SIZE_MAX 65536   /* bytes of one: the kernel's own limit */
#define UNPACK_MEMORY_MAX (UINT64_C(1) << 30)
#define UNPACK_CPU_SECONDS_MAX 3600
#define UNPACK_TRAILER_MAX (UINT64_C(1) << 30) /* unpacked bytes behind the archive's end */
#define STORE_RESERVE_MAX (UINT64_C(1) << 30) /* stays free on the store's file system: this or */
#define STORE_RESERVE_SHARE 20                /* one part in so many, whichever is less */

#define IMAGE_PARTITIONS_MAX 1024         /* in a disk image's partition table; 128 is usual */
#define IMAGE_PARTITION_ENTRY_MAX 4096    /* bytes of an entry in it; 128 is usual */
#define PID_QUESTIONS_MAX 16              /* GetContainerByPID calls that wait for systemd, of root and of all others */
#define PID_QUESTIONS_EACH_MAX 4          /* of these, of one uid */
#define UNPACK_SILENCE_MSEC (5 * 60 * 1000) /* for which an archive on a pipe may say nothing */
