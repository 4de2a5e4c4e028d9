/* SPDX-License-Identifier: Apache-2.0 */
/* icp verdict: the answer in a sentence, what it rests on, what cannot be said, the tables, and
 * what to do next. icp erosion: the weeks, and whether work leaves the list. */
#include <stdlib.h>

#include "server/feature/date_text.h"
#include "server/feature/span_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/measure_ask.h"
#include "tools/cli/measure_show.h"
#include "tools/cli/plan_text.h"
#include "tools/cli/verdict_ask.h"

static void words_print(const struct cli *cli, const struct icp_reply *reply, const char *member,
                        const char *heading)
{
    struct icp_value words = {.count = 0};
    struct icp_value word;
    bool first = true;
    (void)icp_reply_get(reply, member, &words);
    if (words.count == 0) {
        return;
    }
    if (heading != NULL) {
        cli_print(cli, "\n%s\n", heading);
    }
    struct icp_walk walk = icp_walk_over(&words);
    while (icp_next(&walk, NULL, &word)) {
        cli_print(cli, "%s%.*s\n", first && heading == NULL ? "" : "  ", (int)word.text.bytes,
                  word.text.data);
        first = false;
    }
}

static void ground_print(const struct cli *cli, const struct verdict_answer *answer)
{
    char since[FEATURE_DATE_TEXT_BYTES] = "";
    char at[FEATURE_DATE_TEXT_BYTES] = "";
    const struct icp_reply *reply = &answer->reply;
    (void)feature_date_print(icp_reply_int(reply, "since", 0), since);
    (void)feature_date_print(icp_reply_int(reply, "at", 0), at);
    cli_print(cli,
              "  %s by version %lld: %lld cases from %s on, looked at on %s; %lld not counted yet, "
              "%lld began before, %lld of accounts that it did not freeze\n",
              answer->list, (long long)icp_reply_int(reply, "icp", 0),
              (long long)icp_reply_int(reply, "cases", 0), since, at,
              (long long)icp_reply_int(reply, "open", 0),
              (long long)icp_reply_int(reply, "before", 0),
              (long long)icp_reply_int(reply, "elsewhere", 0));
}

/* Columns of a table for people, by their names, of at most so many rows; the rest stands in JSON.
 */
static int table_print(const struct cli *cli, const struct measure_table *table,
                       const char *const *names, size_t count, size_t most)
{
    struct out_table out;
    if (measure_table_rows(table) == 0) {
        return EX_OK;
    }
    cli_print(cli, "\n");
    out_table_init(&out, names, count);
    for (size_t row = 0; row < measure_table_rows(table) && row < most; row++) {
        for (size_t i = 0; i < count; i++) {
            measure_cell_show(&out, measure_cell_find(table, row, names[i]));
        }
    }
    return cli_table(cli, &out);
}

/* Those that were wrong, which stand first, and a few for comparison. */
static size_t promises_shown(const struct measure_table *promise)
{
    enum { SHOWN_LEAST = 8 };
    size_t wrong = 0;
    while (wrong < measure_table_rows(promise) &&
           measure_cell_find(promise, wrong, "verdict")->text[0] != '\0') {
        wrong++;
    }
    return wrong > SHOWN_LEAST ? wrong : SHOWN_LEAST;
}

static int tables_print(const struct cli *cli, const struct verdict_answer *answer)
{
    static const char *const lift[] = {"outcome",  "against",   "as_of",   "on",
                                       "won_on",   "off",       "won_off", "ratio",
                                       "rule_low", "rule_high", "verdict"};
    static const char *const rate[] = {"outcome", "group", "n", "won", "rate", "low", "high"};
    static const char *const forecast[] = {"rival",      "n",   "brier", "rival_brier",
                                           "difference", "low", "high",  "verdict"};
    static const char *const promise[] = {"of",       "value", "n",    "rate",
                                          "promised", "low",   "high", "verdict"};
    int status = table_print(cli, &answer->tables[VERDICT_LIFT], lift, 11, SIZE_MAX);
    status = status == EX_OK ? table_print(cli, &answer->tables[VERDICT_RATE], rate, 7, SIZE_MAX)
                             : status;
    status = status == EX_OK
                 ? table_print(cli, &answer->tables[VERDICT_FORECAST], forecast, 8, SIZE_MAX)
                 : status;
    return status == EX_OK ? table_print(cli, &answer->tables[VERDICT_PROMISE], promise, 8,
                                         promises_shown(&answer->tables[VERDICT_PROMISE]))
                           : status;
}

