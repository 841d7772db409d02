/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What uname(2) shows inside: [Container] Architecture=. */
#pragma once

#include "spec/definition.h"

int personality_set(Architecture architecture);
