/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libberth: containers of berth from C, over the D-Bus service org.berth.container1 (org.berth.container1(5) has what
 * each call does and who may do it). The library has no rights of its own: the service asks polkit about the caller.
 *
 * RESULTS. Functions that return an int return a negative errno on failure, and then leave what their ret_ arguments
 * point to untouched. berth_error_name() and berth_error_message() tell more. Strings, lists and structures that are
 * handed out belong to the caller, who frees them with the function named beside them; "free()" is free(3).
 *
 * NAMES. A container is named "web"; another user's, or one's own, "1000/web" (uid, slash, name). Names that the
 * library hands out follow the rule of containers' names, so that they can be used in a file name. Every other text
 * (a definition, a reason, a message of an event, a property) is what the service or a container says: who shows it on
 * a terminal has to escape it. berth_error_message() alone is escaped already.
 *
 * THREADS. A connection may be used by any number of threads at the same time: a call that waits, such as a start,
 * does not hold up the others. Each thread sees its own last error. berth_close() must be the last use. After fork(2),
 * the child must not use it.
 *
 * GROWTH. Structures are made by the library and may grow at their end in later versions; never take their size. A flag
 * that is not known is an error, never passed over. "Since" tells the version of berth that brought something; before
 * calls that are newer than the service, berth_has_feature() tells whether it knows them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BERTH_EXPORT __attribute__((visibility("default")))
#else
#define BERTH_EXPORT
#endif

/* A connection to the service. Since 0.1. */
typedef struct berth berth;

/*
 * Errors: their names, and the errno that functions return for each (negative). Several share a number. Since 0.1.
 */

#define BERTH_ERROR "org.berth.container1.Error."
#define BERTH_ERROR_NO_SUCH_CONTAINER BERTH_ERROR "NoSuchContainer"     /* ENOENT */
#define BERTH_ERROR_CONTAINER_EXISTS BERTH_ERROR "ContainerExists"      /* EEXIST */
#define BERTH_ERROR_INVALID_NAME BERTH_ERROR "InvalidName"              /* EINVAL */
#define BERTH_ERROR_INVALID_DEFINITION BERTH_ERROR "InvalidDefinition"  /* EBADMSG */
#define BERTH_ERROR_POLICY_VIOLATION BERTH_ERROR "PolicyViolation"      /* EPERM */
#define BERTH_ERROR_NOT_RUNNING BERTH_ERROR "NotRunning"                /* ESRCH */
#define BERTH_ERROR_ALREADY_RUNNING BERTH_ERROR "AlreadyRunning"        /* EALREADY */
#define BERTH_ERROR_START_FAILED BERTH_ERROR "StartFailed"              /* EIO */
#define BERTH_ERROR_ROOT_IN_USE BERTH_ERROR "RootInUse"                 /* EADDRINUSE */
#define BERTH_ERROR_TIMED_OUT BERTH_ERROR "TimedOut"                    /* ETIMEDOUT */
#define BERTH_ERROR_BUSY BERTH_ERROR "Busy"                             /* EBUSY */
#define BERTH_ERROR_CANCELED BERTH_ERROR "Canceled"                     /* ECANCELED */
#define BERTH_ERROR_DATA_REFUSED BERTH_ERROR "DataRefused"              /* EUCLEAN */
#define BERTH_ERROR_HELPER_LOST BERTH_ERROR "HelperLost"                /* ECONNABORTED */
#define BERTH_ERROR_NO_SUCH_PROCESS BERTH_ERROR "NoSuchProcess"         /* ESRCH */
#define BERTH_ERROR_NO_SUCH_PROPERTY BERTH_ERROR "NoSuchProperty"       /* ENOTTY */
#define BERTH_ERROR_FAILED BERTH_ERROR "Failed"                         /* EIO */

/* Of D-Bus itself. The last four are also what the library says when it could not get through to the service. */
#define BERTH_ERROR_INVALID_ARGS "org.freedesktop.DBus.Error.InvalidArgs"            /* EINVAL */
#define BERTH_ERROR_ACCESS_DENIED "org.freedesktop.DBus.Error.AccessDenied"          /* EACCES */
#define BERTH_ERROR_AUTHORIZATION_REQUIRED \
        "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"                /* EACCES */
#define BERTH_ERROR_NOT_SUPPORTED "org.freedesktop.DBus.Error.NotSupported"          /* EOPNOTSUPP */
#define BERTH_ERROR_LIMITS_EXCEEDED "org.freedesktop.DBus.Error.LimitsExceeded"      /* ENOBUFS */
#define BERTH_ERROR_NO_SERVICE "org.freedesktop.DBus.Error.ServiceUnknown"           /* EHOSTUNREACH */
#define BERTH_ERROR_NO_REPLY "org.freedesktop.DBus.Error.NoReply"                    /* ETIMEDOUT */
#define BERTH_ERROR_DISCONNECTED "org.freedesktop.DBus.Error.Disconnected"           /* ECONNRESET */
#define BERTH_ERROR_NO_MEMORY "org.freedesktop.DBus.Error.NoMemory"                  /* ENOMEM */

