/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in which team, for measures by team: as the request has it, or of a file.
 *
 *     north: Ann Lee, Bo Ray; south: Cy Poe          as it is
 *     teams.csv:agent=manager                         each row of the file a person and the team
 *
 * Ownership: *text is malloc'd, NULL where no teams are told. Errors: exit statuses, messages
 * printed with file and line. Threads: one. Cost: one pass over the file. */
#ifndef CLI_MEASURE_TEAMS_H
#define CLI_MEASURE_TEAMS_H

#include "tools/cli/cli.h"

int measure_teams_told(const struct cli *cli, char **text);

#endif
