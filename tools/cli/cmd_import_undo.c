/* SPDX-License-Identifier: Apache-2.0 */
/* icp import list: what was imported, by whom and when. icp import undo: one of them is taken back,
 * named by its id, its file or its source; several that are so called are listed, and nothing is
 * done. What stays is told. */
#include "proto/table.h"
#include "tools/cli/cmd.h"
#include "tools/cli/job_wait.h"
#include "tools/cli/member.h"

/* Accounts of which something stays that are named. */
#define STAYS_SHOWN 5

static int list_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"import",   "name",   "state",   "began", "by",
                                          "accounts", "events", "batches", "note"};
    struct out_table table;
    struct icp_value list = {0};
    struct icp_value entry;
    out_table_init(&table, headers, 9);
    (void)icp_reply_get(reply, "imports", &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &entry)) {
        char when[OUT_TIME_BYTES];
        out_cell_text_n(&table, member_text(&entry, "id"));
        out_cell_text_n(&table, member_text(&entry, "name"));
        out_cell_text_n(&table, member_text(&entry, "state"));
        out_cell_text(&table, "%s", out_moment(member_int(&entry, "began"), when));
        out_cell_text_n(&table, member_text(&entry, "by"));
        out_cell_number(&table, "%lld", (long long)member_int(&entry, "accounts"));
        out_cell_number(&table, "%lld", (long long)member_int(&entry, "events"));
        out_cell_number(&table, "%lld", (long long)member_int(&entry, "batches"));
        out_cell_text_n(&table, member_text(&entry, "note"));
    }
    int64_t oldest = icp_reply_int(reply, "oldest", 0);
    if (oldest > 1) {
        cli_say(cli, "the log reaches back to sequence %lld: of imports before it nothing is known",
                (long long)oldest);
    }
    if (list.count == 0 && cli->style.form == OUT_TABLE) {
        out_table_fini(&table);
        cli_print(cli, "the log knows of no import\n");
        return EX_OK;
    }
    return cli_table(cli, &table);
}

int cmd_import_list(struct cli *cli)
{
    struct cli_request request;
    uint64_t limit = 0;
    if (!cli_arguments(cli, 0, 0) ||
        !cli_number(cli, CLI_IMPORT_LIST_LIMIT, 1, PROTO_IMPORTS_MAX, 100, &limit)) {
        return EX_USAGE;
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_uint(request.payload, "limit", limit);
    status = cli_request_send(cli, &request, ICP_OP_IMPORT_LIST);
    if (status == EX_OK) {
        status = cli->style.form == OUT_JSON ? cli_json_reply(cli, &request.reply)
                                             : list_print(cli, &request.reply);
    }
    cli_request_close(&request);
    return status;
}

/* "accounts.csv as crm" is called accounts.csv, or crm. */
static bool is_called(struct icp_text name, const char *word)
{
    size_t bytes = strlen(word);
    static const char between[] = " as ";
    size_t gap = sizeof between - 1;
    if (name.bytes < bytes + gap) {
        return false;
    }
    const char *tail = name.data + name.bytes - bytes - gap;
    return (memcmp(name.data, word, bytes) == 0 && memcmp(name.data + bytes, between, gap) == 0) ||
           (memcmp(tail, between, gap) == 0 && memcmp(tail + gap, word, bytes) == 0);
}

/* The import that a word means, among those that were not taken back where it is no id. */
static int import_find(const struct cli *cli, const struct icp_reply *reply, const char *word,
                       char id[PROTO_IMPORT_BYTES_MAX + 1])
{
    struct icp_value list = {0};
    struct icp_value entry;
    size_t found = 0;
    char ids[512] = "";
    size_t used = 0;
    (void)icp_reply_get(reply, "imports", &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &entry)) {
        struct icp_text import = member_text(&entry, "id");
        bool back = member_text_is(member_text(&entry, "state"), "undone");
        bool same = member_text_is(import, word);
        if (!same && (back || !is_called(member_text(&entry, "name"), word))) {
            continue;
        }
        (void)snprintf(id, PROTO_IMPORT_BYTES_MAX + 1, "%.*s", (int)import.bytes, import.data);
        if (same) {
            return EX_OK;
        }
        int bytes = snprintf(ids + used, sizeof ids - used, "%s%s", found++ > 0 ? ", " : "", id);
        used += bytes > 0 && (size_t)bytes < sizeof ids - used ? (size_t)bytes : 0;
    }
    if (found == 1) {
        return EX_OK;
    }
    return found == 0 ? cli_fail(cli, EX_DATAERR,
                                 "the log has no import '%s' that stands; 'icp import list' shows "
                                 "those there are",
                                 word)
                      : cli_fail(cli, EX_DATAERR, "%zu imports are called '%s', say which: %s",
                                 found, word, ids);
}

