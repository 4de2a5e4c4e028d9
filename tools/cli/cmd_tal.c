/* SPDX-License-Identifier: Apache-2.0 */
/* icp tal list, show, diff, export, check; build is in cmd_tal_build.c, drop in
 * cmd_tal_drop.c. */
#include <stdlib.h>
#include <string.h>

#include "tools/cli/cmd.h"
#include "tools/cli/out/out_number.h"
#include "tools/cli/tal_account.h"

/* One call of an operation of lists; `fill` (may be NULL) writes the request. */
static int tal_call(const struct cli *cli, enum icp_op op,
                    void (*fill)(const struct cli *cli, struct icp_payload *payload),
                    struct icp_reply *reply)
{
    struct cli_request request;
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    if (fill != NULL) {
        fill(cli, request.payload);
    }
    status = cli_call(cli, request.client, op, request.payload, reply);
    cli_request_close(&request);
    return status;
}

/* Cells of the members of a map, in order; one that is absent is empty. */
static void members_add(struct out_table *table, const struct icp_value *map,
                        const char *const *names, size_t count)
{
    struct icp_value value;
    for (size_t i = 0; i < count; i++) {
        (void)icp_value_get(map, names[i], &value);
        out_cell_value(table, &value);
    }
}

static int lists_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"name",    "icp",    "current", "count", "unassigned",
                                          "created", "filter", "note",    "digest"};
    enum { COLUMNS = sizeof headers / sizeof *headers };
    struct out_table table;
    struct icp_value list;
    struct icp_value entry;
    struct icp_value value;
    (void)icp_reply_get(reply, "tals", &list);
    if (list.count == 0 && cli->style.form == OUT_TABLE) {
        cli_print(cli, "no target account list yet; 'icp tal build' makes one\n");
        return EX_OK;
    }
    struct icp_walk walk = icp_walk_over(&list);
    out_table_init(&table, headers, COLUMNS);
    while (icp_next(&walk, NULL, &entry)) {
        if (icp_value_get(&entry, "error", &value)) {
            (void)icp_value_get(&entry, "number", &value);
            cli_say(cli,
                    "list number %lld is damaged and cannot be read; with no backup, 'icp tal drop "
                    "--number %lld --damaged' gives it up",
                    (long long)value.integer, (long long)value.integer);
            continue;
        }
        members_add(&table, &entry, headers, COLUMNS);
    }
    return cli_table(cli, &table);
}

int cmd_tal_list(struct cli *cli)
{
    struct icp_reply reply = {0};
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    int status = tal_call(cli, ICP_OP_TAL_LIST, NULL, &reply);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &reply);
    } else if (status == EX_OK) {
        status = lists_print(cli, &reply);
    }
    icp_reply_fini(&reply);
    return status;
}

/* "industry Software +0.84; employees 162 < x ≤ 173 +0.80" */
static void reasons_add(struct out_table *table, const struct icp_value *entry)
{
    char text[768] = "";
    size_t used = 0;
    struct icp_value reasons;
    struct icp_value reason;
    struct icp_value field;
    struct icp_value value;
    struct icp_value contribution;
    (void)icp_value_get(entry, "reasons", &reasons);
    struct icp_walk walk = icp_walk_over(&reasons);
    while (icp_next(&walk, NULL, &reason) && used < sizeof text) {
        (void)icp_value_get(&reason, "field", &field);
        (void)icp_value_get(&reason, "value", &value);
        (void)icp_value_get(&reason, "contribution", &contribution);
        int bytes =
            snprintf(text + used, sizeof text - used, "%s%.*s %.*s %+.2f", used > 0 ? "; " : "",
                     (int)field.text.bytes, field.text.data, (int)value.text.bytes, value.text.data,
                     out_signed((double)contribution.integer / 1e6, 2));
        used += bytes > 0 ? (size_t)bytes : 0;
    }
    out_cell_text(table, "%s", text);
}

/* The entries of a reply; columns that no entry can have are left out of a table for people. */
static int entries_print(const struct cli *cli, const struct icp_reply *reply, bool all)
{
    static const char *const every[] = {"rank",  "id",         "name",     "fit",
                                        "p",     "grade",      "raw",      "segment",
                                        "owner", "unassigned", "held_out", "reasons"};
    const char *headers[sizeof every / sizeof *every];
    size_t columns = 0;
    struct out_table table;
    struct icp_value entries;
    struct icp_value entry;
    struct icp_value value;
    (void)icp_reply_get(reply, "entries", &entries);
    struct icp_walk walk = icp_walk_over(&entries);
    bool named = cli_named(&entries);
    for (size_t i = 0; i < sizeof every / sizeof *every; i++) {
        bool shown = i == 2 ? named : i < 7 || i == 11 || all;
        if (shown) {
            headers[columns++] = every[i];
        }
    }
    out_table_init(&table, headers, columns);
    while (icp_next(&walk, NULL, &entry)) {
        members_add(&table, &entry, every, named ? 3 : 2);
        (void)icp_value_get(&entry, "fit", &value);
        out_cell_number(&table, "%.2f", value.number);
        (void)icp_value_get(&entry, "p", &value);
        out_cell_number(&table, "%.4f", value.number);
        members_add(&table, &entry, every + 5, all ? 6 : 2);
        reasons_add(&table, &entry);
    }
    return cli_table(cli, &table);
}

