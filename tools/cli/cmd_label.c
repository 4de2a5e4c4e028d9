/* SPDX-License-Identifier: Apache-2.0 */
/* icp label: what a policy says of the accounts that the server holds. First how many cases there
 * are of each archetype and on what that rests; with --list, or as CSV, the cases too, page after
 * page as of the first. */
#include <stdlib.h>

#include "proto/table.h"
#include "server/feature/date_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/policy_file.h"

#define NO_TIME INT64_MIN

struct labelling {
    const struct cli *cli;
    char *policy;
    int64_t at_ms, known_ms;
    uint64_t seq; /* 0: now; after the first page that of its answer */
    uint64_t limit;
    uint64_t taken;
    bool lists, names, stages;
    const char *headers[7];
    struct out_table cases;
};

static int options_read(struct labelling *labelling)
{
    const struct cli *cli = labelling->cli;
    bool whole_day = false;
    const char *known = cli_text(cli, CLI_LABEL_KNOWN);
    labelling->at_ms = labelling->known_ms = NO_TIME;
    if (cli_text(cli, CLI_LABEL_POLICY) == NULL) {
        return cli_fail(cli, EX_USAGE, "--policy FILE.json is needed");
    }
    if (!measure_option_day(cli, "at", false, &labelling->at_ms) ||
        !cli_number(cli, CLI_LABEL_SEQ, 1, INT64_MAX, 0, &labelling->seq) ||
        !cli_number(cli, CLI_LABEL_LIMIT, 1, INT64_MAX, 0, &labelling->limit)) {
        return EX_USAGE;
    }
    if (known != NULL &&
        !feature_date_read(proto_span_text(known), &labelling->known_ms, &whole_day)) {
        return cli_fail(cli, EX_USAGE, "--known: '%s' is no time such as 2024-01-01T12:00:00Z",
                        known);
    }
    labelling->lists = cli_has(cli, CLI_LABEL_LIST) || cli->style.form == OUT_CSV ||
                       cli_has(cli, CLI_LABEL_ARCHETYPE);
    return policy_file_read(cli, cli_text(cli, CLI_LABEL_POLICY), &labelling->policy);
}

static void page_ask(const struct labelling *labelling, struct icp_payload *payload)
{
    const struct cli *cli = labelling->cli;
    uint64_t left =
        labelling->limit > 0 ? labelling->limit - labelling->taken : PROTO_LABEL_CASES_MAX;
    icp_payload_reset(payload);
    icp_payload_text(payload, "policy", labelling->policy);
    if (cli_has(cli, CLI_LABEL_FILTER)) {
        icp_payload_text(payload, "filter", cli_text(cli, CLI_LABEL_FILTER));
    }
    if (cli_has(cli, CLI_LABEL_ARCHETYPE)) {
        icp_payload_text(payload, "archetype", cli_text(cli, CLI_LABEL_ARCHETYPE));
    }
    if (labelling->at_ms != NO_TIME) {
        icp_payload_int(payload, "at", labelling->at_ms);
    }
    if (labelling->known_ms != NO_TIME) {
        icp_payload_int(payload, "known", labelling->known_ms);
    }
    if (labelling->seq > 0) {
        icp_payload_uint(payload, "seq", labelling->seq);
    }
    icp_payload_flag(payload, "names", true);
    icp_payload_uint(payload, "skip", labelling->taken);
    icp_payload_uint(payload, "limit",
                     !labelling->lists              ? 0
                     : left < PROTO_LABEL_CASES_MAX ? left
                                                    : PROTO_LABEL_CASES_MAX);
}

static void time_cell(struct out_table *table, const struct icp_value *map, const char *name)
{
    char text[FEATURE_DATE_TEXT_BYTES] = "";
    struct icp_value value;
    if (icp_value_get(map, name, &value)) {
        (void)feature_date_print(value.integer, text);
    }
    out_cell_text(table, "%s", text);
}

static void text_cell(struct out_table *table, const struct icp_value *map, const char *name)
{
    struct icp_value value = {.kind = ICP_KIND_NIL};
    if (icp_value_get(map, name, &value)) {
        out_cell_text_n(table, value.text);
    } else {
        out_cell_text(table, "%s", "");
    }
}