static int import_ask(const struct cli *cli, struct icp_client *client,
                      char id[PROTO_IMPORT_BYTES_MAX + 1])
{
    struct icp_reply reply = {0};
    struct icp_payload *payload = icp_payload_create();
    if (payload == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    icp_payload_uint(payload, "limit", PROTO_IMPORTS_MAX);
    int status = cli_call(cli, client, ICP_OP_IMPORT_LIST, payload, &reply);
    if (status == EX_OK) {
        status = import_find(cli, &reply, cli->arguments[0], id);
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

static void stays_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value list = {0};
    struct icp_value entry;
    size_t shown = 0;
    (void)icp_reply_get(reply, "stays", &list);
    struct icp_walk walk = icp_walk_over(&list);
    for (; shown < STAYS_SHOWN && icp_next(&walk, NULL, &entry); shown++) {
        struct icp_text id = member_text(&entry, "id");
        cli_print(cli, "  %.*s:%s", (int)id.bytes, id.data,
                  member_flag(&entry, "account") ? " the account" : "");
        static const struct {
            const char *name, *words;
        } counts[] = {{"changed", "values written since"},
                      {"late", "values of the history"},
                      {"not_kept", "values whose past is not kept"},
                      {"keys", "keys that others have"}};
        bool comma = member_flag(&entry, "account");
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            int64_t count = member_int(&entry, counts[i].name);
            if (count > 0) {
                cli_print(cli, "%s %lld %s", comma ? "," : "", (long long)count, counts[i].words);
                comma = true;
            }
        }
        cli_print(cli, "\n");
    }
    if (list.count > shown) {
        cli_print(cli, "  … (--json lists the first hundred)\n");
    }
}

static int undo_print(const struct cli *cli, const struct icp_reply *reply, bool dry)
{
    static const struct {
        const char *name, *words;
    } figures[] = {
#define X(NAME, name, help) {#name, help},
#include "server/engine/undo_figure.def"
#undef X
    };
    if (cli->style.form == OUT_JSON) {
        return cli_json_reply(cli, reply);
    }
    cli_print(cli, dry ? "would be taken back (dry run, nothing written):\n" : "taken back:\n");
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        char count[OUT_NUMBER_BYTES];
        int64_t figure = icp_reply_int(reply, figures[i].name, 0);
        if (figure > 0 || i == 0) {
            cli_print(cli, "%10s %s\n", out_count((uint64_t)figure, count), figures[i].words);
        }
    }
    stays_print(cli, reply);
    struct icp_value whole;
    if (icp_reply_get(reply, "whole", &whole) && !whole.flag) {
        cli_say(cli, "the log does not hold the beginning of this import: what it told before that "
                     "stays");
    }
    return EX_OK;
}

static int undo(const struct cli *cli, struct icp_client *client, const char *id)
{
    bool dry = cli_has(cli, CLI_IMPORT_UNDO_DRY_RUN);
    struct icp_reply reply = {0};
    struct icp_payload *payload = icp_payload_create();
    if (payload == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    icp_payload_text(payload, "import_id", id);
    icp_payload_flag(payload, "progress", true);
    if (dry) {
        icp_payload_flag(payload, "dry_run", true);
    }
    int status = job_run(cli, client, ICP_OP_IMPORT_UNDO, payload, &reply);
    if (status == EX_OK) {
        status = undo_print(cli, &reply, dry);
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

int cmd_import_undo(struct cli *cli)
{
    char id[PROTO_IMPORT_BYTES_MAX + 1] = "";
    int status = EX_OK;
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL) {
        return status;
    }
    status = import_ask(cli, client, id);
    if (status == EX_OK) {
        status = undo(cli, client, id);
    }
    icp_close(client);
    return status;
}
