/* SPDX-License-Identifier: Apache-2.0 */
/* Measures about cases on a list and off it, over the rows of a file: lift, rate, promise, and
 * forecast, whose rows stand in the order in which they ended. A row that cannot be read ends it.
 */
#include <math.h>
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/math/special.h"
#include "server/verdict/verdict_table.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_rows.h"
#include "tools/cli/measure_run.h"
#include "tools/cli/measure_show.h"

#define CASES_MAX INT64_C(1000000000)
#define GROUPS_MAX 10000

enum { GROUP, STRATUM, REACHED, CASES, AT, P, RIVAL, PICKS };

/* Which columns a measure needs, and which it knows. */
struct wanted {
    unsigned needed, known; /* bits 1 << GROUP … */
};

struct listed {
    const struct measure_call *call;
    struct measure_pick picks[PICKS];
    const char *a; /* of lift: the value that is on the list */
    struct text_count groups, strata;
    struct verdict_case *cases;
    struct verdict_pair *pairs;
    size_t count, room;
    bool a_there;
};

static struct wanted wanted_of(enum measure_id id)
{
#define BIT(PICK) (1U << (PICK))
    switch (id) {
    case MEASURE_ID_LIFT:
        return (struct wanted){BIT(GROUP) | BIT(REACHED), BIT(STRATUM) | BIT(CASES) | BIT(AT)};
    case MEASURE_ID_RATE:
        return (struct wanted){BIT(REACHED), BIT(GROUP) | BIT(CASES)};
    case MEASURE_ID_FORECAST:
        return (struct wanted){BIT(REACHED) | BIT(P) | BIT(RIVAL), 0};
    default:
        return (struct wanted){BIT(REACHED) | BIT(P) | BIT(GROUP), 0};
    }
#undef BIT
}

static bool room_make(struct listed *listed, struct proto_fault *fault)
{
    if (listed->count < listed->room) {
        return true;
    }
    size_t room = listed->room * 2 + 1024;
    struct verdict_case *cases = realloc(listed->cases, room * sizeof *cases);
    listed->cases = cases != NULL ? cases : listed->cases;
    struct verdict_pair *pairs = realloc(listed->pairs, room * sizeof *pairs);
    listed->pairs = pairs != NULL ? pairs : listed->pairs;
    if (cases == NULL || pairs == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu rows", room);
    }
    listed->room = room;
    return true;
}

static bool chance_read(const struct listed *listed, unsigned pick, const struct csv_row *row,
                        size_t *column, double *chance, struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    *chance = MATH_NAN;
    *column = listed->picks[pick].column;
    if (*column == SIZE_MAX) {
        return true;
    }
    struct proto_span cell = measure_cell_text(&listed->picks[pick], row);
    return (feature_number_read(cell, chance) && *chance >= 0 && *chance <= 1) ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "", "'%s' is no chance from 0 to 1",
                           feature_text_show(cell, shown, sizeof shown));
}

/* The number of a text among those seen; "" is a text like any other. */
static bool number_of(struct text_count *texts, struct proto_span text, size_t line,
                      const char *what, uint32_t *number, struct proto_fault *fault)
{
    const struct text_entry *entry = NULL;
    if (!text_count_add(texts, text.bytes > 0 ? text : proto_span_text("(none)"), line, &entry)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %s", what);
    }
    if (entry == NULL) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "more than %d %s", GROUPS_MAX, what);
    }
    *number = (uint32_t)(entry - texts->entries);
    return true;
}

static bool counts_read(struct listed *listed, const struct csv_row *row, size_t *column,
                        struct verdict_case *one, struct proto_fault *fault)
{
    int64_t cases = 1;
    bool told = false;
    *column = listed->picks[CASES].column;
    if (!measure_cell_decimal(&listed->picks[CASES], row, 0, CASES_MAX, &cases, &told, fault)) {
        return false;
    }
    if (cases < 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "", "a count is 0 or more, not %lld",
                               (long long)cases);
    }
    one->count = (uint32_t)cases;
    *column = listed->picks[AT].column;
    one->moment_ms = 0;
    if (!measure_cell_day(&listed->picks[AT], row, &one->moment_ms, &told, fault)) {
        return false;
    }
    if (*column != SIZE_MAX && !told) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "", "a row without a day is of no week");
    }
    one->settled_ms = one->moment_ms;
    *column = listed->picks[REACHED].column;
    return measure_cell_flag(&listed->picks[REACHED], row, &one->won, fault);
}

