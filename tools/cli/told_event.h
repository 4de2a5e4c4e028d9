/* SPDX-License-Identifier: Apache-2.0 */
/* Events as the server gives and takes them: an event of a timeline's reply as a struct, and one as
 * cells for people or for programs. Ownership: texts point into the reply. Errors: false for a map
 * that is no event. Threads: one. */
#ifndef CLI_TOLD_EVENT_H
#define CLI_TOLD_EVENT_H

#include "server/event/event.h"
#include "tools/cli/cli.h"

bool told_event_read(const struct icp_value *map, struct event *event, bool *retracted);

/* Headers of the two forms, and a row of each: told_event_story for people; told_event_cells for
 * programs, members each in a column of their own, times in RFC 3339, amounts in decimals. */
#define TOLD_STORY_COLUMNS 8
#define TOLD_CELL_COLUMNS (5 + EVENT_MEMBER_COUNT + 2)
const char *const *told_event_story_headers(void);
const char *const *told_event_cell_headers(void);
void told_event_story(struct out_table *table, const struct event *event, bool retracted);
void told_event_cells(struct out_table *table, const struct event *event, bool retracted);

#endif
