/* SPDX-License-Identifier: Apache-2.0 */
/* Concentration and referrals over the rows of any file. A row that cannot be read ends it, unless
 * bad rows may be left out; so does an account that stands in two groups. */
#include <stdio.h>
#include <stdlib.h>

#include "server/measure/focus.h"
#include "server/measure/referral.h"
#include "tools/cli/measure_named.h"
#include "tools/cli/measure_show.h"

#define CASES_MAX INT64_C(1000000000)
/* Referrals of a file are taken one by one, for segments are dealt out over them. */
#define REFERRALS_MAX 1000000
#define MONEY_MAX INT64_C(100000000000000)

static bool cases_read(const struct measure_pick *pick, const struct csv_row *row, int64_t *cases,
                       struct proto_fault *fault)
{
    bool told = false;
    *cases = 1;
    return measure_cell_decimal(pick, row, 0, CASES_MAX, cases, &told, fault) &&
           (*cases >= 0 || proto_fault_set(fault, PROTO_BAD_FIELD, "",
                                           "a count is 0 or more, not %lld", (long long)*cases));
}

enum { GROUP, SECOND, ACCOUNT, AMOUNT, CASES, FOCUS_PICKS };

struct focused {
    struct measure_pick picks[FOCUS_PICKS];
    struct text_count groups, accounts;
    struct measure_focus_unit *units;
    size_t count, room;
};

static bool group_number(struct focused *all, const struct csv_row *row, uint32_t *group,
                         struct proto_fault *fault)
{
    struct proto_span first = measure_cell_text(&all->picks[GROUP], row);
    struct proto_span second = measure_cell_text(&all->picks[SECOND], row);
    char *joined = NULL;
    if (all->picks[SECOND].column == SIZE_MAX) {
        return measure_named_number(&all->groups, first, row->line, group, fault);
    }
    first = first.bytes > 0 ? first : proto_span_text("(none)");
    second = second.bytes > 0 ? second : proto_span_text("(none)");
    if (asprintf(&joined, "%.*s / %.*s", (int)first.bytes, (const char *)first.data,
                 (int)second.bytes, (const char *)second.data) < 0) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a pair of values");
    }
    bool good =
        measure_named_number(&all->groups, proto_span_text(joined), row->line, group, fault);
    free(joined);
    return good;
}

/* The unit of a row: its account's, or one of its own. */
static struct measure_focus_unit *unit_of(struct focused *all, const struct csv_row *row,
                                          uint32_t group, struct proto_fault *fault)
{
    uint32_t number = (uint32_t)all->count;
    if (all->picks[ACCOUNT].column != SIZE_MAX &&
        !measure_account_number(&all->accounts, measure_cell_text(&all->picks[ACCOUNT], row),
                                row->line, &number, fault)) {
        return NULL;
    }
    if (number < all->count) {
        if (all->units[number].group != group) {
            (void)proto_fault_set(fault, PROTO_BAD_FIELD, "",
                                  "the account stood in another group on line %zu",
                                  all->accounts.entries[number].line);
            return NULL;
        }
        return &all->units[number];
    }
    if (all->count == all->room) {
        size_t room = all->room * 2 + 1024;
        struct measure_focus_unit *grown = realloc(all->units, room * sizeof *grown);
        if (grown == NULL) {
            (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu accounts", room);
            return NULL;
        }
        all->units = grown;
        all->room = room;
    }
    all->units[all->count] = (struct measure_focus_unit){.group = group};
    return &all->units[all->count++];
}

static bool on_focused(void *context, const struct csv_row *row, size_t *column,
                       struct proto_fault *fault)
{
    struct focused *all = context;
    int64_t cases = 1;
    int64_t minor = 0;
    uint32_t group = 0;
    bool told = false;
    *column = all->picks[CASES].column;
    if (!cases_read(&all->picks[CASES], row, &cases, fault)) {
        return false;
    }
    *column = all->picks[AMOUNT].column;
    if (!measure_cell_money(&all->picks[AMOUNT], row, "", &minor, &told, fault)) {
        return false;
    }
    if (minor < 0 || minor > MONEY_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "", "an amount is 0 to %lld",
                               (long long)(MONEY_MAX / 100));
    }
    if (cases == 0) {
        return true;
    }
    *column = all->picks[GROUP].column;
    if (!group_number(all, row, &group, fault)) {
        return false;
    }
    *column = all->picks[ACCOUNT].column;
    struct measure_focus_unit *unit = unit_of(all, row, group, fault);
    if (unit == NULL) {
        return false;
    }
    bool one =
        all->picks[ACCOUNT].column != SIZE_MAX; /* an account is one however often it comes */
    unit->count = one ? 1 : unit->count + (double)cases;
    unit->amount += (double)minor;
    return true;
}