static bool on_row(void *context, const struct csv_row *row, size_t *column,
                   struct proto_fault *fault)
{
    struct listed *listed = context;
    if (!room_make(listed, fault)) {
        return false;
    }
    struct verdict_case *one = &listed->cases[listed->count];
    struct verdict_pair *pair = &listed->pairs[listed->count];
    struct proto_span group = measure_cell_text(&listed->picks[GROUP], row);
    *one = (struct verdict_case){
        .account = (uint32_t)listed->count, .last_p = MATH_NAN, .points = MATH_NAN};
    if (!counts_read(listed, row, column, one, fault) ||
        !chance_read(listed, P, row, column, &one->p, fault) ||
        !chance_read(listed, RIVAL, row, column, &pair->rival, fault)) {
        return false;
    }
    pair->p = one->p;
    pair->won = one->won;
    *column = listed->picks[GROUP].column;
    bool is_a = listed->a != NULL && proto_span_is(group, listed->a);
    listed->a_there = listed->a_there || is_a;
    one->part = is_a ? VERDICT_MEMBER : VERDICT_OTHER;
    one->group_count = 1;
    if (!number_of(&listed->groups, group, row->line, "groups", &one->groups[0], fault)) {
        return false;
    }
    *column = listed->picks[STRATUM].column;
    if (!number_of(&listed->strata, measure_cell_text(&listed->picks[STRATUM], row), row->line,
                   "strata", &one->stratum, fault)) {
        return false;
    }
    listed->count += one->count > 0;
    return true;
}

static int a_absent(const struct listed *listed)
{
    char there[200] = "";
    size_t used = 0;
    for (size_t g = 0; g < listed->groups.count && used < sizeof there; g++) {
        struct proto_span text = listed->groups.entries[g].text;
        used += (size_t)snprintf(there + used, sizeof there - used, "%s%.*s", g > 0 ? ", " : "",
                                 (int)text.bytes, (const char *)text.data);
    }
    return cli_fail(listed->call->cli, EX_USAGE, "--a: no row is of '%s'; there are %s", listed->a,
                    listed->groups.count > 0 ? there : "none at all");
}

/* Names of groups with zeros; NULL: no memory. Each and the array are the caller's to free. */
static struct verdict_group *names_make(const struct listed *listed)
{
    struct verdict_group *names = calloc(listed->groups.count + 1, sizeof *names);
    const char *of = cli_text_named(listed->call->cli, "group");
    for (size_t g = 0; names != NULL && g < listed->groups.count; g++) {
        names[g].of = of != NULL ? of : "";
        names[g].value = feature_text_copy(listed->groups.entries[g].text);
        if (names[g].value == NULL) {
            while (g-- > 0) {
                free((char *)(uintptr_t)names[g].value);
            }
            free(names);
            return NULL;
        }
    }
    return names;
}

static void names_free(const struct listed *listed, struct verdict_group *names)
{
    for (size_t g = 0; names != NULL && g < listed->groups.count; g++) {
        free((char *)(uintptr_t)names[g].value);
    }
    free(names);
}

/* A row of the group alone: others are set aside for as long. */
static bool rates_fill(struct listed *listed, const struct verdict_group *names,
                       const struct verdict_options *options, struct measure_table *table,
                       struct proto_fault *fault)
{
    bool good = verdict_rate_add(table, listed->cases, listed->count, "all", NULL, options, fault);
    bool grouped = cli_text_named(listed->call->cli, "group") != NULL;
    struct verdict_case *of = calloc(listed->count + 1, sizeof *of);
    for (size_t g = 0; good && grouped && of != NULL && g < listed->groups.count; g++) {
        size_t count = 0;
        for (size_t i = 0; i < listed->count; i++) {
            if (listed->cases[i].groups[0] == g) {
                of[count++] = listed->cases[i];
            }
        }
        good = verdict_rate_add(table, of, count, names[g].value, NULL, options, fault);
    }
    bool room = of != NULL;
    free(of);
    return room ? good : proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the cases");
}

static bool table_fill(struct listed *listed, const struct verdict_group *names,
                       const struct verdict_options *options, struct measure_table *table,
                       struct proto_fault *fault)
{
    uint64_t open = 0;
    if (!verdict_settle(listed->cases, listed->count, VERDICT_NEVER - 1, &open, fault)) {
        return false;
    }
    switch (listed->call->id) {
    case MEASURE_ID_LIFT:
        return verdict_lift_add(table, listed->cases, listed->count, VERDICT_EQUAL_EFFORT, "rest",
                                options, NULL, fault);
    case MEASURE_ID_RATE:
        return rates_fill(listed, names, options, table, fault);
    case MEASURE_ID_FORECAST:
        return verdict_forecast_add(table, listed->pairs, listed->count,
                                    cli_text_named(listed->call->cli, "rival"), options, fault);
    default:
        return verdict_promise_add(table, listed->cases, listed->count, names, listed->groups.count,
                                   0, options, NULL, fault);
    }
}