/* The name of the error with which the calling thread's last call on this connection failed, NULL if it did not fail.
 * With NULL for the connection: of the last attempt to open one. Valid until the thread's next call. Since 0.1. */
BERTH_EXPORT const char *berth_error_name(const berth *connection);

/* The sentence that goes with it, without a full stop, escaped such that it can be shown: only newlines are left of
 * what steers a terminal. "" if the last call did not fail. Valid until the thread's next call. Since 0.1. */
BERTH_EXPORT const char *berth_error_message(const berth *connection);

/*
 * Connections
 */

/* Connects to the system bus of this host ($DBUS_SYSTEM_BUS_ADDRESS says where, if set). The service is started by the
 * first call. Since 0.1. */
BERTH_EXPORT int berth_open(berth **ret_connection);

/* Connects to another host's through ssh(1); HOST is "[user@]host[:port][/container]" as for systemctl -H. Descriptors
 * do not travel that way: the calls that need them fail with EOPNOTSUPP. Since 0.1. */
BERTH_EXPORT int berth_open_remote(const char *host, berth **ret_connection);

/* Connects to the system bus inside of a container that systemd-machined knows, as systemctl -M does; "[user@]name".
 * Needs root's rights. Since 0.1. */
BERTH_EXPORT int berth_open_machine(const char *machine, berth **ret_connection);

/* Ends a connection; NULL is fine. Consoles and roots that were opened through it stay open. Returns NULL.
 * Since 0.1. */
BERTH_EXPORT berth *berth_close(berth *connection);

/* Whether the service may have the user asked for a password (not 0; it is 0 at first). Then somebody has to run an
 * agent, a desktop or pkttyagent(1), and calls may wait for the user. Since 0.1. */
BERTH_EXPORT int berth_set_interactive(berth *connection, int interactive);

/* How long a call waits for its answer at most, in microseconds; UINT64_MAX, what it is at first, is for ever. A call
 * that was given up fails with ETIMEDOUT and BERTH_ERROR_NO_REPLY; what it asked for may happen all the same.
 * Since 0.1. */
BERTH_EXPORT int berth_set_timeout(berth *connection, uint64_t usec);

/*
 * The service
 */

/* The version of this library, "0.1.0". Since 0.1. */
BERTH_EXPORT const char *berth_library_version(void);

/* The version of the service, for people. free(). Since 0.1. */
BERTH_EXPORT int berth_version(berth *connection, char **ret_version);

/* 1 if the service has this extension of its first interface, 0 if not. Asked once for a connection, and again when
 * the service was restarted and berth_watch() is on. Since 0.1. */
BERTH_EXPORT int berth_has_feature(berth *connection, const char *feature);

/* All of them, a NULL-terminated list; berth_strings_free(). Returns their number. Since 0.1. */
BERTH_EXPORT int berth_features(berth *connection, char ***ret_features);

BERTH_EXPORT char **berth_strings_free(char **strings); /* NULL is fine; returns NULL. Since 0.1. */

/* Something that the service's host can do or cannot. Since 0.1. */
typedef struct berth_capability {
        char *name;    /* a word */
        int available; /* 1 or 0 */
        char *reason;  /* why not, a sentence; "" if it is available */
} berth_capability;

/* What kernel, systemd and security module of the service's host allow: a NULL-terminated list, sorted by name;
 * berth_capabilities_free(). Returns their number. Since 0.1. */
BERTH_EXPORT int berth_capabilities(berth *connection, berth_capability ***ret_capabilities);

BERTH_EXPORT berth_capability **berth_capabilities_free(berth_capability **capabilities); /* returns NULL. Since 0.1. */

/* Has the service, and systemd, read all definitions again. Since 0.1. */
BERTH_EXPORT int berth_reload(berth *connection);

/*
 * Looking at containers
 */

/* A line of the list. Since 0.1. */
typedef struct berth_container {
        char *name;
        char *state;    /* "stopped", "starting", "running", "frozen", "stopping", "failed"; others may come */
        uint32_t owner; /* uid, 0 for the host's */
        char *unit;     /* of systemd */
        char *path;     /* of its object on D-Bus */
} berth_container;

/* All containers that the caller may know of, sorted by name: a NULL-terminated list; berth_list_free(). Returns their
 * number. Since 0.1. */
