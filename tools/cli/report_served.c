/* SPDX-License-Identifier: Apache-2.0 */
/* Movements first, whose answer says which sequence all others are as of; then retention, survival,
 * readiness, each grade, and the numbers that differ. "no-evidence" leaves a reason in its section;
 * any other refusal ends it. */
#include "tools/cli/report_served.h"

#include <stdlib.h>

#include "server/event/event_money.h"

/* Points of the curve and of the triangle: three years by quarters. */
#define STEP "3"
#define POINTS "12"
#define TOP_DEFAULT "5"

static struct measure_ask ask_of(const struct report_served *served, enum measure_id id)
{
    const struct report_wanted *wanted = served->wanted;
    struct measure_ask ask = wanted->scope;
    ask.id = id;
    ask.rules = &wanted->rules;
    ask.churn_flag = NULL; /* of a bridge alone */
    ask.by = NULL;
    if (served->pinned) {
        ask.has_seq = true;
        ask.seq = served->seq;
    }
    return ask;
}

/* The name of the definition goes with the page, not with each request: it is of one metric. */
static void ground_take(struct report_served *served)
{
    struct report_ground *ground = &served->page.ground;
    const struct icp_reply *reply = &served->reply;
    struct icp_value value;
    struct icp_text currency = icp_reply_text(reply, "currency");
    served->pinned = true;
    served->seq = (uint64_t)icp_reply_int(reply, "seq", 0);
    ground->seq = served->seq;
    ground->accounts = (uint64_t)icp_reply_int(reply, "accounts", 0);
    ground->events = (uint64_t)icp_reply_int(reply, "events", 0);
    ground->subscriptions = (uint64_t)icp_reply_int(reply, "subscriptions", 0);
    ground->newest_ms = icp_reply_get(reply, "newest", &value) ? value.integer : INT64_MIN;
    if (currency.bytes > 0 && currency.bytes < sizeof served->rules.base) {
        memcpy(served->rules.base, currency.data, currency.bytes);
        served->rules.base[currency.bytes] = '\0';
    }
    ground->currency = served->rules.base;
    ground->digits = event_money_digits(proto_span_text(served->rules.base));
}

/* One measure; what the data do not support is told in the part. */
static int part_ask(struct report_served *served, const struct measure_ask *ask,
                    struct measure_table *table, char *why, struct report_part *part)
{
    const struct cli *cli = served->cli;
    icp_payload_reset(served->payload);
    int status = measure_ask_put(cli, ask, served->payload);
    if (status != EX_OK) {
        return status;
    }
    if (!icp_call(served->client, ICP_OP_MEASURE, served->payload, &served->reply)) {
        /* A kept definition may want what this page was not told. */
        bool told = served->reply.fault.code == ICP_NO_EVIDENCE ||
                    (ask->definition_name != NULL && served->reply.fault.code == ICP_MISSING_FIELD);
        if (!told) {
            return cli_icp_fault(cli, &served->reply.fault);
        }
        (void)snprintf(why, sizeof served->whys[0], "%s", served->reply.fault.message);
        part->why = why;
        return EX_OK;
    }
    measure_table_fini(table);
    status = measure_ask_take(cli, ask->id, &served->reply, table);
    part->table = status == EX_OK ? table : NULL;
    return status;
}

static int revenue_ask(struct report_served *served)
{
    const struct report_wanted *wanted = served->wanted;
    struct measure_ask ask = ask_of(served, MEASURE_ID_MRR);
    measure_ask_parameter(&ask, "from", wanted->from);
    measure_ask_parameter(&ask, "to", wanted->to);
    measure_ask_parameter(&ask, "period", wanted->period);
    int status = part_ask(served, &ask, &served->tables[REPORT_MRR], served->whys[REPORT_MRR],
                          &served->page.mrr);
    if (status != EX_OK || served->page.mrr.table == NULL) {
        served->page.retention.why = served->page.mrr.why;
        return status;
    }
    ground_take(served);
    ask = ask_of(served, MEASURE_ID_RETENTION);
    ask.by = wanted->segment;
    measure_ask_parameter(&ask, "from", wanted->from);
    measure_ask_parameter(&ask, "to", wanted->to);
    return part_ask(served, &ask, &served->tables[REPORT_RETENTION], served->whys[REPORT_RETENTION],
                    &served->page.retention);
}

static int survival_ask(struct report_served *served, const char *cohort, int table,
                        struct report_part *part)
{
    struct measure_ask ask = ask_of(served, MEASURE_ID_SURVIVAL);
    measure_ask_parameter(&ask, "as-of", served->wanted->to);
    measure_ask_parameter(&ask, "cohort", cohort);
    measure_ask_parameter(&ask, "step", STEP);
    measure_ask_parameter(&ask, "points", POINTS);
    return part_ask(served, &ask, &served->tables[table], served->whys[table], part);
}