static int focused_show(const struct measure_call *call, const struct focused *all,
                        const struct measure_focus_options *options)
{
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    char **names = measure_names_make(&all->groups);
    int status = EX_OK;
    if (names == NULL) {
        status = cli_fail(call->cli, EX_OSERR, "no memory for the names of groups");
    } else {
        bool good = measure_focus_table(all->units, all->count, (const char *const *)names,
                                        all->groups.count, options, NULL, &table, &fault);
        status =
            good ? measure_show(call->cli, &table, call->rules.base) : cli_fault(call->cli, &fault);
        measure_table_fini(&table);
    }
    measure_names_free(names, all->groups.count);
    return status;
}

int measure_run_focus(const struct measure_call *call)
{
    static const char *const served[] = {"of", "from", "to", "as-of", "won-kind"};
    struct focused all = {
        .picks = {[GROUP] = {.option = "group", .kind = CELL_TEXT, .needed = true},
                  [SECOND] = {.option = "second", .kind = CELL_TEXT},
                  [ACCOUNT] = {.option = "account", .kind = CELL_TEXT},
                  [AMOUNT] = {.option = "amount", .kind = CELL_MONEY},
                  [CASES] = {.option = "cases", .kind = CELL_MONEY}}};
    struct measure_focus_options options = {.units_alone =
                                                cli_text_named(call->cli, "amount") == NULL};
    int status = measure_served_check(call, served, sizeof served / sizeof *served);
    if (status != EX_OK) {
        return status;
    }
    if (!measure_number(call, "deal", &options.deal) || !measure_count(call, "top", &options.top) ||
        !measure_count(call, "resamples", &options.resamples) ||
        !measure_count(call, "seed", &options.seed) ||
        !measure_count(call, "least", &options.least)) {
        return EX_USAGE;
    }
    if (cli_text_named(call->cli, "account") != NULL &&
        cli_text_named(call->cli, "cases") != NULL) {
        return cli_fail(call->cli, EX_USAGE,
                        "--account counts accounts, --cases says how many a row stands for: one of "
                        "them");
    }
    options.deal *= 100; /* minor units of amounts without a currency */
    text_count_init(&all.groups, MEASURE_FOCUS_GROUPS_MAX);
    text_count_init(&all.accounts, MEASURE_ACCOUNTS_MAX);
    status = measure_file_walk(call, all.picks, FOCUS_PICKS, on_focused, &all);
    status = status == EX_OK ? focused_show(call, &all, &options) : status;
    text_count_fini(&all.groups);
    text_count_fini(&all.accounts);
    free(all.units);
    return status;
}

enum { REFERRER, REFERRED, TIMES, REFERRAL_PICKS };

struct referred {
    struct measure_pick picks[REFERRAL_PICKS];
    struct text_count segments;
    struct measure_referral *referrals;
    struct measure_referred *accounts; /* two of their own for each referral */
    size_t count, room;
};

