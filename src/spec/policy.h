/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one place where it is decided what a definition may ask for. Privilege comes only from files that root
 * alone could write: a definition with any other file in it may not leave the user namespace, share one of
 * the host's namespaces, show a path of the host, or take more than its share. Called with the final, merged
 * definition at every start, and by whoever wants to say so earlier.
 */
#pragma once

#include "spec/definition.h"
#include "spec/problems.h"

typedef enum PolicyError {
        _POLICY_E_SUCCESS,
        POLICY_E_FORBIDDEN, /* PROBLEMS names each key, where it was set, and what root would have to do */
} PolicyError;

/* 0, POLICY_E_FORBIDDEN or -ENOMEM. */
int policy_check(const Definition *definition, Problems *problems);