static json_t *text_json(struct icp_text text)
{
    return json_stringn(text.bytes > 0 ? text.data : "", text.bytes);
}

/* What to do next, in the words of the verdict: icp plan next --draft reads it. */
static json_t *draft_list(const struct verdict_answer *answer)
{
    struct icp_value words = {.count = 0};
    struct icp_value one;
    json_t *list = json_array();
    (void)icp_reply_get(&answer->reply, "next", &words);
    struct icp_walk walk = icp_walk_over(&words);
    while (icp_next(&walk, NULL, &one)) {
        (void)json_array_append_new(list, text_json(one.text));
    }
    return list;
}

/* The figures that a plan keeps: of each comparison its newest row. */
static json_t *figures_make(const struct verdict_answer *answer)
{
    static const char *const members[] = {"on",    "won_on",   "off",      "won_off",
                                          "ratio", "rule_low", "rule_high"};
    const struct measure_table *lift = &answer->tables[VERDICT_LIFT];
    json_t *figures = json_object();
    (void)json_object_set_new(figures, "draft", draft_list(answer));
    for (size_t row = 0; row < measure_table_rows(lift); row++) {
        char name[80];
        json_t *one = json_object();
        for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
            char text[40] = "";
            const struct measure_cell *cell = measure_cell_find(lift, row, members[i]);
            if (cell->kind == MEASURE_KIND_COUNT) {
                (void)json_object_set_new(one, members[i], json_integer(cell->whole));
            } else if (cell->kind == MEASURE_KIND_NUMBER) {
                (void)snprintf(text, sizeof text, "%.6g", cell->number);
                (void)json_object_set_new(one, members[i], json_string(text));
            }
        }
        (void)snprintf(name, sizeof name, "%s %s", measure_cell_find(lift, row, "outcome")->text,
                       measure_cell_find(lift, row, "against")->text);
        (void)json_object_set_new(figures, name, one);
    }
    return figures;
}

static int plan_write(const struct cli *cli, const struct verdict_answer *answer)
{
    struct icp_value words = {.count = 0};
    struct icp_value first = {.text = {"", 0}};
    const char *plan = cli_text(cli, CLI_VERDICT_PLAN);
    if (plan == NULL) {
        return cli_fail(cli, EX_USAGE, "--write wants --plan NAME: where it is written");
    }
    (void)icp_reply_get(&answer->reply, "words", &words);
    struct icp_walk walk = icp_walk_over(&words);
    (void)icp_next(&walk, NULL, &first);
    json_t *body = json_pack("{s:o, s:o, s:o}", "verdict",
                             text_json(icp_reply_text(&answer->reply, "verdict")), "because",
                             text_json(first.text), "figures", figures_make(answer));
    return body != NULL ? plan_send(cli, plan, "verdict", body)
                        : cli_fail(cli, EX_OSERR, "no memory for the entry");
}

static int answer_print(const struct cli *cli, const struct verdict_answer *answer)
{
    if (cli->style.form == OUT_JSON) {
        return cli_json_reply(cli, &answer->reply);
    }
    if (cli->style.form == OUT_CSV) {
        return measure_show(cli, &answer->tables[VERDICT_LIFT], "");
    }
    words_print(cli, &answer->reply, "words", NULL);
    ground_print(cli, answer);
    int status = tables_print(cli, answer);
    words_print(cli, &answer->reply, "cannot", "What cannot be said:");
    words_print(cli, &answer->reply, "next", "What to do next, as a draft:");
    return status;
}

