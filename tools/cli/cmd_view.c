/* SPDX-License-Identifier: Apache-2.0 */
/* icp view: one score in the terms of each function. Several views are of one version and one
 * sequence. An option that none of them has is refused. */
#include "server/feature/date_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/measure_ask.h"
#include "tools/cli/measure_run.h"
#include "tools/cli/measure_show.h"
#include "tools/cli/view_print.h"

enum { VIEWS_MAX = MEASURE_ID_FINANCE - MEASURE_ID_GRID + 1 };

struct views {
    enum measure_id ids[VIEWS_MAX];
    size_t count;
};

/* The view's own name: its measure's without "view-". */
static const char *view_name(enum measure_id id)
{
    const char *name = measure_info(id)->name;
    return strncmp(name, "view-", 5) == 0 ? name + 5 : name;
}

static int views_read(const struct cli *cli, struct views *views)
{
    views->count = 0;
    for (size_t i = 0; i < cli->argument_count; i++) {
        int id = MEASURE_ID_GRID;
        while (id <= MEASURE_ID_FINANCE &&
               strcmp(cli->arguments[i], view_name((enum measure_id)id)) != 0) {
            id++;
        }
        if (id > MEASURE_ID_FINANCE) {
            return cli_fail(cli, EX_USAGE,
                            "there is no view '%s'; there are sales, marketing, success, product, "
                            "finance and grid",
                            cli->arguments[i]);
        }
        for (size_t v = 0; v < views->count; v++) {
            if (views->ids[v] == (enum measure_id)id) {
                return cli_fail(cli, EX_USAGE, "'%s' is asked for twice", cli->arguments[i]);
            }
        }
        views->ids[views->count++] = (enum measure_id)id;
    }
    return EX_OK;
}

static bool has_parameter(const struct views *views, const char *name)
{
    for (size_t v = 0; v < views->count; v++) {
        if (measure_parameter_find(views->ids[v], name) != NULL) {
            return true;
        }
    }
    return false;
}

/* Parameters that were told, each of one of the views. */
static int parameters_put(const struct cli *cli, const struct views *views,
                          struct icp_payload *payload)
{
    icp_payload_map_begin(payload, "parameters");
    for (int id = MEASURE_ID_GRID; id <= MEASURE_ID_FINANCE; id++) {
        size_t count = 0;
        const struct measure_parameter *p = measure_parameters((enum measure_id)id, &count);
        for (size_t i = 0; i < count; i++) {
            const char *text = cli_text_named(cli, p[i].name);
            bool first = true;
            for (int before = MEASURE_ID_GRID; before < id; before++) {
                first &= measure_parameter_find((enum measure_id)before, p[i].name) == NULL;
            }
            if (text == NULL || !first) {
                continue;
            }
            if (!has_parameter(views, p[i].name)) {
                return cli_fail(cli, EX_USAGE, "--%s: %s has no such parameter", p[i].name,
                                cli->arguments[0]);
            }
            icp_payload_text(payload, p[i].name, text);
        }
    }
    icp_payload_map_end(payload);
    return EX_OK;
}

/* Rules of revenue that are not the usual ones, as they were told. */
static int rules_put(const struct cli *cli, struct icp_payload *payload)
{
    const char *text = NULL;
    size_t at = 0;
    icp_payload_map_begin(payload, "rules");
    while ((text = cli_each(cli, CLI_VIEW_RULE, &at)) != NULL) {
        struct measure_rules rules;
        struct proto_fault fault = {.code = PROTO_OK};
        char name[64];
        const char *sign = strchr(text, '=');
        measure_rules_default(&rules);
        if (!measure_rules_set_text(&rules, text, &fault)) {
            return cli_fail(cli, EX_USAGE, "--rule: %s", fault.message);
        }
        (void)snprintf(name, sizeof name, "%.*s", (int)(sign - text), text);
        icp_payload_text(payload, name, sign + 1);
    }
    icp_payload_map_end(payload);
    return EX_OK;
}

static int scope_put(const struct cli *cli, struct icp_payload *payload)
{
    const char *known = cli_text(cli, CLI_VIEW_KNOWN);
    uint64_t version;
    uint64_t seq;
    int64_t known_ms = 0;
    bool whole_day = false;
    if (!cli_number(cli, CLI_VIEW_ICP, 1, UINT32_MAX, 0, &version) ||
        !cli_number(cli, CLI_VIEW_SEQ, 0, INT64_MAX, 0, &seq)) {
        return EX_USAGE;
    }
    if (known != NULL && !feature_date_read(proto_span_text(known), &known_ms, &whole_day)) {
        return cli_fail(cli, EX_USAGE, "--known: '%s' is no time such as 2024-01-01T12:00:00Z",
                        known);
    }
    icp_payload_uint(payload, "icp", version);
    if (cli_has(cli, CLI_VIEW_FILTER)) {
        icp_payload_text(payload, "filter", cli_text(cli, CLI_VIEW_FILTER));
    }
    if (cli_has(cli, CLI_VIEW_SEGMENT)) {
        icp_payload_text(payload, "by", cli_text(cli, CLI_VIEW_SEGMENT));
    }
    if (cli_has(cli, CLI_VIEW_SEQ)) {
        icp_payload_uint(payload, "seq", seq);
    }
    if (known != NULL) {
        icp_payload_int(payload, "known", known_ms);
    }
    return EX_OK;
}

