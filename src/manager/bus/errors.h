/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one table from what went wrong inside to the name of a D-Bus error (org.berth.container1.Manager.xml).
 */
#pragma once

#include <systemd/sd-bus.h>

#define ERROR "org.berth.container1.Error."
#define ERROR_NO_SUCH_CONTAINER ERROR "NoSuchContainer"
#define ERROR_CONTAINER_EXISTS ERROR "ContainerExists"
#define ERROR_INVALID_NAME ERROR "InvalidName"
#define ERROR_INVALID_DEFINITION ERROR "InvalidDefinition"
#define ERROR_POLICY_VIOLATION ERROR "PolicyViolation"
#define ERROR_NOT_RUNNING ERROR "NotRunning"
#define ERROR_ALREADY_RUNNING ERROR "AlreadyRunning"
#define ERROR_START_FAILED ERROR "StartFailed"
#define ERROR_ROOT_IN_USE ERROR "RootInUse"
#define ERROR_TIMED_OUT ERROR "TimedOut"
#define ERROR_BUSY ERROR "Busy"
#define ERROR_CANCELED ERROR "Canceled"
#define ERROR_DATA_REFUSED ERROR "DataRefused"
#define ERROR_HELPER_LOST ERROR "HelperLost"
#define ERROR_NO_SUCH_PROCESS ERROR "NoSuchProcess"
#define ERROR_NO_SUCH_PROPERTY ERROR "NoSuchProperty"
#define ERROR_FAILED ERROR "Failed"

/* An error that the helper answered, as the caller gets it; NULL if it did not. */
void error_from_helper(const sd_bus_error *helper, sd_bus_error *ret);

/* A word that a caller sent, to be quoted in a sentence: escaped, and cut between characters. A message that is not
 * UTF-8 would never be sent. */
#define QUOTED_SIZE 128
const char *quoted(const char *word, char buffer[static QUOTED_SIZE]);

/* The error of a start that failed with a launcher's number. */
const char *error_of_start(int status_errno);
