/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom this is about: the container's definition, read and checked. */
#pragma once

#include "helper/launch/failure.h"
#include "spec/definition.h"
#include "spec/problems.h"

/* Loads a definition of the host; a definition that cannot be used is a failure with its first problem. */
int subject_load(Failure *failure, const char *name, Definition **ret);

/* What the policy says to a definition that was loaded. */
int subject_check(Failure *failure, const Definition *definition);

/* The first problem is the cause; `berthctl verify` shows all. Returns the error. */
int subject_problem(Failure *failure, const Problems *problems, int error);
