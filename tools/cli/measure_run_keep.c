/* SPDX-License-Identifier: Apache-2.0 */
/* How a list is kept, over the rows of any file: adherence, divergence and resources. A row that
 * cannot be read ends it, unless bad rows may be left out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/grow.h"
#include "server/feature/span_text.h"
#include "server/measure/adherence.h"
#include "server/measure/divergence.h"
#include "server/measure/resource.h"
#include "tools/cli/measure_named.h"
#include "tools/cli/measure_show.h"

#define COUNT_MAX INT64_C(1000000000)
#define GROUPS_MAX 10000
#define CELLS_MAX 10000000

enum { GROUP, ACCOUNT, ON, ALL, STRATUM, CASES, AMOUNT, VALUE, PICKS };

struct account_of_group {
    uint32_t group, account;
    double on, off;
};

struct kept {
    const struct measure_call *call;
    struct measure_pick picks[PICKS];
    struct text_count groups, strata, accounts;
    struct account_of_group *works; /* of adherence */
    size_t work_count, work_room;
    double *cells; /* of divergence: a row of the file each, as group, segment, accounts */
    size_t cell_count, cell_room;
    struct measure_endowments endowments; /* of resources */
    struct measure_adherence_options adherence;
    struct measure_divergence_options divergence;
    struct measure_resource_options resources;
};

static bool count_read(struct kept *all, int pick, const struct csv_row *row, size_t *column,
                       int64_t fallback, double *count, struct proto_fault *fault)
{
    int64_t whole = fallback;
    bool told = false;
    *column = all->picks[pick].column;
    if (!measure_cell_decimal(&all->picks[pick], row, 0, COUNT_MAX, &whole, &told, fault)) {
        return false;
    }
    *count = (double)whole;
    return whole >= 0 || proto_fault_set(fault, PROTO_BAD_FIELD, "",
                                         "a count is 0 or more, not %lld", (long long)whole);
}

static bool group_read(struct kept *all, const struct csv_row *row, size_t *column, uint32_t *group,
                       struct proto_fault *fault)
{
    *column = all->picks[GROUP].column;
    return measure_named_number(&all->groups, measure_cell_text(&all->picks[GROUP], row), row->line,
                                group, fault);
}

static bool on_work(void *context, const struct csv_row *row, size_t *column,
                    struct proto_fault *fault)
{
    struct kept *all = context;
    struct account_of_group work = {.account = 0};
    double acts = 0;
    if (!group_read(all, row, column, &work.group, fault) ||
        !count_read(all, ON, row, column, 0, &work.on, fault) ||
        !count_read(all, ALL, row, column, 0, &acts, fault)) {
        return false;
    }
    if (work.on > acts) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "", "%.0f on the list of %.0f in all",
                               work.on, acts);
    }
    work.off = acts - work.on;
    *column = all->picks[ACCOUNT].column;
    if (*column != SIZE_MAX &&
        !measure_account_number(&all->accounts, measure_cell_text(&all->picks[ACCOUNT], row),
                                row->line, &work.account, fault)) {
        return false;
    }
    if (!base_grow(&all->works, &all->work_room, all->work_count + 1, sizeof *all->works, "rows",
                   fault)) {
        return false;
    }
    all->works[all->work_count++] = work;
    return true;
}

static bool on_account(void *context, const struct csv_row *row, size_t *column,
                       struct proto_fault *fault)
{
    struct kept *all = context;
    uint32_t group = 0;
    uint32_t segment = 0;
    double count = 0;
    if (!group_read(all, row, column, &group, fault) ||
        !count_read(all, CASES, row, column, 1, &count, fault)) {
        return false;
    }
    *column = all->picks[STRATUM].column;
    if (!measure_named_number(&all->strata, measure_cell_text(&all->picks[STRATUM], row), row->line,
                              &segment, fault) ||
        !base_grow(&all->cells, &all->cell_room, all->cell_count + 3, sizeof *all->cells, "rows",
                   fault)) {
        return false;
    }
    all->cells[all->cell_count++] = group;
    all->cells[all->cell_count++] = segment;
    all->cells[all->cell_count++] = count;
    return true;
}

static bool on_endowed(void *context, const struct csv_row *row, size_t *column,
                       struct proto_fault *fault)
{
    struct kept *all = context;
    struct measure_endowed account = {.group = 0};
    char shown[FEATURE_SHOWN_BYTES];
    int64_t minor = 0;
    bool told = false;
    if (!group_read(all, row, column, &account.group, fault) ||
        !count_read(all, ALL, row, column, 0, &account.used[MEASURE_RESOURCE_ACTS], fault)) {
        return false;
    }
    *column = all->picks[AMOUNT].column;
    if (!measure_cell_money(&all->picks[AMOUNT], row, all->call->rules.base, &minor, &told,
                            fault)) {
        return false;
    }
    account.used[MEASURE_RESOURCE_SPEND] = (double)minor;
    *column = all->picks[VALUE].column;
    struct proto_span cell = measure_cell_text(&all->picks[VALUE], row);
    if (minor < 0 || !feature_number_read(cell, &account.value) || !(account.value >= 0)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "",
                               "a value and an amount of 0 or more are wanted, not '%s'",
                               feature_text_show(cell, shown, sizeof shown));
    }
    return measure_endowments_add(&all->endowments, &account, fault);
}

