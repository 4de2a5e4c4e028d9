/* SPDX-License-Identifier: Apache-2.0 */
/* The request is made of the options, rules as they were read already; the reply becomes the table
 * that a measure over files fills. Options of files and whatever the server refuses end it. */
#include "tools/cli/measure_remote.h"

#include <stdlib.h>

#include "server/feature/date_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_prices.h"
#include "tools/cli/measure_show.h"
#include "tools/cli/measure_teams.h"
#include "tools/cli/metric_find.h"

/* The option that names the file of each measure; NULL: it is of the server alone. */
static const char *const files[MEASURE_IDS] = {
    [MEASURE_ID_MRR] = "subscriptions",
    [MEASURE_ID_RETENTION] = "subscriptions",
    [MEASURE_ID_SURVIVAL] = "subscriptions",
    [MEASURE_ID_BRIDGE] = "subscriptions",
    [MEASURE_ID_CLV_SBG] = "lost",
    [MEASURE_ID_CLV_PURCHASES] = "purchases",
    [MEASURE_ID_READINESS] = "rows",
    [MEASURE_ID_ATTRIBUTION] = "paths",
    [MEASURE_ID_HANDOFFS] = "steps",
    [MEASURE_ID_GAP] = "rows",
    [MEASURE_ID_PATTERNS] = "steps",
    [MEASURE_ID_LIFT] = "rows",
    [MEASURE_ID_RATE] = "rows",
    [MEASURE_ID_FORECAST] = "rows",
    [MEASURE_ID_PROMISE] = "rows",
    [MEASURE_ID_EROSION] = "rows",
    [MEASURE_ID_FOCUS] = "rows",
    [MEASURE_ID_REFERRAL] = "rows",
    [MEASURE_ID_ADHERENCE] = "rows",
    [MEASURE_ID_DIVERGENCE] = "rows",
    [MEASURE_ID_RESOURCES] = "rows",
};

bool measure_is_remote(const struct measure_call *call)
{
    return files[call->id] == NULL || cli_text_named(call->cli, files[call->id]) == NULL;
}

int measure_local_check(const struct measure_call *call)
{
    static const char *const options[] = {"filter", "seq", "known", "kind",
                                          "from",   "to",  "as-of", "period"};
    /* Of a model over counts the last ones say which cohort the server is to count. */
    size_t count = call->id == MEASURE_ID_CLV_SBG ? 8 : 4;
    for (size_t i = 0; i < count; i++) {
        if (cli_text_named(call->cli, options[i]) != NULL) {
            return cli_fail(call->cli, EX_USAGE,
                            "--%s is for what the server measures; files are measured as they are",
                            options[i]);
        }
    }
    bool has_segments = call->id == MEASURE_ID_MRR || call->id == MEASURE_ID_RETENTION ||
                        call->id == MEASURE_ID_SURVIVAL;
    if (!has_segments && cli_text_named(call->cli, "segment") != NULL) {
        return cli_fail(call->cli, EX_USAGE,
                        "--segment: of files mrr, retention and survival have segments, not %s",
                        measure_info(call->id)->name);
    }
    return EX_OK;
}

/* Columns and forms of files say nothing to the server. */
static int files_check(const struct measure_call *call)
{
    static const char *const options[] = {
        "account",     "start",     "end",       "amount",          "term",         "currency",
        "trial",       "one-off",   "cancelled", "paid-until",      "past-due",     "paused",
        "resumed",     "accounts",  "at",        "discount-amount", "discount-end", "churn-events",
        "skip-bad",    "separator", "encoding",  "decimal",         "dates",        "churn-date",
        "purchases",   "rows",      "source",    "subscriptions",   "paths",        "path",
        "conversions", "nulls",     "value",     "steps",           "stage",        "person",
        "reason",      "group",     "stratum",   "reached",         "cases",        "p",
        "rival",       "on",        "all",       "referrer",        "referred"};
    /* List prices are read here and go with the request. */
    size_t count =
        cli_text_named(call->cli, "prices") != NULL ? 0 : sizeof options / sizeof *options;
    for (size_t i = 0; i < count; i++) {
        if (cli_text_named(call->cli, options[i]) != NULL && files[call->id] == NULL) {
            return cli_fail(call->cli, EX_USAGE, "--%s is of files; %s is of the server alone",
                            options[i], measure_info(call->id)->name);
        }
        if (cli_text_named(call->cli, options[i]) != NULL) {
            return cli_fail(call->cli, EX_USAGE,
                            "--%s is of files: name one with --%s; without it the server "
                            "measures what it was told",
                            options[i], files[call->id]);
        }
    }
    return EX_OK;
}

/* What is missing or no day is told in words of the command line, before the server tells it in
 * those of a request. */