static bool shared_out(const struct icp_value *head)
{
    struct icp_value owners;
    struct icp_value segments;
    (void)icp_value_get(head, "owners", &owners);
    (void)icp_value_get(head, "segments", &segments);
    return owners.count + segments.count > 0;
}

static void head_line(const struct cli *cli, const struct icp_value *head, const char *name,
                      const char *label)
{
    char text[512];
    struct icp_value value;
    if (icp_value_get(head, name, &value) &&
        (value.kind != ICP_KIND_TEXT || value.text.bytes > 0)) {
        cli_print(cli, "  %-10s %s\n", label, icp_value_print(&value, text, sizeof text));
    }
}

static void owners_print(const struct cli *cli, const struct icp_value *head, const char *name,
                         const char *limit)
{
    struct icp_value list;
    struct icp_value part;
    struct icp_value label;
    struct icp_value count;
    struct icp_value most;
    (void)icp_value_get(head, name, &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &part)) {
        (void)icp_value_get(&part, "name", &label);
        (void)icp_value_get(&part, "count", &count);
        (void)icp_value_get(&part, limit, &most);
        cli_print(cli, "  %-10s %.*s: %lld of %lld\n", limit, (int)label.text.bytes,
                  label.text.data, (long long)count.integer, (long long)most.integer);
    }
}

/* The part that is asked for; NULL: the members. */
static const char *part_told(const struct cli *cli)
{
    return cli_has(cli, CLI_TAL_SHOW_JUST_MISSED) ? "just-missed"
           : cli_has(cli, CLI_TAL_SHOW_SAMPLE)    ? "sample"
           : cli_has(cli, CLI_TAL_SHOW_HOLD_OUT)  ? "hold-out"
                                                  : NULL;
}

/* "beside     500 just missed, sample 500, 48 held out by seed 3f09…" */
static void drawn_print(const struct cli *cli, const struct icp_value *head)
{
    static const char *const members[] = {"just_missed", "sample", "held_out"};
    struct icp_value draw;
    struct icp_value counts[3];
    struct icp_value seed = {.text = {"", 0}};
    if (!icp_value_get(head, "draw", &draw)) {
        cli_print(cli, "  %-10s %s\n", "format", "1: nothing was frozen to compare it with");
        return;
    }
    for (size_t i = 0; i < 3; i++) {
        counts[i] = (struct icp_value){.integer = 0};
        (void)icp_value_get(&draw, members[i], &counts[i]);
    }
    (void)icp_value_get(&draw, "seed", &seed);
    cli_print(cli, "  %-10s %lld just missed, sample of %lld, %lld held out by seed %.*s\n",
              "beside", (long long)counts[0].integer, (long long)counts[1].integer,
              (long long)counts[2].integer, (int)seed.text.bytes, seed.text.data);
}

static void head_print(const struct cli *cli, const struct icp_reply *reply,
                       const struct icp_value *head)
{
    struct icp_text name = icp_reply_text(reply, "name");
    struct icp_value icp;
    struct icp_value version = {0};
    if (icp_value_get(head, "icp", &icp)) {
        (void)icp_value_get(&icp, "version", &version);
    }
    cli_print(cli, "%.*s: %lld accounts%s, built by version %lld\n", (int)name.bytes, name.data,
              (long long)icp_reply_int(reply, "count", 0),
              part_told(cli) == NULL                   ? ""
              : cli_has(cli, CLI_TAL_SHOW_JUST_MISSED) ? " that just missed it"
              : cli_has(cli, CLI_TAL_SHOW_SAMPLE)      ? " of its sample"
                                                       : " of it that are held out",
              (long long)version.integer);
    head_line(cli, head, "created", "created");
    head_line(cli, head, "filter", "filter");
    head_line(cli, head, "note", "note");
    head_line(cli, head, "seq", "sequence");
    head_line(cli, head, "digest", "digest");
    owners_print(cli, head, "segments", "quota");
    owners_print(cli, head, "owners", "capacity");
    drawn_print(cli, head);
    cli_print(cli, "\n");
}

