/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the manager may ask of the helper (`berth-helper-serve`): org.berth.Helper1 on the object /org/berth/Helper1,
 * point to point over /run/berth/helper.sock, one request with descriptors and one reply. The names, and nothing of
 * either side. The helper's own table says beside each operation why it is safe to grant.
 *
 *   Start(s unit) -> o job              Stop(s unit) -> o job            Restart(s unit) -> o job
 *   Kill(s unit, s whom, i signal)      whom: "leader" or "all"
 *   Freeze(s unit)                      Thaw(s unit)                     ResetFailed(s unit)
 *   SetProperties(s unit, b runtime, a(sv) properties)   strings as in [Resources], or as systemd types it; all or none
 *   Reload()                            has systemd load its units anew, and run berth's generator
 *   Create(s name, s definition, a{sh} data, h progress, b replace) -> as notes
 *       keeps a definition, and makes its managed root from DATA: nothing, or one of "tar", "directory", "image".
 *       PROGRESS is the writing end of a pipe, for lines "DONE TOTAL\n" in bytes (TOTAL 0: not known).
 *       NOTES are sentences on what was left out.
 *   Run(s name, s definition, a{sh} descriptors, h progress) -> s unit, o job, as notes
 *       the same as a transient unit; "tar" and "image" are as in Create, every other descriptor is for the
 *       definition's "fd:NAME".
 *   Remove(s name, b data)              a definition that was made so, with what berth made for it if DATA
 *   OpenRoot(s unit) -> h               the root directory as it is inside
 *
 * A connection without a whole request in its first HELPER_MESSAGE_USEC is closed; one that has asked may stay.
 * A job is systemd's; the manager watches it itself. An error has one of the names below or
 * org.freedesktop.DBus.Error.{InvalidArgs,AccessDenied,LimitsExceeded,NotSupported}; its message is the sentence for
 * the user.
 */
#pragma once

#define HELPER_SOCKET "/run/berth/helper.sock"
#define HELPER_PATH "/org/berth/Helper1"
#define HELPER_INTERFACE "org.berth.Helper1"

#define HELPER_ERROR "org.berth.Helper1.Error."
#define HELPER_ERROR_EXISTS HELPER_ERROR "Exists"                       /* a container or data of that name is there */
#define HELPER_ERROR_NOT_FOUND HELPER_ERROR "NotFound"                  /* no definition that was made so */
#define HELPER_ERROR_NOT_RUNNING HELPER_ERROR "NotRunning"              /* its unit is not active */
#define HELPER_ERROR_BUSY HELPER_ERROR "Busy"                           /* it is being made or removed */
#define HELPER_ERROR_RUNNING HELPER_ERROR "Running"                     /* it has to be stopped for this */
#define HELPER_ERROR_INVALID_DEFINITION HELPER_ERROR "InvalidDefinition"
#define HELPER_ERROR_POLICY HELPER_ERROR "PolicyViolation"
#define HELPER_ERROR_DATA HELPER_ERROR "Data"                           /* the archive, directory or image cannot be taken */
#define HELPER_ERROR_NO_PROPERTY HELPER_ERROR "NoSuchProperty"
#define HELPER_ERROR_SYSTEMD HELPER_ERROR "Systemd"                     /* systemd refused; its words are in the message */
#define HELPER_ERROR_FAILED HELPER_ERROR "Failed"                       /* a system call; the message names step and object */

/* A launcher hands the master of a container's /dev/console to the manager here: SOCK_SEQPACKET, mode 0600, root's.
 * One message: the unit's name, without a newline or NUL, and one descriptor. No answer. */
#define CONSOLE_SOCKET "/run/berth/console.sock"
