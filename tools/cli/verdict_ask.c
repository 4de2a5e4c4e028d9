/* SPDX-License-Identifier: Apache-2.0 */
/* Files are read and checked before anything is asked; then the plan, if one is named, says which
 * list it is about; then the verdict comes with its four tables, each in its place by name. */
#include "tools/cli/verdict_ask.h"

#include <jansson.h>
#include <stdlib.h>

#include "server/feature/date_text.h"
#include "server/feature/span_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/measure_ask.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/policy_file.h"
#include "tools/cli/profile_file.h"

#define NO_TIME INT64_MIN

static bool flag_told(const struct cli *cli, const char *option)
{
    return cli_text_named(cli, option) != NULL;
}

static int day_put(const struct cli *cli, const char *option, const char *member,
                   struct icp_payload *payload)
{
    int64_t ms = NO_TIME;
    if (!measure_option_day(cli, option, false, &ms)) {
        return EX_USAGE;
    }
    if (ms != NO_TIME) {
        icp_payload_int(payload, member, ms);
    }
    return EX_OK;
}

int verdict_times_put(const struct cli *cli, struct icp_payload *payload)
{
    uint64_t seq = 0;
    int64_t known_ms = 0;
    bool whole_day = false;
    const char *known = cli_text_named(cli, "known");
    int status = day_put(cli, "as-of", "at", payload);
    status = status == EX_OK ? day_put(cli, "since", "since", payload) : status;
    if (status != EX_OK || !cli_number(cli, cli_option_named(cli, "seq"), 1, INT64_MAX, 0, &seq)) {
        return EX_USAGE;
    }
    if (seq > 0) {
        icp_payload_uint(payload, "seq", seq);
    }
    if (known == NULL) {
        return EX_OK;
    }
    if (!feature_date_read(proto_span_text(known), &known_ms, &whole_day)) {
        return cli_fail(cli, EX_USAGE, "--known: '%s' is no time such as 2027-01-01T12:00:00Z",
                        known);
    }
    icp_payload_int(payload, "known", known_ms);
    return EX_OK;
}

static int policies_put(const struct cli *cli, struct icp_payload *payload)
{
    static const char *const options[] = {"policy", "retained", "expanded"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const char *path = cli_text_named(cli, options[i]);
        char *text = NULL;
        if (path == NULL && i > 0) {
            continue;
        }
        if (path == NULL) {
            return cli_fail(cli, EX_USAGE,
                            "--policy FILE.json is needed: what counts as closed, and when a case "
                            "is matured (docs/policy.md)");
        }
        int status = policy_file_read(cli, path, &text);
        if (status != EX_OK) {
            return status;
        }
        icp_payload_text(payload, options[i], text);
        free(text);
    }
    return EX_OK;
}

static int profile_put(const struct cli *cli, struct icp_payload *payload)
{
    const char *path = cli_text_named(cli, "profile");
    int status = EX_OK;
    if (path == NULL) {
        return EX_OK;
    }
    json_t *profile = profile_file_read(cli, path, &status);
    if (profile == NULL) {
        return status;
    }
    char *text = json_dumps(profile, JSON_COMPACT);
    json_decref(profile);
    if (text == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory for the profile");
    }
    icp_payload_text(payload, "profile", text);
    free(text);
    return EX_OK;
}

static int alpha_put(const struct cli *cli, struct icp_payload *payload)
{
    double alpha = 0;
    const char *text = cli_text_named(cli, "alpha");
    if (text == NULL) {
        return EX_OK;
    }
    if (!feature_number_read(proto_span_text(text), &alpha) || !(alpha >= 1e-6 && alpha <= 0.5)) {
        return cli_fail(cli, EX_USAGE, "--alpha: a share from 0.000001 to 0.5, not '%s'", text);
    }
    icp_payload_number(payload, "alpha", alpha);
    return EX_OK;
}

/* A name is taken whole or not at all: cut, it may be that of another list. */
static int list_take(const struct cli *cli, const char *name,
                     char list[PROTO_TAL_NAME_BYTES_MAX + 1])
{
    if (strlen(name) > PROTO_TAL_NAME_BYTES_MAX) {
        return cli_fail(cli, EX_USAGE, "the name of a list has %d bytes at most, not %zu",
                        PROTO_TAL_NAME_BYTES_MAX, strlen(name));
    }
    memcpy(list, name, strlen(name) + 1);
    return EX_OK;
}