int cmd_verdict(struct cli *cli)
{
    struct verdict_answer answer;
    bool writes = cli_has(cli, CLI_VERDICT_WRITE);
    if (!cli_arguments(cli, 0, 1)) {
        return EX_USAGE;
    }
    if (writes && cli_text(cli, CLI_VERDICT_PLAN) == NULL) {
        return cli_fail(cli, EX_USAGE, "--write wants --plan NAME: where it is written");
    }
    if (writes && cli_has(cli, CLI_VERDICT_WEEKLY)) {
        return cli_fail(cli, EX_USAGE, "--write writes the newest week alone: without --weekly");
    }
    int status = verdict_ask(cli, cli_has(cli, CLI_VERDICT_WEEKLY), &answer);
    if (status == EX_OK) {
        status = answer_print(cli, &answer);
    }
    if (status == EX_OK && writes) {
        status = plan_write(cli, &answer);
    }
    verdict_answer_fini(&answer);
    return status;
}

/* committed: by the plan; 0: none. */
static int erosion_put(const struct cli *cli, const char *list, double committed,
                       struct icp_payload *payload)
{
    const char *told = cli_text(cli, CLI_EROSION_COMMITTED);
    const char *weeks = cli_text(cli, CLI_EROSION_FALSE_ALARM);
    double number = 0;
    if (told != NULL) {
        int status = EX_OK;
        json_t *share = plan_share_read(cli, "committed", told, &status);
        if (share == NULL) {
            return status;
        }
        committed = json_number_value(share);
        json_decref(share);
    } else if (committed <= 0) {
        return cli_fail(cli, EX_USAGE,
                        "--committed is needed: the share of the work that was committed to the "
                        "list, such as 0.6; or --plan with a plan that has one");
    }
    icp_payload_number(payload, "committed", committed);
    if (weeks != NULL && !feature_number_read(proto_span_text(weeks), &number)) {
        return cli_fail(cli, EX_USAGE, "--false-alarm: '%s' is no number", weeks);
    }
    if (weeks != NULL) {
        icp_payload_number(payload, "false_alarm", number);
    }
    icp_payload_text(payload, "name", list);
    return verdict_times_put(cli, payload);
}

static void erosion_tell(const struct cli *cli, const struct icp_reply *reply)
{
    char day[FEATURE_DATE_TEXT_BYTES] = "";
    long long on = (long long)icp_reply_int(reply, "on", 0);
    long long all = (long long)icp_reply_int(reply, "all", 0);
    struct icp_value first;
    double share = all > 0 ? 100 * (double)on / (double)all : 0;
    if (icp_reply_get(reply, "first_alarm", &first)) {
        (void)feature_date_print(first.integer, day);
        cli_print(cli,
                  "Alarm: since the week of %s less of the work goes to the list than was "
                  "committed; %.1f %% of %lld touches in all\n",
                  day, share, all);
    } else {
        cli_print(cli, "No alarm in %lld weeks: %.1f %% of %lld touches went to the list\n",
                  (long long)icp_reply_int(reply, "weeks", 0), share, all);
    }
}

static int erosion_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const columns[] = {"week", "on",   "all",   "share", "so_far",
                                          "low",  "high", "log_r", "alarm"};
    struct icp_value rows = {.count = 0};
    struct measure_table table;
    if (cli->style.form == OUT_JSON) {
        return cli_json_reply(cli, reply);
    }
    (void)icp_reply_get(reply, "rows", &rows);
    int status = measure_rows_take(cli, MEASURE_ID_EROSION, &rows, &table);
    if (status == EX_OK && cli->style.form == OUT_CSV) {
        status = measure_show(cli, &table, "");
    } else if (status == EX_OK) {
        erosion_tell(cli, reply);
        status = table_print(cli, &table, columns, sizeof columns / sizeof *columns, SIZE_MAX);
    }
    measure_table_fini(&table);
    return status;
}

int cmd_erosion(struct cli *cli)
{
    struct cli_request request;
    char list[PROTO_TAL_NAME_BYTES_MAX + 1] = "";
    double committed = 0;
    int status = cli_arguments(cli, 0, 1) ? cli_request_open(cli, &request) : EX_USAGE;
    if (status != EX_OK) {
        return status;
    }
    status = verdict_list_find(cli, request.client, list, &committed);
    status = status == EX_OK ? erosion_put(cli, list, committed, request.payload) : status;
    status = status == EX_OK ? cli_request_send(cli, &request, ICP_OP_EROSION) : status;
    status = status == EX_OK ? erosion_print(cli, &request.reply) : status;
    cli_request_close(&request);
    return status;
}