/* Columns by what the first case has: all have the same. */
static void cases_begin(struct labelling *labelling, const struct icp_value *first)
{
    struct icp_value value;
    size_t count = 0;
    labelling->names = first != NULL && icp_value_get(first, "name", &value);
    labelling->stages = first != NULL && icp_value_get(first, "stage", &value);
    labelling->headers[count++] = "id";
    if (labelling->names) {
        labelling->headers[count++] = "name";
    }
    labelling->headers[count++] = "subject";
    if (labelling->stages) {
        labelling->headers[count++] = "stage";
    }
    labelling->headers[count++] = "moment";
    labelling->headers[count++] = "archetype";
    labelling->headers[count++] = "settled";
    out_table_init(&labelling->cases, labelling->headers, count);
}

/* *more: another page is there and wanted. */
static void page_take(struct labelling *labelling, const struct icp_reply *reply, bool *more)
{
    struct icp_value list = {.count = 0};
    struct icp_value map;
    (void)icp_reply_get(reply, "list", &list);
    struct icp_walk walk = icp_walk_over(&list);
    labelling->seq = (uint64_t)icp_reply_int(reply, "seq", 0);
    labelling->at_ms = icp_reply_int(reply, "at", 0);
    while (icp_next(&walk, NULL, &map)) {
        if (labelling->taken++ == 0) {
            cases_begin(labelling, &map);
        }
        text_cell(&labelling->cases, &map, "id");
        if (labelling->names) {
            text_cell(&labelling->cases, &map, "name");
        }
        text_cell(&labelling->cases, &map, "subject");
        if (labelling->stages) {
            text_cell(&labelling->cases, &map, "stage");
        }
        time_cell(&labelling->cases, &map, "moment");
        text_cell(&labelling->cases, &map, "archetype");
        time_cell(&labelling->cases, &map, "settled");
    }
    *more = icp_reply_int(reply, "next", 0) > 0 && list.count > 0 &&
            (labelling->limit == 0 || labelling->taken < labelling->limit);
}

static void share_cell(struct out_table *table, const struct icp_value *map, const char *name)
{
    struct icp_value value = {.number = 0};
    (void)icp_value_get(map, name, &value);
    out_cell_number(table, "%.4f", value.number);
}

static int archetypes_print(const struct labelling *labelling, const struct icp_reply *reply)
{
    static const char *const headers[] = {"archetype", "learned as", "cases",
                                          "share",     "low",        "high"};
    struct icp_value list = {.count = 0};
    struct icp_value map;
    struct icp_value value;
    struct out_table table;
    out_table_init(&table, headers, 6);
    (void)icp_reply_get(reply, "archetypes", &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &map)) {
        text_cell(&table, &map, "name");
        text_cell(&table, &map, "side");
        value = (struct icp_value){.integer = 0};
        (void)icp_value_get(&map, "cases", &value);
        out_cell_number(&table, "%lld", (long long)value.integer);
        share_cell(&table, &map, "share");
        share_cell(&table, &map, "low");
        share_cell(&table, &map, "high");
    }
    return cli_table(labelling->cli, &table);
}

static int pages_read(struct labelling *labelling, struct cli_request *request)
{
    const struct cli *cli = labelling->cli;
    bool more = true;
    int status = EX_OK;
    for (bool first = true; more && status == EX_OK; first = false) {
        page_ask(labelling, request->payload);
        status = cli_request_send(cli, request, ICP_OP_LABEL);
        if (status != EX_OK) {
            return status;
        }
        if (cli->style.form == OUT_JSON) {
            return cli_json_reply(cli, &request->reply);
        }
        if (first) {
            policy_reply_tell(labelling->cli, &request->reply);
            status =
                cli->style.form == OUT_TABLE ? archetypes_print(labelling, &request->reply) : EX_OK;
        }
        page_take(labelling, &request->reply, &more);
    }
    return status;
}

int cmd_label(struct cli *cli)
{
    struct labelling labelling = {.cli = cli};
    struct cli_request request;
    int status = cli_arguments(cli, 0, 0) ? options_read(&labelling) : EX_USAGE;
    if (status == EX_OK) {
        status = cli_request_open(cli, &request);
    }
    if (status == EX_OK) {
        cases_begin(&labelling, NULL);
        status = pages_read(&labelling, &request);
        cli_request_close(&request);
        bool shows = cli->style.form == OUT_CSV ||
                     (cli->style.form == OUT_TABLE && labelling.lists && labelling.taken > 0);
        if (status == EX_OK && shows) {
            if (cli->style.form == OUT_TABLE) {
                cli_print(cli, "\n");
            }
            status = cli_table(cli, &labelling.cases);
        } else {
            out_table_fini(&labelling.cases);
        }
    }
    free(labelling.policy);
    return status;
}