BERTH_EXPORT int berth_list(berth *connection, berth_container ***ret_list);

BERTH_EXPORT berth_container **berth_list_free(berth_container **list); /* NULL is fine; returns NULL. Since 0.1. */

/* How much of the time tasks had to wait for a resource, in percent over the last 10, 60 and 300 seconds. Since 0.1. */
typedef struct berth_pressure {
        char *resource; /* "cpu", "memory", "io" */
        double last10, last60, last300;
        uint64_t total_usec;
} berth_pressure;

#define BERTH_UNKNOWN UINT64_MAX /* of a counter that the host does not keep */

/* All about a container. A text that the service did not give is "", never NULL. Since 0.1. */
typedef struct berth_status {
        char *name;
        char *state;            /* as in berth_container */
        uint32_t owner;         /* uid */
        char *unit;
        uint32_t leader;        /* the host's pid of its init, 0 when it is not running */
        char *control_group;    /* from the root of the hierarchy; "" when it is not running */
        uint64_t started_usec;  /* when it was started, CLOCK_REALTIME; 0 when it is not running */
        int32_t exit_status;    /* how its init ended last: exit status, or the negative of the signal */
        char *last_error;       /* why the last start failed, "" if it did not */
        uint64_t memory_current, memory_peak;      /* bytes; BERTH_UNKNOWN as for all that follow */
        uint64_t cpu_usage_nsec;
        uint64_t tasks_current;
        uint64_t io_read_bytes, io_write_bytes;
        size_t n_pressure;
        berth_pressure *pressure;                  /* n_pressure of them */
} berth_status;

/* One container. berth_status_free(). Since 0.1. */
BERTH_EXPORT int berth_get_status(berth *connection, const char *name, berth_status **ret_status);

BERTH_EXPORT berth_status *berth_status_free(berth_status *status); /* NULL is fine; returns NULL. Since 0.1. */

/* All containers that the caller may know of, in one call, sorted by name: a NULL-terminated list;
 * berth_status_list_free(). Returns their number. Since 0.1. */
BERTH_EXPORT int berth_list_status(berth *connection, berth_status ***ret_list);

BERTH_EXPORT berth_status **berth_status_list_free(berth_status **list); /* NULL is fine; returns NULL. Since 0.1. */

/* One property by its name in org.berth.container1(5), as a text: a string as it is, a number in decimal digits, a
 * boolean as "true" or "false", anything else as JSON. ENOTTY if it has none of that name. free(). Since 0.1. */
BERTH_EXPORT int berth_get_property(berth *connection, const char *name, const char *property, char **ret_text);

/* The merged definition, for uid 0 and the owner. free(). Since 0.1. */
BERTH_EXPORT int berth_get_definition(berth *connection, const char *name, char **ret_definition);

/* The path of its object on D-Bus. free(). Since 0.1. */
BERTH_EXPORT int berth_get_path(berth *connection, const char *name, char **ret_path);

/* The name of the container that a process (a pid of the service's host) is in; ESRCH if in none. free(). Since 0.1. */
BERTH_EXPORT int berth_find_process(berth *connection, uint32_t pid, char **ret_name);

/*
 * Making containers
 */

/* A descriptor that is handed over under a name. It stays the caller's; O_NOATIME is set on it where the kernel lets
 * the caller do so, which shows the service that the caller owns what was opened. Since 0.1. */
typedef struct berth_descriptor {
        const char *name; /* "tar", "directory", "image"; for berth_run() also what a definition calls fd:NAME */
        int fd;
} berth_descriptor;

#define BERTH_CREATE_REPLACE UINT32_C(1) /* another definition for a container that was made so; its data stays */

/* Makes a container from the text of a definition, and its data from the descriptor if there is one; it is not
 * started. Since 0.1. */
BERTH_EXPORT int berth_create(berth *connection, const char *name, const char *definition,
                              const berth_descriptor *descriptors, size_t n_descriptors, uint32_t flags);

/* Makes and starts one that is gone when it stops. NAME may be NULL: the service chooses. flags: 0. RET_NAME may be
 * NULL; free(). Since 0.1. */
BERTH_EXPORT int berth_run(berth *connection, const char *name, const char *definition,
                           const berth_descriptor *descriptors, size_t n_descriptors, uint32_t flags,
                           char **ret_name);

#define BERTH_REMOVE_DATA UINT32_C(1) /* with the root and the overlay that berth made for it */

/* Removes one that berth_create() made and that is not running. Since 0.1. */
BERTH_EXPORT int berth_remove(berth *connection, const char *name, uint32_t flags);

/*
 * Running containers. What starts or stops something returns when that is done.
 */

