/* SPDX-License-Identifier: Apache-2.0 */
/* icp drift: asks whether a profile still holds. The answer in sentences first, then the figures
 * beside those of when it was learned, grades, and fields. As CSV the fields alone. */
#include <stdlib.h>

#include "server/feature/date_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/member.h"
#include "tools/cli/policy_file.h"

#define NO_TIME INT64_MIN

enum { FIELDS_SHOWN = 10 }; /* in a table for people */

static void number_cell(struct out_table *table, const struct icp_value *map, const char *name)
{
    struct icp_value value;
    if (icp_value_get(map, name, &value)) {
        out_cell_number(table, "%.4f", value.number);
    } else {
        out_cell_text(table, "%s", "");
    }
}

static void words_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value words = {.count = 0};
    struct icp_value word;
    bool first = true;
    (void)icp_reply_get(reply, "words", &words);
    struct icp_walk walk = icp_walk_over(&words);
    while (icp_next(&walk, NULL, &word)) {
        cli_print(cli, "%s%.*s\n", first ? "" : "  ", (int)word.text.bytes, word.text.data);
        first = false;
    }
}

static void ground_print(const struct cli *cli, const struct icp_reply *reply)
{
    char since[FEATURE_DATE_TEXT_BYTES] = "";
    char at[FEATURE_DATE_TEXT_BYTES] = "";
    struct icp_text label = {"", 0};
    struct icp_value value;
    (void)feature_date_print(icp_reply_int(reply, "since", 0), since);
    (void)feature_date_print(icp_reply_int(reply, "at", 0), at);
    if (icp_reply_get(reply, "label", &value)) {
        label = value.text;
    }
    cli_print(cli,
              "  %.*s: outcomes after %s, looked at on %s: %lld cases, %lld of them positive; %lld "
              "without an outcome yet\n",
              (int)label.bytes, label.data, since, at, (long long)icp_reply_int(reply, "cases", 0),
              (long long)icp_reply_int(reply, "positives", 0),
              (long long)icp_reply_int(reply, "open", 0));
}

static int figures_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"figure", "since", "low", "high", "when learned"};
    struct icp_value list = {.count = 0};
    struct icp_value map;
    struct out_table table;
    (void)icp_reply_get(reply, "figures", &list);
    if (list.count == 0) {
        return EX_OK;
    }
    out_table_init(&table, headers, 5);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &map)) {
        out_cell_text_n(&table, member_text(&map, "name"));
        number_cell(&table, &map, "value");
        number_cell(&table, &map, "low");
        number_cell(&table, &map, "high");
        number_cell(&table, &map, "then");
    }
    cli_print(cli, "\n");
    return cli_table(cli, &table);
}

static int grades_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"grade", "cases", "positive", "rate", "low", "high"};
    struct icp_value list = {.count = 0};
    struct icp_value map;
    struct out_table table;
    (void)icp_reply_get(reply, "grades", &list);
    if (list.count == 0) {
        return EX_OK;
    }
    out_table_init(&table, headers, 6);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &map)) {
        double cases = member_number(&map, "cases");
        out_cell_text_n(&table, member_text(&map, "grade"));
        out_cell_number(&table, "%.0f", cases);
        out_cell_number(&table, "%.0f", member_number(&map, "positives"));
        if (cases > 0) {
            out_cell_number(&table, "%.4f", member_number(&map, "positives") / cases);
        } else {
            out_cell_text(&table, "%s", "");
        }
        number_cell(&table, &map, "low");
        number_cell(&table, &map, "high");
    }
    cli_print(cli, "\n");
    return cli_table(cli, &table);
}

static const char *word_of(const struct icp_value *map)
{
    struct icp_value shifted = {.flag = false};
    struct icp_value lost = {.flag = false};
    (void)icp_value_get(map, "shifted", &shifted);
    (void)icp_value_get(map, "lost", &lost);
    return shifted.flag && lost.flag ? "shifted, lost"
           : shifted.flag            ? "shifted"
           : lost.flag               ? "lost"
                                     : "";
}

static int fields_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"field", "tag", "psi",      "limit",   "bin",
                                          "then",  "now", "AUC then", "AUC now", "is"};
    static const char *const before[] = {"psi", "limit"};
    static const char *const after[] = {"share_then", "share_now", "auc_then", "auc_now"};
    struct icp_value list = {.count = 0};
    struct icp_value map;
    struct out_table table;
    size_t shown = 0;
    (void)icp_reply_get(reply, "fields", &list);
    out_table_init(&table, headers, 10);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &map) && (cli->style.form == OUT_CSV || shown++ < FIELDS_SHOWN)) {
        out_cell_text_n(&table, member_text(&map, "field"));
        out_cell_text_n(&table, member_text(&map, "tag"));
        for (size_t i = 0; i < 2; i++) {
            number_cell(&table, &map, before[i]);
        }
        out_cell_text_n(&table, member_text(&map, "bin"));
        for (size_t i = 0; i < 4; i++) {
            number_cell(&table, &map, after[i]);
        }
        out_cell_text(&table, "%s", word_of(&map));
    }
    if (cli->style.form == OUT_TABLE) {
        cli_print(cli, "\n");
    }
    return cli_table(cli, &table);
}

static int reply_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value fields = {.count = 0};
    if (cli->style.form == OUT_JSON) {
        return cli_json_reply(cli, reply);
    }
    if (cli->style.form == OUT_CSV) {
        return fields_print(cli, reply);
    }
    words_print(cli, reply);
    ground_print(cli, reply);
    int status = figures_print(cli, reply);
    status = status == EX_OK ? grades_print(cli, reply) : status;
    (void)icp_reply_get(reply, "fields", &fields);
    return status == EX_OK && fields.count > 0 ? fields_print(cli, reply) : status;
}

static void request_fill(const struct cli *cli, uint64_t version, int64_t since_ms, int64_t at_ms,
                         const char *policy, struct icp_payload *payload)
{
    icp_payload_uint(payload, "icp", version);
    if (since_ms != NO_TIME) {
        icp_payload_int(payload, "since", since_ms);
    }
    if (at_ms != NO_TIME) {
        icp_payload_int(payload, "at", at_ms);
    }
    if (policy != NULL) {
        icp_payload_text(payload, "policy", policy);
    }
    if (cli_has(cli, CLI_DRIFT_LABEL)) {
        icp_payload_text(payload, "label", cli_text(cli, CLI_DRIFT_LABEL));
    }
}

int cmd_drift(struct cli *cli)
{
    uint64_t version = 0;
    int64_t since_ms = NO_TIME;
    int64_t at_ms = NO_TIME;
    char *policy = NULL;
    struct cli_request request;
    if (!cli_arguments(cli, 0, 1) ||
        (cli->argument_count > 0 && !cli_version_argument(cli, cli->arguments[0], &version)) ||
        !measure_option_day(cli, "since", false, &since_ms) ||
        !measure_option_day(cli, "at", false, &at_ms)) {
        return EX_USAGE;
    }
    int status = EX_OK;
    if (cli_has(cli, CLI_DRIFT_POLICY)) {
        status = policy_file_read(cli, cli_text(cli, CLI_DRIFT_POLICY), &policy);
    }
    if (status == EX_OK) {
        status = cli_request_open(cli, &request);
    }
    if (status == EX_OK) {
        request_fill(cli, version, since_ms, at_ms, policy, request.payload);
        status = cli_request_send(cli, &request, ICP_OP_ICP_DRIFT);
        status = status == EX_OK ? reply_print(cli, &request.reply) : status;
        cli_request_close(&request);
    }
    free(policy);
    return status;
}
