/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deletes trees that a container made, which may be of any depth and have any names: nothing is followed, no mount is
 * crossed, and no more than two directories are open at a time. A directory that is not empty is moved up beside the
 * first one before it is looked into; so nothing is ever more than one level deep.
 */
#pragma once

/* Deletes all that is in a directory which only root can enter. What others delete at the same time is no error. */
int delete_all(int directory);