static void show_fill(const struct cli *cli, struct icp_payload *payload)
{
    uint64_t limit = 0;
    uint64_t offset = 0;
    (void)cli_number(cli, CLI_TAL_SHOW_LIMIT, 0, PROTO_TAL_ENTRIES_MAX, 20, &limit);
    (void)cli_number(cli, CLI_TAL_SHOW_OFFSET, 0, PROTO_TAL_ENTRIES_MAX, 0, &offset);
    icp_payload_text(payload, "name", cli->arguments[0]);
    icp_payload_uint(payload, "limit", limit);
    icp_payload_uint(payload, "offset", offset);
    icp_payload_flag(payload, "names", true);
    if (part_told(cli) != NULL) {
        icp_payload_text(payload, "part", part_told(cli));
    }
}

int cmd_tal_show(struct cli *cli)
{
    uint64_t number = 0;
    struct icp_reply reply = {0};
    struct icp_value head = {0};
    if (!cli_arguments(cli, 1, 1) ||
        !cli_number(cli, CLI_TAL_SHOW_LIMIT, 0, PROTO_TAL_ENTRIES_MAX, 20, &number) ||
        !cli_number(cli, CLI_TAL_SHOW_OFFSET, 0, PROTO_TAL_ENTRIES_MAX, 0, &number)) {
        return EX_USAGE;
    }
    if (cli_has(cli, CLI_TAL_SHOW_JUST_MISSED) + cli_has(cli, CLI_TAL_SHOW_SAMPLE) +
            cli_has(cli, CLI_TAL_SHOW_HOLD_OUT) >
        1) {
        return cli_fail(cli, EX_USAGE, "one of --just-missed, --sample and --hold-out");
    }
    int status = tal_call(cli, ICP_OP_TAL_GET, show_fill, &reply);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &reply);
    } else if (status == EX_OK) {
        (void)icp_reply_get(&reply, "head", &head);
        if (cli->style.form == OUT_TABLE) {
            head_print(cli, &reply, &head);
        }
        status = entries_print(cli, &reply, cli->style.form == OUT_CSV || shared_out(&head));
    }
    icp_reply_fini(&reply);
    return status;
}

static void export_fill(const struct cli *cli, struct icp_payload *payload)
{
    icp_payload_text(payload, "name", cli->arguments[0]);
    if (cli->style.form == OUT_JSON) {
        icp_payload_flag(payload, "document", true);
    } else {
        icp_payload_uint(payload, "limit", PROTO_TAL_ENTRIES_MAX);
        icp_payload_flag(payload, "names", true);
    }
}

/* JSON: the document byte for byte, for its digest covers the bytes. */
static int export_write(const struct cli *cli, const struct icp_reply *reply)
{
    const char *path = cli_text(cli, CLI_TAL_EXPORT_OUT);
    struct out_file output;
    int status = cli_file_begin(cli, path != NULL ? path : "-", &output);
    if (status != EX_OK) {
        return status;
    }
    if (cli->style.form == OUT_JSON) {
        struct icp_text document = icp_reply_text(reply, "document");
        fwrite(document.data, 1, document.bytes, output.file);
    } else {
        struct cli as_csv = *cli;
        as_csv.style.form = OUT_CSV;
        as_csv.style.sink = out_sink_of(output.file);
        status = entries_print(&as_csv, reply, true);
    }
    if (status == EX_OK) {
        return cli_file_commit(cli, &output);
    }
    out_file_abandon(&output);
    return status;
}

int cmd_tal_export(struct cli *cli)
{
    struct icp_reply reply = {0};
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    int status = tal_call(cli, ICP_OP_TAL_GET, export_fill, &reply);
    if (status == EX_OK) {
        status = export_write(cli, &reply);
    }
    icp_reply_fini(&reply);
    return status;
}

/* Empty where the account is not on the list. */
static void fit_add(struct out_table *table, const struct icp_value *entry, const char *name)
{
    struct icp_value value;
    if (icp_value_get(entry, name, &value) && value.kind != ICP_KIND_NIL) {
        out_cell_number(table, "%.2f", value.number);
    } else {
        out_cell_text(table, "%s", "");
    }
}

static void diff_fill(const struct cli *cli, struct icp_payload *payload)
{
    icp_payload_text(payload, "a", cli->arguments[0]);
    icp_payload_text(payload, "b", cli->arguments[1]);
    icp_payload_flag(payload, "names", true);
}

