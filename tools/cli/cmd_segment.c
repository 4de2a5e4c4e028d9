/* SPDX-License-Identifier: Apache-2.0 */
/* icp segments: looks for segments and tells those that are confirmed, with the frontier that they
 * make one after another; or that there is no evidence of any, and what to try. */
#include <string.h>

#include "tools/cli/cmd.h"
#include "tools/cli/member.h"
#include "tools/cli/out/out_number.h"
#include "tools/cli/segment_print.h"

static void head_print(const struct cli *cli, const struct icp_reply *reply)
{
    double accounts = (double)icp_reply_int(reply, "accounts", 0);
    double outcomes = (double)icp_reply_int(reply, "outcomes", 0);
    long long confirmed = (long long)icp_reply_int(reply, "confirmed", 0);
    char numbers[3][OUT_NUMBER_BYTES];
    struct icp_value list = {0};
    (void)icp_reply_get(reply, "segments", &list);
    if (confirmed == 0) {
        cli_print(cli, "No evidence of any segment");
    } else {
        cli_print(cli, "%lld segment%s", confirmed, confirmed == 1 ? "" : "s");
    }
    cli_print(cli,
              ": %s accounts with an outcome (%.1f %% had it), %s of them held back to confirm; "
              "%s conjunctions of %lld conditions tried\n",
              out_count((uint64_t)accounts, numbers[0]),
              accounts > 0 ? 100 * outcomes / accounts : 0,
              out_count((uint64_t)icp_reply_int(reply, "held", 0), numbers[1]),
              out_count((uint64_t)icp_reply_int(reply, "tried", 0), numbers[2]),
              (long long)icp_reply_int(reply, "conditions", 0));
    if ((long long)list.count > confirmed) {
        cli_print(cli, "%lld more looked like segments and were not confirmed (see --all)\n",
                  (long long)list.count - confirmed);
    }
    if (confirmed == 0) {
        cli_print(cli, "try more outcomes, or smaller segments (--least)\n");
    }
}

static int table_print(const struct cli *cli, const struct icp_value *list, double all, bool every)
{
    static const char *const headers[] = {"segment", "accounts",  "%",          "held %",
                                          "from",    "to",        "chance",     "confirmed",
                                          "covered", "covered %", "of all it %"};
    static const char *const counts[] = {"accounts", "outcomes", "held", "held_outcomes"};
    struct out_table table;
    struct icp_value segment;
    struct icp_value filter = {0};
    out_table_init(&table, headers, sizeof headers / sizeof *headers);
    struct icp_walk walk = icp_walk_over(list);
    while (icp_next(&walk, NULL, &segment)) {
        double had[4];
        if (!every && !member_flag(&segment, "confirmed")) {
            continue;
        }
        for (int i = 0; i < 4; i++) {
            had[i] = member_number(&segment, counts[i]);
        }
        double covered = member_number(&segment, "covered");
        double found = member_number(&segment, "covered_outcomes");
        (void)icp_value_get(&segment, "filter", &filter);
        out_cell_text_n(&table, filter.text);
        out_cell_number(&table, "%.0f", had[0]);
        out_cell_number(&table, "%.1f", had[0] > 0 ? 100 * had[1] / had[0] : 0);
        out_cell_number(&table, "%.1f", had[2] > 0 ? 100 * had[3] / had[2] : 0);
        out_cell_number(&table, "%.1f", 100 * member_number(&segment, "rate_low"));
        out_cell_number(&table, "%.1f", 100 * member_number(&segment, "rate_high"));
        out_cell_number(&table, "%.2g", member_number(&segment, "chance"));
        out_cell_text(&table, "%s", member_flag(&segment, "confirmed") ? "yes" : "no");
        out_cell_number(&table, "%.0f", covered);
        out_cell_number(&table, "%.1f", covered > 0 ? 100 * found / covered : 0);
        out_cell_number(&table, "%.1f", all > 0 ? 100 * found / all : 0);
    }
    return cli_table(cli, &table);
}

static int segments_print(struct cli *cli, struct icp_reply *reply)
{
    struct icp_value list;
    bool every = cli_has(cli, CLI_SEGMENTS_ALL);
    if (cli->style.form == OUT_JSON) {
        return cli_json_reply(cli, reply);
    }
    if (!icp_reply_get(reply, "segments", &list)) {
        return EX_SOFTWARE;
    }
    if (cli->style.form == OUT_TABLE) {
        head_print(cli, reply);
        if (!every && icp_reply_int(reply, "confirmed", 0) == 0) {
            return EX_OK;
        }
        cli_print(cli, "\n");
    }
    return table_print(cli, &list, (double)icp_reply_int(reply, "outcomes", 0), every);
}