static int readiness_ask(struct report_served *served)
{
    struct measure_ask ask = ask_of(served, MEASURE_ID_READINESS);
    ask.has_seq = false; /* it is of accounts as they are now */
    ask.has_known = false;
    if (served->wanted->stale_days != NULL) {
        measure_ask_parameter(&ask, "stale-days", served->wanted->stale_days);
    }
    if (served->wanted->floor != NULL) {
        measure_ask_parameter(&ask, "floor", served->wanted->floor);
    }
    return part_ask(served, &ask, &served->tables[REPORT_READY], served->whys[REPORT_READY],
                    &served->page.readiness);
}

/* Accounts that match; *none: there is nothing that grades. */
static int grade_count(struct report_served *served, const char *filter, uint64_t *count,
                       bool *none)
{
    icp_payload_reset(served->payload);
    icp_payload_text(served->payload, "filter", filter);
    if (icp_call(served->client, ICP_OP_COUNT, served->payload, &served->reply)) {
        *count = (uint64_t)icp_reply_int(&served->reply, "count", 0);
        return EX_OK;
    }
    *none = served->reply.fault.code == ICP_NO_ICP;
    return *none ? EX_OK : cli_icp_fault(served->cli, &served->reply.fault);
}

/* Customers and MRR of the last row of the movements of these accounts. */
static int grade_paid(struct report_served *served, const char *filter, struct report_grade *grade)
{
    const struct report_wanted *wanted = served->wanted;
    struct measure_table table;
    struct report_part part = {.table = NULL};
    char why[sizeof served->whys[0]];
    struct measure_ask ask = ask_of(served, MEASURE_ID_MRR);
    ask.filter = filter;
    measure_ask_parameter(&ask, "from", wanted->from);
    measure_ask_parameter(&ask, "to", wanted->to);
    measure_ask_parameter(&ask, "period", wanted->period);
    measure_table_init(&table, MEASURE_ID_MRR);
    int status = part_ask(served, &ask, &table, why, &part);
    if (part.table != NULL && measure_table_rows(&table) > 0) {
        size_t last = measure_table_rows(&table) - 1;
        grade->mrr = measure_cell_find(&table, last, "end")->whole;
        grade->customers = (uint64_t)measure_cell_find(&table, last, "customers")->whole;
    }
    measure_table_fini(&table);
    return status;
}

static int grade_ask(struct report_served *served, struct report_grade *grade, bool *none)
{
    const char *filter = served->wanted->scope.filter;
    char *text = NULL;
    int bytes = filter != NULL
                    ? asprintf(&text, "(%s) and score.grade = '%c'", filter, grade->grade)
                    : asprintf(&text, "score.grade = '%c'", grade->grade);
    if (bytes < 0) {
        return cli_fail(served->cli, EX_OSERR, "no memory");
    }
    int status = grade_count(served, text, &grade->accounts, none);
    if (status == EX_OK && !*none && grade->accounts > 0 && served->page.mrr.table != NULL) {
        status = grade_paid(served, text, grade);
    }
    free(text);
    return status;
}

static int grades_ask(struct report_served *served)
{
    struct report_lifecycle *page = &served->page;
    int status = EX_OK;
    bool none = false;
    for (size_t i = 0; i < REPORT_GRADES && status == EX_OK && !none; i++) {
        page->grades[i].grade = (char)('A' + i);
        status = grade_ask(served, &page->grades[i], &none);
    }
    page->no_grades = none ? "no ICP version is active, so no account has a grade" : NULL;
    return status;
}

/* Without rules the names are those of definitions that the server keeps. */
static int bridge_ask(struct report_served *served, enum measure_metric metric,
                      const struct measure_rules *first, const struct measure_rules *second,
                      const char *const names[2])
{
    size_t at = served->page.bridge_count++;
    struct report_bridge *bridge = &served->page.bridges[at];
    struct measure_ask ask = ask_of(served, MEASURE_ID_BRIDGE);
    *bridge = (struct report_bridge){.first = names[0], .second = names[1], .metric = metric};
    ask.rules = first;
    ask.against = second;
    ask.definition_name = first == NULL ? names[0] : NULL;
    ask.against_name = first == NULL ? names[1] : NULL;
    ask.churn_flag = served->wanted->scope.churn_flag;
    measure_ask_parameter(&ask, "metric", measure_metric_info(metric)->name);
    measure_ask_parameter(&ask, "from", served->wanted->from);
    measure_ask_parameter(&ask, "to", served->wanted->to);
    measure_ask_parameter(&ask, "top",
                          served->wanted->top != NULL ? served->wanted->top : TOP_DEFAULT);
    return part_ask(served, &ask, &served->bridges[at], served->whys[REPORT_TABLES + at],
                    &bridge->part);
}

static struct measure_rules evidence(const struct measure_rules *rules, enum measure_choice by,
                                     enum measure_choice unit)
{
    struct measure_rules other = *rules;
    other.choice[MEASURE_RULE_CHURN_EVIDENCE] = (uint8_t)by;
    other.choice[MEASURE_RULE_CHURN_UNIT] = (uint8_t)unit;
    return other;
}