static int request_put(const struct cli *cli, const struct views *views,
                       struct icp_payload *payload)
{
    icp_payload_list_begin(payload, "views");
    for (size_t v = 0; v < views->count; v++) {
        icp_payload_text(payload, NULL, view_name(views->ids[v]));
    }
    icp_payload_list_end(payload);
    int status = parameters_put(cli, views, payload);
    if (status == EX_OK) {
        status = rules_put(cli, payload);
    }
    return status == EX_OK ? scope_put(cli, payload) : status;
}

/* What all views rest on, in a line on standard error. */
static void ground_tell(const struct cli *cli, const struct icp_reply *reply)
{
    char at[FEATURE_DATE_TEXT_BYTES] = "";
    struct icp_text name = icp_reply_text(reply, "definition");
    struct icp_text currency = icp_reply_text(reply, "currency");
    (void)feature_date_print(icp_reply_int(reply, "at", 0), at);
    cli_say(cli,
            "ICP %lld, sequence %lld, as of %s, engagement %.*s@%lld, %lld accounts, %lld events%s"
            "%.*s",
            (long long)icp_reply_int(reply, "icp", 0), (long long)icp_reply_int(reply, "seq", 0),
            at, (int)name.bytes, name.data, (long long)icp_reply_int(reply, "version", 0),
            (long long)icp_reply_int(reply, "accounts", 0),
            (long long)icp_reply_int(reply, "events", 0), currency.bytes > 0 ? ", " : "",
            (int)currency.bytes, currency.data);
}

/* How to read the rows, or that there are none. */
static void correction_tell(const struct cli *cli, enum measure_id id, size_t rows)
{
    const char *correction = measure_info(id)->correction;
    if (rows == 0) {
        cli_say(cli, "%s: there is nothing to list: %s", view_name(id), measure_info(id)->inputs);
    } else if (strcmp(correction, "none") != 0) {
        cli_say(cli, "%s: %s", view_name(id), correction);
    }
}

static int view_show(const struct cli *cli, enum measure_id id, const struct icp_value *view,
                     const char *currency, bool several)
{
    struct icp_value columns = {.count = 0};
    struct icp_value rows = {.count = 0};
    struct measure_table table;
    (void)icp_value_get(view, "columns", &columns);
    (void)icp_value_get(view, "rows", &rows);
    int status = measure_ask_table(cli, id, &columns, &rows, &table);
    if (status == EX_OK && cli->style.form != OUT_TABLE) {
        status = measure_show(cli, &table, currency);
    } else if (status == EX_OK) {
        if (several) {
            cli_print(cli, "%s\n", view_name(id));
        }
        status = view_print(cli, &table, currency);
        correction_tell(cli, id, measure_table_rows(&table));
    }
    measure_table_fini(&table);
    return status;
}

static int reply_show(const struct cli *cli, const struct views *views,
                      const struct icp_reply *reply)
{
    struct icp_value list = {.count = 0};
    struct icp_value view;
    char currency[MEASURE_CURRENCY_BYTES] = "";
    struct icp_text told = icp_reply_text(reply, "currency");
    size_t at = 0;
    int status = EX_OK;
    ground_tell(cli, reply);
    if (told.bytes < sizeof currency) {
        memcpy(currency, told.data, told.bytes);
    }
    (void)icp_reply_get(reply, "views", &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (status == EX_OK && at < views->count && icp_next(&walk, NULL, &view)) {
        status = view_show(cli, views->ids[at++], &view, currency, views->count > 1);
    }
    if (status == EX_OK && at < views->count) {
        return cli_fail(cli, EX_PROTOCOL, "the server was asked for %zu views and told of %zu",
                        views->count, at);
    }
    return status;
}

int cmd_view(struct cli *cli)
{
    struct views views;
    struct cli_request request;
    if (!cli_arguments(cli, 1, VIEWS_MAX)) {
        return EX_USAGE;
    }
    int status = views_read(cli, &views);
    if (status == EX_OK && cli->style.form == OUT_CSV && views.count > 1) {
        status = cli_fail(cli, EX_USAGE, "--csv is of one view; --json takes several");
    }
    if (status == EX_OK) {
        status = cli_request_open(cli, &request);
    }
    if (status != EX_OK) {
        return status;
    }
    status = request_put(cli, &views, request.payload);
    if (status == EX_OK) {
        status = cli_request_send(cli, &request, ICP_OP_VIEW);
    }
    if (status == EX_OK) {
        status = cli->style.form == OUT_JSON ? cli_json_reply(cli, &request.reply)
                                             : reply_show(cli, &views, &request.reply);
    }
    cli_request_close(&request);
    return status;
}
