/* SPDX-License-Identifier: Apache-2.0 */
/* A profile that was written by hand: points for conditions.
 *   { "name": "what we believe", "points": [ { "if": "industry = 'Software'", "points": 10 }, … ] }
 * An account's score is the sum of the points of the conditions that it meets.
 * Ownership: returned, the caller drops it; texts are its own. Errors: NULL with *status and a
 * message that names line and column, or the member at fault. Threads: one. */
#ifndef CLI_PROFILE_FILE_H
#define CLI_PROFILE_FILE_H

#include <jansson.h>

#include "tools/cli/cli.h"

#define PROFILE_CONDITIONS_MAX 200 /* each is a walk of the server over its accounts */

json_t *profile_file_read(const struct cli *cli, const char *path, int *status);
/* Condition i of one that was read. */
const char *profile_condition(const json_t *profile, size_t i, double *points);
size_t profile_count(const json_t *profile);

#endif
