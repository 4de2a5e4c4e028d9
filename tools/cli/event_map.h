/* SPDX-License-Identifier: Apache-2.0 */
/* Which columns of a CSV file are which members of events, by options or a mapping file, and the
 * events that a row tells by it. Three plans: a row is one event; a row is an opportunity, which
 * was created and perhaps won or lost; a row is a subscription, which began and perhaps churned.
 *
 * Shapes: each cell is a column ("close_value") or one value for all rows ("=USD"). Conditions are
 * filter expressions over the columns by a schema that is inferred of the file. An event without an
 * id of its own gets one of a digest of what it tells and of whom, and of how often the file told
 * the same before: so a file that is imported again tells nothing twice, and two purchases that
 * look alike stay two. Ownership: the map borrows the input and the command line; events borrow
 * from the row and the map, and die with the next row. Errors: exit statuses with a message from
 * event_map_open; faults of a row with the cell at fault. Threads: one. */
#ifndef CLI_EVENT_MAP_H
#define CLI_EVENT_MAP_H

#include "server/event/event.h"
#include "server/filter/filter.h"
#include "tools/cli/cli.h"
#include "tools/cli/csv/csv_account.h"
#include "tools/cli/csv/key_column.h"
#include "tools/cli/event_through.h"
#include "tools/cli/measure_cells.h"

enum event_plan { EVENT_PLAN_ONE, EVENT_PLAN_DEAL, EVENT_PLAN_SUBSCRIPTION };

/* What a row is read for; the members of events stand behind, in the order of event_member.def. */
enum event_cell {
    EVENT_CELL_ACCOUNT,
    EVENT_CELL_TYPE,
    EVENT_CELL_AT,
    EVENT_CELL_ID,
    EVENT_CELL_CREATED,
    EVENT_CELL_START,
    EVENT_CELL_TRIAL,
    EVENT_CELL_MEMBER,
    EVENT_CELLS = EVENT_CELL_MEMBER + EVENT_MEMBER_COUNT
};

enum event_condition { EVENT_WHERE, EVENT_WON, EVENT_LOST, EVENT_CHURNED, EVENT_CONDITIONS };

/* Events of one row at most. */
#define EVENT_ROW_MAX 2

struct event_map {
    const struct cli *cli;
    struct csv_input *input;
    const char *source;
    json_t *file; /* the mapping file; NULL: none */
    enum event_plan plan;
    struct measure_pick picks[EVENT_CELLS];
    const char *fixed[EVENT_CELLS]; /* the value for all rows; NULL: a column or nothing */
    struct key_column key;          /* of --account NAMESPACE=COLUMN; else "" */
    const char *through_told;       /* --through; NULL: the file says whose a row is */
    struct event_through through;
    struct feature_schema *schema; /* NULL: no condition was told */
    struct csv_map values;         /* of a row, for the conditions */
    struct filter *conditions[EVENT_CONDITIONS];
    struct text_count digests; /* of rows without an id */
    char account[KEY_BYTES];   /* of the row */
    char currency[4];
    char ids[EVENT_ROW_MAX][2 * EVENT_ID_BYTES_MAX + 32];
};

/* The text of an option of event import, else of the mapping file; NULL: not told. */
const char *event_map_told(const struct event_map *map, const char *name);
/* Finds columns, forms and conditions; reads the file and rewinds it. */
int event_map_open(struct event_map *map, const struct cli *cli, struct csv_input *input);
void event_map_close(struct event_map *map);
/* Whether ids of events are made of digests. */
bool event_map_makes_ids(const struct event_map *map);

/* The events of a good row; *count 0: the row is not among those that --where asks for, or tells
 * nothing. Their account is map->account. False: nothing of the row can be told,
 * *column is the one at fault, SIZE_MAX for the row as a whole. */
bool event_map_read(struct event_map *map, const struct csv_row *row, int64_t now_ms,
                    struct event events[EVENT_ROW_MAX], size_t *count, size_t *column,
                    struct proto_fault *fault);

#endif