/* Who left, as billing, as the accounts, as support and as a flag would count it. */
static int churn_ask(struct report_served *served)
{
    static const char *const ended = "subscriptions that ended";
    static const char *const left = "accounts whose last paid subscription ended";
    const struct measure_rules *rules = &served->wanted->rules;
    const struct measure_rules each =
        evidence(rules, MEASURE_CHURN_EVIDENCE_SUBSCRIPTION_END, MEASURE_CHURN_UNIT_EACH);
    const struct measure_rules zero =
        evidence(rules, MEASURE_CHURN_EVIDENCE_ACCOUNT_ZERO, MEASURE_CHURN_UNIT_ACCOUNT);
    const struct measure_rules told =
        evidence(rules, MEASURE_CHURN_EVIDENCE_EVENT, MEASURE_CHURN_UNIT_ACCOUNT);
    const struct measure_rules flag =
        evidence(rules, MEASURE_CHURN_EVIDENCE_FLAG, MEASURE_CHURN_UNIT_ACCOUNT);
    int status = bridge_ask(served, MEASURE_METRIC_CHURN_COUNT, &each, &zero,
                            (const char *const[]){ended, left});
    if (status == EX_OK) {
        status = bridge_ask(served, MEASURE_METRIC_CHURN_COUNT, &zero, &told,
                            (const char *const[]){left, "accounts with an event of churn"});
    }
    if (status == EX_OK && served->wanted->scope.churn_flag != NULL) {
        status = bridge_ask(served, MEASURE_METRIC_CHURN_COUNT, &zero, &flag,
                            (const char *const[]){left, "accounts that are flagged as churned"});
    }
    return status;
}

/* What the company itself keeps stands first, and where it says who left nothing else does. */
static int kept_ask(struct report_served *served, bool *churn)
{
    size_t count = 0;
    int status = report_kept_pairs(served->cli, served->client, &served->reply, served->pairs,
                                   REPORT_PAIRS_MAX, &count);
    *churn = false;
    for (size_t i = 0; i < count && status == EX_OK; i++) {
        const struct report_pair *pair = &served->pairs[i];
        *churn |= pair->metric == MEASURE_METRIC_CHURN_COUNT;
        status = bridge_ask(served, pair->metric, NULL, NULL,
                            (const char *const[]){pair->first, pair->second});
    }
    return status;
}

static int bridges_ask(struct report_served *served)
{
    const struct report_wanted *wanted = served->wanted;
    bool churn = false;
    int status = EX_OK;
    if (wanted->metric != MEASURE_METRICS) {
        const char *metric = measure_metric_info(wanted->metric)->name;
        (void)snprintf(served->compared[0], sizeof served->compared[0],
                       "%s by the definition of this page", metric);
        (void)snprintf(served->compared[1], sizeof served->compared[1],
                       "%s by the other definition", metric);
        status = bridge_ask(served, wanted->metric, &wanted->rules, &wanted->against,
                            (const char *const[]){served->compared[0], served->compared[1]});
    }
    if (status == EX_OK) {
        status = kept_ask(served, &churn);
    }
    return status == EX_OK && !churn ? churn_ask(served) : status;
}

static int parts_ask(struct report_served *served)
{
    struct report_lifecycle *page = &served->page;
    int status = revenue_ask(served);
    if (status == EX_OK) {
        status = survival_ask(served, "none", REPORT_SURVIVAL, &page->survival);
    }
    if (status == EX_OK) {
        status = survival_ask(served, "quarter", REPORT_COHORTS, &page->cohorts);
    }
    if (status == EX_OK) {
        status = readiness_ask(served);
    }
    if (status == EX_OK) {
        status = grades_ask(served);
    }
    return status == EX_OK ? bridges_ask(served) : status;
}

int report_served_read(const struct cli *cli, const struct report_wanted *wanted,
                       struct report_served *served)
{
    int status = EX_OK;
    *served = (struct report_served){.cli = cli, .wanted = wanted, .rules = wanted->rules};
    served->page.ground = (struct report_ground){
        .filter = wanted->scope.filter,
        .definition = wanted->definition.version > 0 ? wanted->definition.name : NULL,
        .version = wanted->definition.version,
        .rules = &served->rules,
        .currency = "",
        .newest_ms = INT64_MIN};
    served->page.period = wanted->period;
    served->page.segment = wanted->segment;
    served->client = cli_connect(cli, &status);
    if (served->client == NULL) {
        return status;
    }
    served->payload = icp_payload_create();
    return served->payload != NULL ? parts_ask(served) : cli_fail(cli, EX_OSERR, "no memory");
}

void report_served_fini(struct report_served *served)
{
    for (size_t i = 0; i < REPORT_TABLES; i++) {
        measure_table_fini(&served->tables[i]);
    }
    for (size_t i = 0; i < REPORT_BRIDGES_MAX; i++) {
        measure_table_fini(&served->bridges[i]);
    }
    icp_reply_fini(&served->reply);
    icp_payload_destroy(served->payload);
    icp_close(served->client);
}
