/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is to be started: the definition of a name, checked and allowed. */
#pragma once

#include "helper/launch/failure.h"
#include "spec/definition.h"

int subject_load(Failure *failure, const char *name, Definition **ret);