static int diff_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"id", "name", "rank_a", "rank_b", "fit_a", "fit_b"};
    static const char *const nameless[] = {"id", "rank_a", "rank_b", "fit_a", "fit_b"};
    struct out_table table;
    struct icp_value list;
    struct icp_value entry;
    if (cli->style.form == OUT_TABLE) {
        cli_print(cli, "%lld on both, %lld on %s alone, %lld on %s alone\n\n",
                  (long long)icp_reply_int(reply, "both", 0),
                  (long long)icp_reply_int(reply, "only_a", 0), cli->arguments[0],
                  (long long)icp_reply_int(reply, "only_b", 0), cli->arguments[1]);
    }
    (void)icp_reply_get(reply, "accounts", &list);
    struct icp_walk walk = icp_walk_over(&list);
    bool named = cli_named(&list);
    out_table_init(&table, named ? headers : nameless, named ? 6 : 5);
    while (icp_next(&walk, NULL, &entry)) {
        members_add(&table, &entry, named ? headers : nameless, named ? 4 : 3);
        fit_add(&table, &entry, "fit_a");
        fit_add(&table, &entry, "fit_b");
    }
    return cli_table(cli, &table);
}

int cmd_tal_diff(struct cli *cli)
{
    struct icp_reply reply = {0};
    if (!cli_arguments(cli, 2, 2)) {
        return EX_USAGE;
    }
    int status = tal_call(cli, ICP_OP_TAL_DIFF, diff_fill, &reply);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &reply);
    } else if (status == EX_OK) {
        status = diff_print(cli, &reply);
    }
    icp_reply_fini(&reply);
    return status;
}

static void check_fill(const struct cli *cli, struct icp_payload *payload)
{
    icp_payload_text(payload, "name", cli->arguments[0]);
    icp_payload_flag(payload, "names", true);
}

/* Accounts by id, and by name where they have one; the first of many. */
static void names_print(const struct cli *cli, const struct icp_reply *reply, const char *name,
                        const char *names_name, const char *label)
{
    enum { SHOWN_MOST = 8 };
    struct icp_value list;
    struct icp_value names = {0};
    struct icp_value id;
    struct icp_value text;
    if (!icp_reply_get(reply, name, &list) || list.count == 0) {
        return;
    }
    (void)icp_reply_get(reply, names_name, &names);
    struct icp_walk walk = icp_walk_over(&list);
    struct icp_walk beside = icp_walk_over(&names);
    cli_print(cli, "  %zu %s:", list.count, label);
    for (size_t i = 0; i < SHOWN_MOST && icp_next(&walk, NULL, &id); i++) {
        cli_print(cli, "%s %.*s", i > 0 ? "," : "", (int)id.text.bytes, id.text.data);
        if (icp_next(&beside, NULL, &text) && text.text.bytes > 0) {
            cli_print(cli, " (%.*s)", (int)text.text.bytes, text.text.data);
        }
    }
    cli_print(cli, "%s\n", list.count > SHOWN_MOST ? ", …" : "");
}

static void checked_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_text digest = icp_reply_text(reply, "digest");
    struct icp_text refused = icp_reply_text(reply, "refused");
    long long held_out = (long long)icp_reply_int(reply, "held_out", 0);
    cli_print(cli, "the list is as it was stored: digest %.*s\n", (int)digest.bytes, digest.data);
    if (held_out > 0) {
        cli_print(cli, "%lld of its accounts are held out: a score says that they are on no list\n",
                  held_out);
    }
    if (icp_reply_flag(reply, "same", false)) {
        cli_print(cli, "built today it would come out the same\n");
        return;
    }
    cli_print(cli, "built from sequence %lld, the data are at %lld now:\n",
              (long long)icp_reply_int(reply, "seq", 0),
              (long long)icp_reply_int(reply, "seq_now", 0));
    cli_print(cli, "  %lld of %lld accounts score differently, %lld are gone\n",
              (long long)icp_reply_int(reply, "changed", 0),
              (long long)icp_reply_int(reply, "count", 0),
              (long long)icp_reply_int(reply, "gone", 0));
    if (refused.bytes > 0) {
        cli_print(cli, "  it cannot be built again: %.*s\n", (int)refused.bytes, refused.data);
    }
    names_print(cli, reply, "entering", "entering_names", "would come");
    names_print(cli, reply, "leaving", "leaving_names", "would go");
}

int cmd_tal_check(struct cli *cli)
{
    struct icp_reply reply = {0};
    if (!cli_arguments(cli, 1, 2)) {
        return EX_USAGE;
    }
    if (cli->argument_count == 2) {
        return tal_account(cli);
    }
    int status = tal_call(cli, ICP_OP_TAL_CHECK, check_fill, &reply);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &reply);
    } else if (status == EX_OK) {
        checked_print(cli, &reply);
    }
    icp_reply_fini(&reply);
    return status;
}