static int parameters_check(const struct measure_call *call)
{
    size_t count = 0;
    const struct measure_parameter *p = measure_parameters(call->id, &count);
    for (size_t i = 0; i < count; i++) {
        bool needed = p[i].fallback[0] == '\0';
        bool of_cohort = p[i].kind == MEASURE_KIND_TIME && strcmp(p[i].fallback, "lost") == 0;
        if (of_cohort && cli_text_named(call->cli, p[i].name) == NULL) {
            return cli_fail(call->cli, EX_USAGE,
                            "--lost COUNTS is needed: customers lost in period 1, 2, …; or --from, "
                            "--to and --as-of, and the server counts them");
        }
        int64_t ms = 0;
        if (p[i].kind == MEASURE_KIND_TIME &&
            !measure_option_day(call->cli, p[i].name, needed, &ms)) {
            return EX_USAGE;
        }
        if (needed && cli_text_named(call->cli, p[i].name) == NULL) {
            return cli_fail(call->cli, EX_USAGE, "--%s is needed: %s", p[i].name, p[i].help);
        }
    }
    return EX_OK;
}

static void parameters_ask(const struct measure_call *call, struct measure_ask *ask)
{
    size_t count = 0;
    const struct measure_parameter *p = measure_parameters(call->id, &count);
    for (size_t i = 0; i < count; i++) {
        const char *text = cli_text_named(call->cli, p[i].name);
        if (text != NULL && strcmp(p[i].name, "teams") != 0) { /* measure_teams.h */
            measure_ask_parameter(ask, p[i].name, text);
        }
    }
}

int measure_scope_read(const struct cli *cli, struct measure_ask *ask)
{
    bool whole_day = false;
    const char *seq = cli_text_named(cli, "seq");
    const char *known = cli_text_named(cli, "known");
    ask->filter = cli_text_named(cli, "filter");
    ask->by = cli_text_named(cli, "segment");
    ask->churn_flag = cli_text_named(cli, "churn-flag");
    ask->has_seq = seq != NULL;
    ask->has_known = known != NULL;
    if (seq != NULL && !cli_number(cli, cli_option_named(cli, "seq"), 0, INT64_MAX, 0, &ask->seq)) {
        return EX_USAGE;
    }
    if (known != NULL && !feature_date_read(proto_span_text(known), &ask->known_ms, &whole_day)) {
        return cli_fail(cli, EX_USAGE, "--known: '%s' is no time such as 2024-01-01T12:00:00Z",
                        known);
    }
    return EX_OK;
}

/* The definition of an option where the server keeps it. */
static const char *kept_told(const struct measure_call *call, const char *option)
{
    const char *text = cli_text_named(call->cli, option);
    return text != NULL && !metric_is_file(text) ? text : NULL;
}

/* The request of the options; `second` is where the other definition of a bridge stands. */
static int ask_read(const struct measure_call *call, const struct measure_definition *definition,
                    struct measure_rules *second, struct measure_ask *ask)
{
    *ask = (struct measure_ask){.id = call->id, .rules = &call->rules, .definition = definition};
    ask->definition_name = kept_told(call, "definition");
    parameters_ask(call, ask);
    if (call->id == MEASURE_ID_BRIDGE) {
        enum measure_metric metric = MEASURE_METRICS;
        int status = measure_metric_told(call->cli, &metric);
        if (status == EX_OK) {
            status = measure_against_read(call->cli, &call->rules, metric, second);
        }
        if (status != EX_OK) {
            return status;
        }
        ask->against = second;
        ask->against_name = kept_told(call, "against-definition");
    }
    return measure_scope_read(call->cli, ask);
}

/* By which definitions, and whether they are as they are kept: a file is a definition of its own,
 * whatever name and version it gives itself. */
static void definition_tell(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const options[2] = {"definition", "against-definition"};
    static const char *const members[2][3] = {
        {"definition", "version", "kept"},
        {"against_definition", "against_version", "against_kept"}};
    char text[2][160] = {"", ""};
    struct icp_value value;
    for (size_t i = 0; i < 2; i++) {
        struct icp_text name = icp_reply_text(reply, members[i][0]);
        bool kept = icp_reply_get(reply, members[i][2], &value) && value.flag;
        const char *told = cli_text_named(cli, options[i]);
        const char *other = told != NULL && metric_is_file(told)
                                ? " of a file, not as the server keeps it"
                                : " with other rules, not as the server keeps it";
        if (name.bytes > 0) {
            (void)snprintf(text[i], sizeof text[i], "%s%.*s@%lld%s", i > 0 ? ", against " : "",
                           (int)name.bytes, name.data,
                           (long long)icp_reply_int(reply, members[i][1], 0), kept ? "" : other);
        }
    }
    cli_say(cli, "by the definition %s%s", text[0], text[1]);
}

/* Views among them. Of any other measure accounts and sequence are all there is to say of its
 * ground. */
static bool is_of_subscriptions(enum measure_id id)
{
    return id == MEASURE_ID_CLV_SBG || (id >= MEASURE_ID_GRID && id <= MEASURE_ID_FINANCE) ||
           (files[id] != NULL && strcmp(files[id], "subscriptions") == 0);
}

