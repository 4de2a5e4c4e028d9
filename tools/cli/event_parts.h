/* SPDX-License-Identifier: Apache-2.0 */
/* What event_row.c (cells, members, ids of a row) gives to event_plan.c (which events a row is).
 * Ownership and errors: those of event_map.h; a fault leaves the cell at fault in `column`.
 * Threads: one. */
#ifndef CLI_EVENT_PARTS_H
#define CLI_EVENT_PARTS_H

#include "tools/cli/event_map.h"

/* A row on its way; the cell at fault is the one that was read last. */
struct event_telling {
    struct event_map *map;
    const struct csv_row *row;
    int64_t now_ms;
    struct event *events;
    size_t count;
    size_t column;
    struct proto_fault *fault;
};

/* One cell, or the value for all rows, as a row of its own for the readers of cells. */
struct event_lent {
    struct measure_pick pick;
    struct proto_span cell;
    struct csv_row row;
};

void event_cell_lend(struct event_telling *telling, size_t cell, struct event_lent *lent);
struct proto_span event_cell_text(struct event_telling *telling, size_t cell);
/* *told may be NULL: the day is needed. */
bool event_cell_day(struct event_telling *telling, size_t cell, int64_t *ms, bool *told);
/* False, with the message. */
bool event_row_refuse(struct event_telling *telling, const char *message);
/* Whose the row is, into the map. */
bool event_row_account(struct event_telling *telling);
/* Those members of `wanted` that the row tells. */
bool event_row_members(struct event_telling *telling, struct event *event, uint32_t wanted);
/* "006-1:won", of the row's id and what is added to it. */
bool event_row_id(struct event_telling *telling, struct event *event, struct proto_span id,
                  const char *behind);
/* A digest of whose it is and what it tells, and which of those that tell the same it is. */
bool event_row_digest(struct event_telling *telling, struct event *event);
/* The event is whole: it joins those of the row if it may be stored. */
bool event_row_join(struct event_telling *telling, const struct event *event);

#endif
