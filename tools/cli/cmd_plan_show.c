/* SPDX-License-Identifier: Apache-2.0 */
/* icp plan list, show, history, export: plans as the server has them. What is shown of one plan
 * comes from its entries, verified here. */
#include <stdlib.h>
#include <string.h>

#include "server/feature/json_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/plan_text.h"

static void listed_cells(const struct cli *cli, struct out_table *table,
                         const struct icp_value *plan)
{
    static const char *const members[] = {"name", "state", "begins", "ends", "entries", "updated"};
    char text[64];
    struct icp_value part;
    struct icp_value name;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        (void)icp_value_get(plan, members[i], &part);
        if (strcmp(members[i], "updated") == 0) {
            out_cell_text(table, "%s", out_time(part.integer, text));
        } else {
            out_cell_value(table, &part);
        }
    }
    if (icp_value_get(plan, "wrong", &part) && icp_value_get(plan, "name", &name)) {
        cli_say(cli, "the history of %.*s is wrong: %.*s", (int)name.text.bytes, name.text.data,
                (int)part.text.bytes, part.text.data);
    }
}

/* Entries that a damaged disk has lost may be of any plan, so they are told beside all. */
static void lost_say(const struct cli *cli, int64_t lost)
{
    if (lost > 0) {
        cli_say(cli,
                "%lld %s of plans cannot be read: 'icp plan verify NAME' says where one is missing",
                (long long)lost, lost == 1 ? "entry" : "entries");
    }
}

int cmd_plan_list(struct cli *cli)
{
    static const char *const headers[] = {"name", "state", "from", "to", "entries", "updated"};
    struct cli_request request;
    struct out_table table;
    struct icp_value list = {0};
    struct icp_value plan;
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    status = cli_request_send(cli, &request, ICP_OP_PLAN_LIST);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        out_table_init(&table, headers, sizeof headers / sizeof *headers);
        (void)icp_reply_get(&request.reply, "plans", &list);
        struct icp_walk walk = icp_walk_over(&list);
        while (icp_next(&walk, NULL, &plan)) {
            listed_cells(cli, &table, &plan);
        }
        status = cli_table(cli, &table);
        lost_say(cli, icp_reply_int(&request.reply, "lost", 0));
    }
    cli_request_close(&request);
    return status;
}

static void registry_print(const struct cli *cli, const struct term_plan *plan, const char *name,
                           const char *kind)
{
    const char *what;
    json_t *owner;
    json_object_foreach(json_object_get(plan->terms, name), what, owner)
    {
        if (json_is_null(owner)) {
            cli_print(cli, "  %s %s: no owner, which keeps the plan from being committed\n", kind,
                      what);
        } else {
            cli_print(cli, "  %s %s: %s, budget %s, metric %s\n", kind, what,
                      json_string_value(json_object_get(owner, "owner")),
                      json_string_value(json_object_get(owner, "budget")),
                      json_string_value(json_object_get(owner, "metric")));
        }
    }
}

static void signatories_print(const struct cli *cli, const struct term_plan *plan)
{
    const char *function;
    json_t *signatory;
    json_object_foreach(json_object_get(plan->terms, "signatories"), function, signatory)
    {
        const json_t *entry = json_object_get(plan->signed_by, function);
        cli_print(cli, "  %s: %s, key %s, ", function,
                  json_string_value(json_object_get(signatory, "person")),
                  json_string_value(json_object_get(signatory, "key")));
        if (entry != NULL) {
            cli_print(cli, "signed in entry %lld\n", (long long)json_integer_value(entry));
        } else {
            cli_print(cli, "has not signed\n");
        }
    }
}