BERTH_EXPORT int berth_start(berth *connection, const char *name); /* Since 0.1. */

/* Asks its init to shut down, and kills what is left after that time (0: as its unit says). Since 0.1. */
BERTH_EXPORT int berth_stop(berth *connection, const char *name, uint64_t timeout_usec);

BERTH_EXPORT int berth_restart(berth *connection, const char *name); /* starts it, too, if it is stopped. Since 0.1. */

/* Sends a signal to its init ("leader") or to all its processes ("all"). Since 0.1. */
BERTH_EXPORT int berth_kill(berth *connection, const char *name, const char *whom, int32_t signal);

BERTH_EXPORT int berth_freeze(berth *connection, const char *name); /* stops all processes where they are. Since 0.1. */
BERTH_EXPORT int berth_thaw(berth *connection, const char *name);   /* and lets them go on. Since 0.1. */

#define BERTH_SET_RUNTIME UINT32_C(1) /* until the next boot of the host only */

/* Changes resource properties: a NULL-terminated list of "KEY=VALUE" as in [Resources] of berth.container(5). All are
 * changed or none. ENOTTY: one of them is none, or cannot be changed so. Since 0.1. */
BERTH_EXPORT int berth_set_properties(berth *connection, const char *name, const char *const *assignments,
                                      uint32_t flags);

/* Attaches to the console: a socket that gives what was shown last and then carries both directions; its end is the
 * end of the container's console. The caller closes it. Since 0.1. */
BERTH_EXPORT int berth_open_console(berth *connection, const char *name, int *ret_fd);

/* The root directory as it is inside. Names in it are the container's: resolve them with openat2(2) and
 * RESOLVE_IN_ROOT. The caller closes it. Since 0.1. */
BERTH_EXPORT int berth_open_root(berth *connection, const char *name, int *ret_fd);

/* Whether a container is started with the host: the same as systemctl enable and disable of its unit, by systemd,
 * with its authorization. 1 if that changed something, 0 if it was so already. Since 0.1. */
BERTH_EXPORT int berth_enable(berth *connection, const char *name);
BERTH_EXPORT int berth_disable(berth *connection, const char *name); /* Since 0.1. */

/*
 * Events
 */

#define BERTH_EVENT_ADDED UINT32_C(1)    /* there is a new container */
#define BERTH_EVENT_REMOVED UINT32_C(2)  /* it is no more */
#define BERTH_EVENT_CHANGED UINT32_C(3)  /* properties of a container have changed */
#define BERTH_EVENT_PROGRESS UINT32_C(4) /* how far the making of a container is */
#define BERTH_EVENT_RESET UINT32_C(5)    /* events were lost, the service may be gone: list again, which starts it */

/* An event. Kinds may be added: pass over those that are not known. Since 0.1. */
typedef struct berth_event {
        uint32_t kind;
        char *name;           /* of the container; "" for BERTH_EVENT_RESET */
        char *state;          /* of ADDED, and of CHANGED if that is what changed; else NULL */
        char **properties;    /* of ADDED and CHANGED: NULL-terminated, "Property=value" as berth_get_property() gives
                               * it, or only "Property" when the new value has to be asked for */
        uint64_t done, total; /* of PROGRESS, bytes; total is 0 when it is not known */
        char *message;        /* of PROGRESS, for people, "" when there is nothing to say; else NULL */
} berth_event;

/* From now on events are collected. Starts the service if need be. Since 0.1. */
BERTH_EXPORT int berth_watch(berth *connection);

/* The next event, after at most that time in microseconds (0: do not wait; UINT64_MAX: for ever). 1 and an event,
 * berth_event_free(); 0 if there was none in time. Since 0.1. */
BERTH_EXPORT int berth_next_event(berth *connection, uint64_t timeout_usec, berth_event **ret_event);

BERTH_EXPORT berth_event *berth_event_free(berth_event *event); /* NULL is fine; returns NULL. Since 0.1. */

/* A descriptor to poll(2) for POLLIN: when it is readable, call berth_next_event() with no time to wait until it
 * returns 0. It is the connection's; do not read or close it. Negative errno before berth_watch(). Since 0.1. */
BERTH_EXPORT int berth_get_fd(berth *connection);

/* Has events handed to a function while other calls wait, so that a long berth_create() can show its progress; without
 * one (NULL) they wait for berth_next_event(). It is called by a thread that is in a call of this connection, by one
 * at a time, must not call the connection, and does not own the event. Since 0.1. */
typedef void (*berth_event_handler)(const berth_event *event, void *userdata);
BERTH_EXPORT int berth_set_event_handler(berth *connection, berth_event_handler handler, void *userdata);

#ifdef __cplusplus
}
#endif