static int by_account(const void *left, const void *right)
{
    const struct account_of_group *a = left;
    const struct account_of_group *b = right;
    if (a->group != b->group) {
        return a->group < b->group ? -1 : 1;
    }
    return (a->account > b->account) - (a->account < b->account);
}

static bool acts_add(struct measure_works *works, const struct account_of_group *sum, bool on_list,
                     bool clustered, struct proto_fault *fault)
{
    double acts = on_list ? sum->on : sum->off;
    const struct measure_work work = {.group = sum->group,
                                      .account = clustered ? sum->account + 1 : 0,
                                      .on_list = on_list,
                                      .acts = acts,
                                      .squares = clustered ? acts * acts : acts};
    return acts <= 0 || measure_works_add(works, &work, fault);
}

/* Where accounts are told, the acts of a group on one are one piece of evidence. */
static bool works_fill(struct kept *all, struct measure_works *works, struct proto_fault *fault)
{
    bool clustered = all->picks[ACCOUNT].column != SIZE_MAX;
    bool good = true;
    if (all->work_count > 0) {
        qsort(all->works, all->work_count, sizeof *all->works, by_account);
    }
    for (size_t i = 0; i < all->work_count && good;) {
        struct account_of_group sum = all->works[i++];
        while (clustered && i < all->work_count && by_account(&sum, &all->works[i]) == 0) {
            sum.on += all->works[i].on;
            sum.off += all->works[i++].off;
        }
        good = acts_add(works, &sum, true, clustered, fault) &&
               acts_add(works, &sum, false, clustered, fault);
    }
    return good;
}

static bool adherence_fill(struct kept *all, char **names, struct measure_table *table,
                           struct proto_fault *fault)
{
    struct measure_works works = {.count = 0};
    measure_table_init(table, all->call->id);
    bool good = works_fill(all, &works, fault) &&
                measure_adherence_table(&works, (const char *const *)names, all->groups.count,
                                        &all->adherence, table, fault);
    measure_works_fini(&works);
    return good;
}

/* The rows of --a are the list; what is left are groups, the last of them in its place. */
static void crowd_fill(const struct kept *all, uint32_t list, double *counts, double *listed)
{
    size_t segments = all->strata.count;
    for (size_t i = 0; i < all->cell_count; i += 3) {
        uint32_t group = (uint32_t)all->cells[i];
        size_t segment = (size_t)all->cells[i + 1];
        if (group == list) {
            listed[segment] += all->cells[i + 2];
        } else {
            counts[(group > list ? group - 1 : group) * segments + segment] += all->cells[i + 2];
        }
    }
}

static bool list_find(const struct kept *all, uint32_t *list, struct proto_fault *fault)
{
    const char *name = measure_text(all->call, "a");
    for (*list = 0; *list < all->groups.count; (*list)++) {
        if (proto_span_is(all->groups.entries[*list].text, name)) {
            return true;
        }
    }
    return proto_fault_set(fault, PROTO_BAD_FIELD, "a",
                           "no row of --group is of '%s', which is to be the list", name);
}

static bool divergence_fill(struct kept *all, char **names, struct measure_table *table,
                            struct proto_fault *fault)
{
    size_t groups = all->groups.count;
    size_t segments = all->strata.count;
    uint32_t list = 0;
    measure_table_init(table, all->call->id);
    if (groups * segments > CELLS_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "%zu groups over %zu segments are too many",
                               groups, segments);
    }
    double *counts = calloc(groups * segments + 1, sizeof *counts);
    double *listed = calloc(segments + 1, sizeof *listed);
    char **segment_names = measure_names_make(&all->strata);
    bool room = counts != NULL && listed != NULL && segment_names != NULL;
    bool good = false;
    if (!room) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for groups");
    } else if (list_find(all, &list, fault)) {
        char *own = names[list];
        crowd_fill(all, list, counts, listed);
        const struct measure_crowd crowd = {counts, listed, groups - 1, segments};
        memmove(names + list, names + list + 1, (groups - list - 1) * sizeof *names);
        names[groups - 1] = own;
        good = measure_divergence_table(&crowd, (const char *const *)names,
                                        (const char *const *)segment_names, &all->divergence, NULL,
                                        table, fault);
    }
    measure_names_free(segment_names, segments);
    free(counts);
    free(listed);
    return good;
}