static void plan_print(const struct cli *cli, const struct term_plan *plan)
{
    char head[TERM_HASH_HEX + 1];
    const json_t *list = json_object_get(plan->terms, "list");
    const json_t *icp = json_object_get(plan->terms, "icp");
    const json_t *share = json_object_get(plan->terms, "share");
    const char *evidence = json_string_value(json_object_get(plan->terms, "evidence"));
    const char *note = json_string_value(json_object_get(plan->terms, "note"));
    const char *verdict = json_string_value(json_object_get(plan->terms, "verdict"));
    const char *next = json_string_value(json_object_get(plan->terms, "next"));
    term_hex_print(plan->head.bytes, TERM_HASH_BYTES, head);
    cli_print(cli, "%s: %s, %s to %s, ICP version %lld\n", plan->name, term_state_word(plan->state),
              json_string_value(json_object_get(plan->terms, "from")),
              json_string_value(json_object_get(plan->terms, "to")),
              (long long)json_integer_value(json_object_get(icp, "version")));
    if (note != NULL) {
        cli_print(cli, "  note: %s\n", note);
    }
    if (evidence != NULL) {
        cli_print(cli, "  evidence: %s\n", evidence);
    }
    if (json_is_object(list)) {
        cli_print(cli, "  list %s: %lld accounts, root %s\n",
                  json_string_value(json_object_get(list, "tal")),
                  (long long)json_integer_value(json_object_get(list, "count")),
                  json_string_value(json_object_get(list, "root")));
    }
    if (share != NULL) {
        cli_print(cli, "  committed to the list: %g %% of the work\n",
                  100 * json_number_value(share));
    }
    registry_print(cli, plan, "layers", "layer");
    registry_print(cli, plan, "stages", "stage");
    signatories_print(cli, plan);
    if (verdict != NULL) {
        cli_print(cli, "  verdict: %s ('icp plan history' has the reason)\n", verdict);
    }
    if (next != NULL) {
        cli_print(cli, "  next: %s\n", next);
    }
    cli_print(cli, "  %u entries, head %s\n", plan->entries, head);
}

int cmd_plan_show(struct cli *cli)
{
    struct plan_text text;
    struct term_plan plan = {.state = TERM_STATE_FIT};
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    int status = plan_text_fetch(cli, cli->arguments[0], &text);
    if (status == EX_OK) {
        status = plan_text_verify(cli, &text, NULL, &plan);
    }
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        char head[TERM_HASH_HEX + 1];
        term_hex_print(plan.head.bytes, TERM_HASH_BYTES, head);
        status =
            cli_json(cli, json_pack("{s:s, s:s, s:i, s:s, s:O, s:O}", "name", plan.name, "state",
                                    term_state_word(plan.state), "entries", (int)plan.entries,
                                    "head", head, "terms", plan.terms, "signed", plan.signed_by));
    } else if (status == EX_OK) {
        plan_print(cli, &plan);
    }
    term_plan_fini(&plan);
    plan_text_fini(&text);
    return status;
}

static void history_row(struct out_table *table, const json_t *line)
{
    char when[64];
    const json_t *entry = json_object_get(line, "entry");
    char *body = json_dumps(json_object_get(entry, "body"), JSON_COMPACT);
    out_cell_text(table, "%lld", (long long)json_integer_value(json_object_get(entry, "number")));
    out_cell_text(table, "%s", json_string_value(json_object_get(entry, "act")));
    out_cell_text(table, "%s", out_time(json_integer_value(json_object_get(entry, "at_ms")), when));
    out_cell_text(table, "%s", json_string_value(json_object_get(entry, "by")));
    out_cell_text(table, "%s", body == NULL ? "" : body);
    out_cell_text(table, "%s", json_string_value(json_object_get(line, "hash")));
    free(body);
}

/* Lines of the text that are entries; a history is verified first. */
static int history_print(const struct cli *cli, const struct plan_text *text)
{
    static const char *const headers[] = {"entry", "act", "at", "by", "body", "hash"};
    struct out_table table;
    struct proto_fault ignored;
    out_table_init(&table, headers, sizeof headers / sizeof *headers);
    for (const char *at = text->text; at != NULL && *at != '\0';) {
        size_t bytes = strcspn(at, "\n");
        json_t *line = feature_json_load((struct proto_span){(const uint8_t *)at, bytes},
                                         PROTO_BAD_FIELD, &ignored);
        if (json_object_get(line, "entry") != NULL) {
            history_row(&table, line);
        }
        json_decref(line);
        at += bytes + (at[bytes] == '\n');
    }
    return cli_table(cli, &table);
}

int cmd_plan_history(struct cli *cli)
{
    struct plan_text text;
    struct term_plan plan;
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    int status = plan_text_fetch(cli, cli->arguments[0], &text);
    if (status == EX_OK) {
        int sound = plan_text_verify(cli, &text, NULL, &plan);
        term_plan_fini(&plan);
        status = history_print(cli, &text);
        status = status == EX_OK ? sound : status;
    }
    plan_text_fini(&text);
    return status;
}

int cmd_plan_export(struct cli *cli)
{
    struct plan_text text;
    struct out_file output;
    const char *path = cli_text(cli, CLI_PLAN_EXPORT_OUT);
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    int status = plan_text_fetch(cli, cli->arguments[0], &text);
    status = status == EX_OK ? cli_file_begin(cli, path != NULL ? path : "-", &output) : status;
    if (status == EX_OK) {
        fwrite(text.text, 1, text.bytes, output.file);
        status = cli_file_commit(cli, &output);
    }
    plan_text_fini(&text);
    return status;
}