static int search_put(const struct cli *cli, struct icp_payload *payload)
{
    uint64_t version;
    uint64_t depth;
    uint64_t least;
    uint64_t limit;
    if (!cli_number(cli, CLI_SEGMENTS_ICP, 1, UINT32_MAX, 0, &version) ||
        !cli_number(cli, CLI_SEGMENTS_DEPTH, 1, 3, 2, &depth) ||
        !cli_number(cli, CLI_SEGMENTS_LEAST, 1, UINT32_MAX, 0, &least) ||
        !cli_number(cli, CLI_SEGMENTS_LIMIT, 1, 32, 8, &limit)) {
        return EX_USAGE;
    }
    icp_payload_uint(payload, "icp", version);
    icp_payload_uint(payload, "depth", depth);
    icp_payload_uint(payload, "least", least);
    icp_payload_uint(payload, "limit", limit);
    icp_payload_flag(payload, "pure", cli_has(cli, CLI_SEGMENTS_PURE));
    if (cli_has(cli, CLI_SEGMENTS_FILTER)) {
        icp_payload_text(payload, "filter", cli_text(cli, CLI_SEGMENTS_FILTER));
    }
    if (cli_has(cli, CLI_SEGMENTS_OUTCOME)) {
        icp_payload_text(payload, "outcome", cli_text(cli, CLI_SEGMENTS_OUTCOME));
    }
    return EX_OK;
}

/* The filter of the confirmed segment in that place, from 1; empty if there is none. */
static struct icp_text confirmed_filter(const struct icp_reply *reply, uint64_t place)
{
    struct icp_value list = {.count = 0};
    struct icp_value segment;
    struct icp_value filter;
    uint64_t at = 0;
    (void)icp_reply_get(reply, "segments", &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &segment)) {
        if (member_flag(&segment, "confirmed") && ++at == place &&
            icp_value_get(&segment, "filter", &filter)) {
            return filter.text;
        }
    }
    return (struct icp_text){"", 0};
}

/* Keeps one that was found. The evidence is worked out by the server, as for any other. */
static int segment_keep(struct cli *cli, struct cli_request *request)
{
    uint64_t place = 1;
    uint64_t version = 0;
    char filter[PROTO_FILTER_BYTES_MAX + 1];
    if (!cli_number(cli, CLI_SEGMENTS_PLACE, 1, 32, 1, &place) ||
        !cli_number(cli, CLI_SEGMENTS_ICP, 1, UINT32_MAX, 0, &version)) {
        return EX_USAGE;
    }
    struct icp_text found = confirmed_filter(&request->reply, place);
    if (found.bytes == 0 || found.bytes >= sizeof filter) {
        return cli_fail(cli, EX_DATAERR,
                        "there is no confirmed segment in place %llu: nothing was kept",
                        (unsigned long long)place);
    }
    memcpy(filter, found.data, found.bytes);
    filter[found.bytes] = '\0';
    icp_payload_reset(request->payload);
    icp_payload_text(request->payload, "name", cli_text(cli, CLI_SEGMENTS_KEEP));
    icp_payload_text(request->payload, "filter", filter);
    icp_payload_uint(request->payload, "icp", version);
    if (cli_has(cli, CLI_SEGMENTS_OUTCOME)) {
        icp_payload_text(request->payload, "outcome", cli_text(cli, CLI_SEGMENTS_OUTCOME));
    }
    if (cli_has(cli, CLI_SEGMENTS_NOTE)) {
        icp_payload_text(request->payload, "note", cli_text(cli, CLI_SEGMENTS_NOTE));
    }
    int status = cli_request_send(cli, request, ICP_OP_SEGMENT_PUT);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        return cli_json_reply(cli, &request->reply);
    }
    if (status == EX_OK) {
        cli_print(cli, "\n");
        segment_put_print(cli, &request->reply, false);
    }
    return status;
}

int cmd_segments(struct cli *cli)
{
    struct cli_request request;
    bool keep = cli_has(cli, CLI_SEGMENTS_KEEP);
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    if (!keep && (cli_has(cli, CLI_SEGMENTS_PLACE) || cli_has(cli, CLI_SEGMENTS_NOTE))) {
        return cli_fail(cli, EX_USAGE, "--place and --note go with --keep NAME");
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    status = search_put(cli, request.payload);
    if (status == EX_OK) {
        status = cli_request_send(cli, &request, ICP_OP_SEGMENT_FIND);
    }
    if (status == EX_OK && !(keep && cli->style.form != OUT_TABLE)) {
        status = segments_print(cli, &request.reply);
    }
    if (status == EX_OK && keep) {
        status = segment_keep(cli, &request);
    }
    cli_request_close(&request);
    return status;
}
