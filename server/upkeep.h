/* SPDX-License-Identifier: Apache-2.0 */
/* What icpd does to a store that it does not serve: restore, verify a backup, repair, compact,
 * scrub. Each prints what it did to standard output, and what failed to standard error. Returns an
 * exit code of sysexits.h. Threads: one. */
#ifndef SERVER_UPKEEP_H
#define SERVER_UPKEEP_H

#include "server/base/config.h"

/* until: a log sequence, or a time as YYYY-MM-DDTHH:MM:SSZ; NULL: as far as the backup reaches. */
int upkeep_restore(const struct base_config *config, const char *backups, const char *until);
/* Without `yes` it only says what would be given up: EX_DATAERR where there is something to repair.
 */
int upkeep_repair(const struct base_config *config, bool yes);
int upkeep_compact(const struct base_config *config);
int upkeep_verify(const char *backups);
/* Reads everything and names what is damaged: EX_DATAERR if anything is. */
int upkeep_scrub(const struct base_config *config);

#endif
