/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The payload's last step: the environment and the descriptors of the guest's program, and its execution. */
#pragma once

#include "helper/launch/payload.h"
#include "helper/process/user.h"

/* Returns only when it failed. */
int payload_exec(Failure *failure, const Payload *payload, const PayloadGo *go, const User *user);
