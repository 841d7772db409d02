/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prints the table of keys, a line for each: section, key, trust, live, list. For what compares it with the
 * manual page and the documentation.
 */
#include <stdio.h>

#include "spec/key.h"

static const char *const trusts[_KEY_TRUST_N] = {
        [TRUST_ANYONE] = "anyone",
        [TRUST_ROOT] = "root",
        [TRUST_USER_NAMESPACE] = "root for no",
        [TRUST_DESCRIPTOR] = "root for a path",
        [TRUST_ID_OUTSIDE] = "root for an OUTSIDE other than auto",
        [TRUST_WEIGHT] = "root for more than 100",
        [TRUST_KEYRING] = "root for inherit",
        [TRUST_CAPABILITIES] = "root for more than the default ones",
        [TRUST_SECCOMP] = "root for other than default",
        [TRUST_APPARMOR] = "root for other than generated",
        [TRUST_TASKS] = "root for more than 16384",
};

int main(void) {
        for (size_t i = 0; i < n_keys; i++)
                printf("%s\t%s\t%s\t%s\t%s\n", keys[i].section, keys[i].name, trusts[keys[i].trust],
                       keys[i].live ? "yes" : "no", keys[i].type->list ? "list" : "one");

        return 0;
}