static bool resources_fill(struct kept *all, char **names, struct measure_table *table,
                           struct proto_fault *fault)
{
    measure_table_init(table, all->call->id);
    return measure_resource_table(&all->endowments, (const char *const *)names, all->groups.count,
                                  &all->resources, table, fault);
}

/* How each of the measures is read and made. */
struct way {
    unsigned needed, known; /* bits 1 << GROUP … */
    measure_on_row on_row;
    bool (*fill)(struct kept *all, char **names, struct measure_table *table,
                 struct proto_fault *fault);
};

static struct way way_of(enum measure_id id)
{
#define BIT(PICK) (1U << (PICK))
    switch (id) {
    case MEASURE_ID_ADHERENCE:
        return (struct way){BIT(GROUP) | BIT(ON) | BIT(ALL), BIT(ACCOUNT), on_work, adherence_fill};
    case MEASURE_ID_DIVERGENCE:
        return (struct way){BIT(GROUP) | BIT(STRATUM), BIT(CASES), on_account, divergence_fill};
    default:
        return (struct way){BIT(GROUP) | BIT(VALUE), BIT(ALL) | BIT(AMOUNT), on_endowed,
                            resources_fill};
    }
#undef BIT
}

static int picks_choose(const struct measure_call *call, const struct way *way,
                        struct measure_pick *picks)
{
    static const char *const options[PICKS] = {"group",   "account", "on",     "all",
                                               "stratum", "cases",   "amount", "value"};
    for (int pick = 0; pick < PICKS; pick++) {
        bool needed = (way->needed >> pick & 1) != 0;
        bool known = needed || (way->known >> pick & 1) != 0;
        if (!known && cli_text_named(call->cli, options[pick]) != NULL) {
            return cli_fail(call->cli, EX_USAGE, "--%s says nothing of %s", options[pick],
                            measure_info(call->id)->name);
        }
        picks[pick] = (struct measure_pick){
            .option = options[pick], .kind = pick >= ON ? CELL_MONEY : CELL_TEXT, .needed = needed};
    }
    picks[STRATUM].kind = picks[VALUE].kind = CELL_TEXT;
    return EX_OK;
}

static bool options_read(const struct measure_call *call, struct kept *all)
{
    switch (call->id) {
    case MEASURE_ID_ADHERENCE:
        return measure_number(call, "committed", &all->adherence.committed) &&
               measure_count(call, "top", &all->adherence.top) &&
               measure_count(call, "least", &all->adherence.least);
    case MEASURE_ID_DIVERGENCE:
        return measure_count(call, "top", &all->divergence.top) &&
               measure_count(call, "segments", &all->divergence.segments) &&
               measure_count(call, "resamples", &all->divergence.permutations) &&
               measure_count(call, "seed", &all->divergence.seed) &&
               measure_count(call, "least", &all->divergence.least);
    default:
        all->resources.units = measure_money_units(call->rules.base);
        return measure_number(call, "elasticity", &all->resources.elasticity) &&
               measure_count(call, "least", &all->resources.least);
    }
}

static int kept_show(struct kept *all, const struct way *way)
{
    const struct measure_call *call = all->call;
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    char **names = measure_names_make(&all->groups);
    if (names == NULL) {
        return cli_fail(call->cli, EX_OSERR, "no memory for the names of groups");
    }
    bool good = way->fill(all, names, &table, &fault);
    int status =
        good ? measure_show(call->cli, &table, call->rules.base) : cli_fault(call->cli, &fault);
    measure_table_fini(&table);
    measure_names_free(names, all->groups.count);
    return status;
}

int measure_run_keep(const struct measure_call *call)
{
    static const char *const served[] = {"group-by", "teams", "tal",   "acts",
                                         "from",     "to",    "as-of", "weigh"};
    const struct way way = way_of(call->id);
    struct kept all = {.call = call};
    int status = measure_served_check(call, served, sizeof served / sizeof *served);
    status = status == EX_OK ? picks_choose(call, &way, all.picks) : status;
    if (status != EX_OK || !options_read(call, &all)) {
        return status != EX_OK ? status : EX_USAGE;
    }
    text_count_init(&all.groups, GROUPS_MAX);
    text_count_init(&all.strata, MEASURE_DIVERGENCE_SEGMENTS_MAX);
    text_count_init(&all.accounts, MEASURE_ACCOUNTS_MAX);
    status = measure_file_walk(call, all.picks, PICKS, way.on_row, &all);
    status = status == EX_OK ? kept_show(&all, &way) : status;
    text_count_fini(&all.groups);
    text_count_fini(&all.strata);
    text_count_fini(&all.accounts);
    free(all.works);
    free(all.cells);
    measure_endowments_fini(&all.endowments);
    return status;
}