/* The rows of the others need no correction. */
static bool is_corrected(enum measure_id id)
{
    return id != MEASURE_ID_GREY && id != MEASURE_ID_READINESS && id != MEASURE_ID_CLV_PURCHASES;
}

/* What the figure rests on, in a line on standard error. */
static void ground_tell(const struct measure_call *call, const struct icp_reply *reply)
{
    char newest[FEATURE_DATE_TEXT_BYTES] = "none";
    struct icp_value value;
    struct icp_text currency = icp_reply_text(reply, "currency");
    if (icp_reply_get(reply, "icp", &value)) {
        cli_say(call->cli, "ICP %lld, %lld accounts, sequence %lld%s%.*s", (long long)value.integer,
                (long long)icp_reply_int(reply, "accounts", 0),
                (long long)icp_reply_int(reply, "seq", 0), currency.bytes > 0 ? ", " : "",
                (int)currency.bytes, currency.data);
        cli_say(call->cli, "%s", measure_info(call->id)->correction);
        return;
    }
    if (!is_of_subscriptions(call->id)) {
        cli_say(call->cli, "%lld accounts, sequence %lld",
                (long long)icp_reply_int(reply, "accounts", 0),
                (long long)icp_reply_int(reply, "seq", 0));
        if (is_corrected(call->id)) {
            cli_say(call->cli, "%s", measure_info(call->id)->correction);
        }
        return;
    }
    if (icp_reply_get(reply, "newest", &value)) {
        (void)feature_date_print(value.integer, newest);
    }
    definition_tell(call->cli, reply);
    cli_say(call->cli, "%lld subscriptions of %lld accounts, sequence %lld, newest event %s%s%.*s",
            (long long)icp_reply_int(reply, "subscriptions", 0),
            (long long)icp_reply_int(reply, "accounts", 0),
            (long long)icp_reply_int(reply, "seq", 0), newest, currency.bytes > 0 ? ", " : "",
            (int)currency.bytes, currency.data);
    measure_rules_tell(call);
}

static int reply_show(const struct measure_call *call, const struct icp_reply *reply)
{
    struct measure_table table;
    char currency[MEASURE_CURRENCY_BYTES] = "";
    struct icp_text told = icp_reply_text(reply, "currency");
    ground_tell(call, reply);
    if (told.bytes < sizeof currency) {
        memcpy(currency, told.data, told.bytes);
    }
    int status = measure_ask_take(call->cli, call->id, reply, &table);
    if (status == EX_OK) {
        status = measure_show(call->cli, &table, currency);
    }
    measure_table_fini(&table);
    return status;
}

/* What else can be asked, behind a refusal; of no evidence only where no parameter is at fault. */
static void refused_tell(const struct measure_call *call, const struct measure_ask *ask,
                         const struct icp_fault *fault)
{
    bool can_none = measure_parameter_find(call->id, "fit") != NULL;
    bool can_segment = ask->by == NULL && (can_none || call->id == MEASURE_ID_GAP);
    bool touches = measure_parameter_find(call->id, "acts") != NULL &&
                   cli_text_named(call->cli, "acts") == NULL;
    if (fault->code == ICP_NO_ICP && can_segment) {
        cli_say(call->cli, "or --segment FIELD: strata by a field of accounts, which need none%s",
                can_none ? "; or --fit none" : "");
    }
    if (fault->code == ICP_NO_EVIDENCE && fault->field[0] == '\0' && touches) {
        cli_say(call->cli,
                "touches alone were counted; --acts all counts stages and decisions too");
    }
}

int measure_remote(const struct measure_call *call, const struct measure_definition *definition)
{
    struct cli_request request;
    struct measure_rules second;
    struct measure_ask ask;
    char *prices = NULL;
    char *teams = NULL;
    int status = files_check(call);
    if (status == EX_OK) {
        status = parameters_check(call);
    }
    if (status == EX_OK) {
        status = ask_read(call, definition, &second, &ask);
    }
    if (status == EX_OK) {
        status = cli_request_open(call->cli, &request);
    }
    if (status != EX_OK) {
        return status;
    }
    status = measure_prices_told(call->cli, &prices);
    status = status == EX_OK ? measure_teams_told(call->cli, &teams) : status;
    if (status == EX_OK && teams != NULL) {
        measure_ask_parameter(&ask, "teams", teams);
    }
    if (status == EX_OK && prices != NULL) {
        measure_ask_parameter(&ask, "list", prices);
    }
    if (status == EX_OK) {
        status = measure_ask_put(call->cli, &ask, request.payload);
    }
    if (status == EX_OK) {
        status = cli_request_send(call->cli, &request, ICP_OP_MEASURE);
        refused_tell(call, &ask, &request.reply.fault);
    }
    if (status == EX_OK) {
        status = reply_show(call, &request.reply);
    }
    cli_request_close(&request);
    free(prices);
    free(teams);
    return status;
}