static bool referral_room(struct referred *all, size_t more, struct proto_fault *fault)
{
    if (all->count + more > REFERRALS_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "more than %d referrals", REFERRALS_MAX);
    }
    if (all->count + more <= all->room) {
        return true;
    }
    size_t room = all->room * 2 + more + 1024;
    void *referrals = realloc(all->referrals, room * sizeof *all->referrals);
    all->referrals = referrals != NULL ? referrals : all->referrals;
    void *accounts = realloc(all->accounts, 2 * room * sizeof *all->accounts);
    all->accounts = accounts != NULL ? accounts : all->accounts;
    if (referrals == NULL || accounts == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu referrals", room);
    }
    all->room = room;
    return true;
}

static bool on_referred(void *context, const struct csv_row *row, size_t *column,
                        struct proto_fault *fault)
{
    struct referred *all = context;
    int64_t times = 1;
    uint32_t of[2] = {0, 0};
    *column = all->picks[TIMES].column;
    if (!cases_read(&all->picks[TIMES], row, &times, fault)) {
        return false;
    }
    for (int pick = REFERRER; pick <= REFERRED; pick++) {
        *column = all->picks[pick].column;
        if (!measure_named_number(&all->segments, measure_cell_text(&all->picks[pick], row),
                                  row->line, &of[pick], fault)) {
            return false;
        }
    }
    if (!referral_room(all, (size_t)times, fault)) {
        return false;
    }
    for (int64_t i = 0; i < times; i++) {
        uint32_t from = (uint32_t)(2 * all->count);
        all->accounts[from] = (struct measure_referred){.segment = of[REFERRER]};
        all->accounts[from + 1] = (struct measure_referred){.segment = of[REFERRED]};
        all->referrals[all->count++] = (struct measure_referral){from, from + 1, 1};
    }
    return true;
}

static int referred_show(const struct measure_call *call, const struct referred *all,
                         const struct measure_referral_options *options)
{
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    char **names = measure_names_make(&all->segments);
    int status = EX_OK;
    if (names == NULL) {
        status = cli_fail(call->cli, EX_OSERR, "no memory for the names of segments");
    } else {
        const struct measure_network network = {.referrals = all->referrals,
                                                .count = all->count,
                                                .accounts = all->accounts,
                                                .account_count = (uint32_t)(2 * all->count),
                                                .segments = (const char *const *)names,
                                                .segment_count = (uint32_t)all->segments.count};
        bool good = measure_referral_table(&network, options, NULL, &table, &fault);
        status = good ? measure_show(call->cli, &table, "") : cli_fault(call->cli, &fault);
        measure_table_fini(&table);
    }
    measure_names_free(names, all->segments.count);
    return status;
}

int measure_run_referral(const struct measure_call *call)
{
    static const char *const served[] = {"field", "as-of", "won-kind", "lost-kind", "mature"};
    struct referred all = {
        .picks = {[REFERRER] = {.option = "referrer", .kind = CELL_TEXT, .needed = true},
                  [REFERRED] = {.option = "referred", .kind = CELL_TEXT, .needed = true},
                  [TIMES] = {.option = "cases", .kind = CELL_MONEY}}};
    struct measure_referral_options options = {.outcomes = false};
    int status = measure_served_check(call, served, sizeof served / sizeof *served);
    if (status != EX_OK) {
        return status;
    }
    if (!measure_count(call, "permutations", &options.permutations) ||
        !measure_count(call, "seed", &options.seed) ||
        !measure_count(call, "segments", &options.segments) ||
        !measure_count(call, "least", &options.least)) {
        return EX_USAGE;
    }
    text_count_init(&all.segments, MEASURE_REFERRAL_SEGMENTS_MAX);
    status = measure_file_walk(call, all.picks, REFERRAL_PICKS, on_referred, &all);
    status = status == EX_OK ? referred_show(call, &all, &options) : status;
    text_count_fini(&all.segments);
    free(all.referrals);
    free(all.accounts);
    return status;
}