/* The list that a plan is about, by its terms. */
static int list_of_plan(const struct cli *cli, struct icp_client *client, const char *plan,
                        char list[PROTO_TAL_NAME_BYTES_MAX + 1], double *committed)
{
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    if (payload == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory for the request");
    }
    icp_payload_text(payload, "name", plan);
    icp_payload_uint(payload, "limit", 0);
    int status = cli_call(cli, client, ICP_OP_PLAN_GET, payload, &reply);
    if (status == EX_OK) {
        struct icp_text text = icp_reply_text(&reply, "terms");
        json_t *terms = json_loadb(text.data, text.bytes, 0, NULL);
        const char *tal = json_string_value(json_object_get(json_object_get(terms, "list"), "tal"));
        if (tal == NULL) {
            status =
                cli_fail(cli, EX_DATAERR, "the plan '%s' names no list yet (icp plan tal)", plan);
        } else {
            status = list_take(cli, tal, list);
            *committed = json_number_value(json_object_get(terms, "share"));
        }
        json_decref(terms);
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

int verdict_list_find(const struct cli *cli, struct icp_client *client,
                      char list[PROTO_TAL_NAME_BYTES_MAX + 1], double *committed)
{
    const char *plan = cli_text_named(cli, "plan");
    if (cli->argument_count == 1 && plan != NULL) {
        return cli_fail(cli, EX_USAGE,
                        "a list or --plan, not both: the plan says which list it is");
    }
    if (plan != NULL) {
        return list_of_plan(cli, client, plan, list, committed);
    }
    if (cli->argument_count == 0) {
        return cli_fail(cli, EX_USAGE, "which list? Name one (icp tal list), or --plan NAME");
    }
    return list_take(cli, cli->arguments[0], list);
}

static int request_fill(const struct cli *cli, bool weekly, struct icp_payload *payload)
{
    const char *by = cli_text_named(cli, "by");
    if (by != NULL) {
        icp_payload_text(payload, "by", by);
    }
    icp_payload_flag(payload, "owners", flag_told(cli, "owners"));
    icp_payload_flag(payload, "effort", !flag_told(cli, "equal-effort"));
    icp_payload_flag(payload, "weekly", weekly);
    int status = policies_put(cli, payload);
    status = status == EX_OK ? profile_put(cli, payload) : status;
    status = status == EX_OK ? alpha_put(cli, payload) : status;
    return status == EX_OK ? verdict_times_put(cli, payload) : status;
}

static int tables_take(const struct cli *cli, struct verdict_answer *answer)
{
    static const enum measure_id ids[VERDICT_TABLES] = {MEASURE_ID_LIFT, MEASURE_ID_RATE,
                                                        MEASURE_ID_FORECAST, MEASURE_ID_PROMISE};
    struct icp_value list = {.count = 0};
    struct icp_value table;
    struct icp_value name;
    struct icp_value rows;
    unsigned found = 0;
    (void)icp_reply_get(&answer->reply, "tables", &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &table)) {
        for (int t = 0; t < VERDICT_TABLES; t++) {
            const char *known = measure_info(ids[t])->name;
            if (icp_value_get(&table, "measure", &name) && icp_value_get(&table, "rows", &rows) &&
                (found >> t & 1) == 0 && name.text.bytes == strlen(known) &&
                memcmp(name.text.data, known, name.text.bytes) == 0) {
                int status = measure_rows_take(cli, ids[t], &rows, &answer->tables[t]);
                found |= 1U << t;
                if (status != EX_OK) {
                    return status;
                }
            }
        }
    }
    return found == (1U << VERDICT_TABLES) - 1
               ? EX_OK
               : cli_fail(cli, EX_PROTOCOL,
                          "the server's verdict has other tables: icp and icpd "
                          "are of versions that differ");
}

int verdict_ask(const struct cli *cli, bool weekly, struct verdict_answer *answer)
{
    struct cli_request request;
    *answer = (struct verdict_answer){.list = ""};
    for (int t = 0; t < VERDICT_TABLES; t++) {
        measure_table_init(&answer->tables[t], MEASURE_ID_LIFT);
    }
    struct icp_payload *payload = icp_payload_create();
    int status = payload != NULL ? request_fill(cli, weekly, payload)
                                 : cli_fail(cli, EX_OSERR, "no memory for the request");
    status = status == EX_OK ? cli_request_open(cli, &request) : status;
    if (status == EX_OK) {
        status = verdict_list_find(cli, request.client, answer->list, &answer->committed);
        if (status == EX_OK) {
            icp_payload_text(payload, "name", answer->list);
            status = cli_call(cli, request.client, ICP_OP_VERDICT, payload, &answer->reply);
        }
        cli_request_close(&request);
    }
    icp_payload_destroy(payload);
    return status == EX_OK ? tables_take(cli, answer) : status;
}

void verdict_answer_fini(struct verdict_answer *answer)
{
    for (int t = 0; t < VERDICT_TABLES; t++) {
        measure_table_fini(&answer->tables[t]);
    }
    icp_reply_fini(&answer->reply);
}