static int listed_show(struct listed *listed, const struct verdict_options *options)
{
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    struct verdict_group *names = names_make(listed);
    const struct cli *cli = listed->call->cli;
    if (names == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory for the names of groups");
    }
    measure_table_init(&table, listed->call->id);
    bool good = table_fill(listed, names, options, &table, &fault);
    int status = good ? measure_show(cli, &table, "") : cli_fault(cli, &fault);
    measure_table_fini(&table);
    names_free(listed, names);
    return status;
}

static int listed_read(struct listed *listed, const struct verdict_options *options)
{
    const struct cli *cli = listed->call->cli;
    int status = EX_OK;
    struct csv_input *file = csv_told_open(cli, cli_text_named(cli, "rows"), &status);
    if (file == NULL) {
        return status;
    }
    status = measure_picks_open(cli, file, listed->picks, PICKS);
    if (status == EX_OK) {
        struct measure_walk walk = {.cli = cli, .file = file};
        status = measure_rows_walk(&walk, on_row, listed);
    }
    csv_close(file);
    if (status == EX_OK && listed->a != NULL && !listed->a_there) {
        return a_absent(listed);
    }
    return status == EX_OK ? listed_show(listed, options) : status;
}

static int options_read(const struct measure_call *call, struct listed *listed,
                        struct verdict_options *options)
{
    if (!measure_number(call, "alpha", &options->alpha) ||
        (call->id != MEASURE_ID_LIFT && !measure_number(call, "best-at", &options->best_at))) {
        return EX_USAGE;
    }
    if (call->id != MEASURE_ID_LIFT) {
        return EX_OK;
    }
    const char *weekly = measure_text(call, "weekly");
    listed->a = cli_text_named(call->cli, "a");
    options->dated = cli_text_named(call->cli, "at") != NULL;
    options->weekly = strcmp(weekly, "yes") == 0;
    if (!options->weekly && strcmp(weekly, "no") != 0) {
        return cli_fail(call->cli, EX_USAGE, "--weekly is yes or no, not '%s'", weekly);
    }
    if (options->weekly && cli_text_named(call->cli, "at") == NULL) {
        return cli_fail(call->cli, EX_USAGE,
                        "--weekly wants --at COLUMN: the day on which a case was created");
    }
    return listed->a != NULL ? EX_OK
                             : cli_fail(call->cli, EX_USAGE,
                                        "--a is needed: the value of --group that is on the list");
}

int measure_run_list(const struct measure_call *call)
{
    struct wanted wanted = wanted_of(call->id);
    struct verdict_options options = {.alpha = 0, .best_at = 100};
    struct listed listed = {
        .call = call,
        .picks = {[GROUP] = {.option = "group", .kind = CELL_TEXT},
                  [STRATUM] = {.option = "stratum", .kind = CELL_TEXT},
                  [REACHED] = {.option = "reached", .kind = CELL_FLAG},
                  [CASES] = {.option = "cases", .kind = CELL_MONEY},
                  [AT] = {.option = "at", .kind = CELL_DAY},
                  [P] = {.option = "p", .kind = CELL_TEXT},
                  [RIVAL] = {.option = "rival", .kind = CELL_TEXT}},
    };
    for (unsigned pick = 0; pick < PICKS; pick++) {
        const char *option = listed.picks[pick].option;
        listed.picks[pick].needed = (wanted.needed >> pick & 1) != 0;
        if (((wanted.needed | wanted.known) >> pick & 1) == 0 &&
            cli_text_named(call->cli, option) != NULL) {
            return cli_fail(call->cli, EX_USAGE, "%s knows no --%s", measure_info(call->id)->name,
                            option);
        }
    }
    int status = options_read(call, &listed, &options);
    if (status != EX_OK) {
        return status;
    }
    options.outcome = cli_text_named(call->cli, "reached");
    options.outcome = options.outcome != NULL ? options.outcome : "";
    text_count_init(&listed.groups, GROUPS_MAX);
    text_count_init(&listed.strata, GROUPS_MAX);
    status = listed_read(&listed, &options);
    text_count_fini(&listed.groups);
    text_count_fini(&listed.strata);
    free(listed.cases);
    free(listed.pairs);
    return status;
}
