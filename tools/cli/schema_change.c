/* SPDX-License-Identifier: Apache-2.0 */
/* Both schemas are laid beside each other by the ids of their fields; each field that differs
 * becomes a line. Then the server is asked how many values there are, how they would read, and who
 * uses the field. A document that the server would refuse is refused here by the same words; where
 * there is no schema yet, every field is new. */
#include "tools/cli/schema_change.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/csv/csv_input.h"
#include "tools/cli/remote_schema.h"
#include "tools/cli/schema_use.h"

enum { PAGE = 10000, SCRATCH = FEATURE_SCRATCH_BYTES(16384), TEXT = 16384 };

enum what { ADDED, BACK, REMOVED, RETYPED, CHANGED };

struct change {
    enum what what;
    const struct feature_field *was, *now; /* NULL: there is none */
    int64_t accounts;  /* that have a value of the field as it was; -1: none asked */
    int64_t readable;  /* of them as the new type */
    char example[160]; /* a value that is not, with its account */
    char members[160]; /* CHANGED: which, and from what to what */
};

struct run {
    const struct cli *cli;
    struct icp_client *client;
    struct icp_payload *payload;
    struct icp_reply reply;
    struct feature_schema *was, *now; /* was: NULL where none is in force */
    struct schema_use use;
    struct change *changes;
    size_t count;
};

static void member_note(struct change *change, const char *member, const char *from, const char *to)
{
    size_t used = strlen(change->members);
    snprintf(change->members + used, sizeof change->members - used, "%s%s %s → %s",
             used > 0 ? ", " : "", member, from, to);
}

static bool words_same(const struct feature_field *a, const struct feature_field *b)
{
    bool same = a->missing_count == b->missing_count;
    for (size_t i = 0; same && i < a->missing_count; i++) {
        same = strcmp(a->missing[i], b->missing[i]) == 0;
    }
    return same;
}

/* What of a field that stays is another: nothing is done to its values. */
static void members_compare(struct change *change)
{
    const struct feature_field *was = change->was;
    const struct feature_field *now = change->now;
    if (was->family != now->family) {
        member_note(change, "family", feature_family_name(was->family),
                    feature_family_name(now->family));
    }
    if (was->transform != now->transform) {
        member_note(change, "transform", feature_transform_name(was->transform),
                    feature_transform_name(now->transform));
    }
    if (!words_same(was, now)) {
        char counts[2][24];
        snprintf(counts[0], sizeof counts[0], "%zu", was->missing_count);
        snprintf(counts[1], sizeof counts[1], "%zu", now->missing_count);
        member_note(change, "missing words", counts[0], counts[1]);
    }
    if (was->stale_after_ms != now->stale_after_ms) {
        char days[2][32];
        snprintf(days[0], sizeof days[0], "%.6g", (double)was->stale_after_ms / 86400000);
        snprintf(days[1], sizeof days[1], "%.6g", (double)now->stale_after_ms / 86400000);
        member_note(change, "stale after days", days[0], days[1]);
    }
}

static const struct feature_field *of_name(const struct feature_schema *schema, const char *name)
{
    return schema == NULL ? NULL : feature_schema_find(schema, proto_span_text(name));
}

static void now_compare(struct run *run, const struct feature_field *now)
{
    const struct feature_field *was =
        run->was == NULL ? NULL : feature_schema_by_id(run->was, now->id);
    struct change change = {.what = CHANGED, .was = was, .now = now, .accounts = -1};
    if (was != NULL && of_name(run->was, now->name) == was) {
        members_compare(&change);
        if (change.members[0] == '\0') {
            return;
        }
    } else {
        change.was = of_name(run->was, now->name);
        bool known = run->was != NULL && now->id < run->was->id_count;
        change.what = change.was != NULL ? RETYPED : known ? BACK : ADDED;
    }
    run->changes[run->count++] = change;
}

static int schemas_compare(struct run *run)
{
    assert(run->now != NULL);
    size_t most = run->now->field_count + (run->was != NULL ? run->was->field_count : 0);
    run->changes = calloc(most + 1, sizeof *run->changes);
    if (run->changes == NULL) {
        return cli_fail(run->cli, EX_OSERR, "no memory for the changes");
    }
    for (size_t i = 0; run->was != NULL && i < run->was->field_count; i++) {
        const struct feature_field *was = &run->was->fields[i];
        if (of_name(run->now, was->name) == NULL) {
            run->changes[run->count++] =
                (struct change){.what = REMOVED, .was = was, .accounts = -1};
        }
    }
    for (size_t i = 0; i < run->now->field_count; i++) {
        now_compare(run, &run->now->fields[i]);
    }
    return EX_OK;
}

/* "`field` is not missing". NULL: no memory. */
static char *not_missing(const struct feature_field *field)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);
    if (file == NULL) {
        return NULL;
    }
    fputc('`', file);
    for (const char *at = field->name; *at != '\0'; at++) {
        fprintf(file, "%s%c", *at == '`' ? "`" : "", *at);
    }
    fputs("` is not missing", file);
    return fclose(file) == 0 ? text : NULL;
}

static void value_try(const struct run *run, struct change *change, const struct icp_value *id,
                      const struct icp_value *value, uint8_t *room)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct feature_value read;
    char *text = (char *)room + SCRATCH;
    (void)icp_value_print(value, text, TEXT);
    if (feature_value_from_text(run->now, change->now, proto_span_text(text), room, SCRATCH, &read,
                                &fault) &&
        read.present) {
        change->readable++;
    } else if (change->example[0] == '\0') {
        snprintf(change->example, sizeof change->example, "'%.60s' of %.*s", text,
                 (int)(id->text.bytes < 60 ? id->text.bytes : 60), id->text.data);
    }
}

static void page_try(struct run *run, struct change *change, uint8_t *room)
{
    struct icp_value ids = {0};
    struct icp_value values = {0};
    struct icp_value id;
    struct icp_value map;
    struct icp_value value;
    (void)icp_reply_get(&run->reply, "ids", &ids);
    (void)icp_reply_get(&run->reply, "values", &values);
    struct icp_walk walk = icp_walk_over(&ids);
    struct icp_walk maps = icp_walk_over(&values);
    while (icp_next(&walk, NULL, &id) && icp_next(&maps, NULL, &map)) {
        value = (struct icp_value){0};
        if (icp_value_get(&map, change->was->name, &value)) {
            change->accounts++;
            value_try(run, change, &id, &value, room);
        }
    }
}

/* Reads every value of the field as the type that it would have. */
static int values_try(struct run *run, struct change *change, const char *filter)
{
    uint8_t *room = malloc((size_t)SCRATCH + TEXT);
    char *after = NULL;
    int status = room == NULL ? cli_fail(run->cli, EX_OSERR, "no memory for a value") : EX_OK;
    change->accounts = 0;
    for (bool more = true; status == EX_OK && more;) {
        icp_payload_reset(run->payload);
        icp_payload_text(run->payload, "filter", filter);
        icp_payload_uint(run->payload, "limit", PAGE);
        icp_payload_list_begin(run->payload, "fields");
        icp_payload_text(run->payload, NULL, change->was->name);
        icp_payload_list_end(run->payload);
        if (after != NULL) {
            icp_payload_text(run->payload, "after", after);
        }
        status = cli_call(run->cli, run->client, ICP_OP_FILTER, run->payload, &run->reply);
        if (status == EX_OK) {
            page_try(run, change, room);
            struct icp_text next = icp_reply_text(&run->reply, "next");
            free(after);
            more = next.bytes > 0;
            after = strndup(next.data, next.bytes);
            status = after == NULL ? cli_fail(run->cli, EX_OSERR, "no memory") : EX_OK;
        }
    }
    free(after);
    free(room);
    return status;
}

static int accounts_ask(struct run *run, struct change *change)
{
    if (change->was == NULL) {
        return EX_OK;
    }
    char *filter = not_missing(change->was);
    if (filter == NULL) {
        return cli_fail(run->cli, EX_OSERR, "no memory");
    }
    int status = EX_OK;
    if (change->what == RETYPED) {
        status = values_try(run, change, filter);
    } else {
        icp_payload_reset(run->payload);
        icp_payload_text(run->payload, "filter", filter);
        status = cli_call(run->cli, run->client, ICP_OP_COUNT, run->payload, &run->reply);
        change->accounts = status == EX_OK ? icp_reply_int(&run->reply, "count", 0) : -1;
    }
    free(filter);
    return status;
}

static const char *type_of(const struct feature_field *field)
{
    return field == NULL ? "" : feature_type_name(field->type);
}

static char *change_text(const struct change *change)
{
    char *text = NULL;
    int bytes = 0;
    switch (change->what) {
    case ADDED:
        bytes = asprintf(&text, "new, %s", type_of(change->now));
        break;
    case BACK:
        bytes = asprintf(&text, "comes back, %s", type_of(change->now));
        break;
    case REMOVED:
        bytes = asprintf(&text, "goes");
        break;
    case RETYPED:
        bytes = asprintf(&text, "%s → %s", type_of(change->was), type_of(change->now));
        break;
    case CHANGED:
        bytes = asprintf(&text, "%s", change->members);
        break;
    }
    return bytes < 0 ? NULL : text;
}

static char *effect_text(const struct change *change)
{
    char *text = NULL;
    int bytes = 0;
    int64_t lost = change->accounts - change->readable;
    switch (change->what) {
    case ADDED:
        bytes = asprintf(&text, "empty until it is imported");
        break;
    case BACK:
        bytes = asprintf(&text, "has the values again that it had");
        break;
    case REMOVED:
        bytes = asprintf(&text, "values are set aside: put back with its type, it has them again");
        break;
    case CHANGED:
        bytes = asprintf(&text, "values stay");
        break;
    case RETYPED:
        bytes = lost == 0 ? asprintf(&text, "empty until it is imported again; all values would do")
                          : asprintf(&text,
                                     "empty until it is imported again; %" PRId64
                                     " values would not do, such as %s",
                                     lost, change->example);
        break;
    }
    return bytes < 0 ? NULL : text;
}

static int changes_print(const struct run *run)
{
    static const char *const headers[] = {"field", "change", "accounts", "then", "used by"};
    struct out_table table;
    bool good = true;
    out_table_init(&table, headers, 5);
    for (size_t i = 0; i < run->count; i++) {
        const struct change *change = &run->changes[i];
        const struct feature_field *field = change->was != NULL ? change->was : change->now;
        assert(field != NULL);
        char *what = change_text(change);
        char *then = effect_text(change);
        char *users = change->was == NULL ? strdup("") : schema_use_text(&run->use, change->was);
        good = good && what != NULL && then != NULL && users != NULL;
        if (good) {
            out_cell_text(&table, "%s", field->name);
            out_cell_text(&table, "%s", what);
            if (change->accounts >= 0) {
                out_cell_number(&table, "%" PRId64, change->accounts);
            } else {
                out_cell_text(&table, "%s", "");
            }
            out_cell_text(&table, "%s", then);
            out_cell_text(&table, "%s", users);
        }
        free(what);
        free(then);
        free(users);
    }
    if (good) {
        return cli_table(run->cli, &table);
    }
    out_table_fini(&table);
    return cli_fail(run->cli, EX_OSERR, "no memory for the table");
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "none";
}

/* What is said of the schema as a whole, and of columns that keys come from. */
static void heads_print(const struct run *run)
{
    const struct feature_schema *was = run->was;
    const struct feature_schema *now = run->now;
    const char *names[2] = {was != NULL && was->name != NULL ? was->name->name : NULL,
                            now->name != NULL ? now->name->name : NULL};
    const char *ids[2] = {was != NULL ? was->id_column : NULL, now->id_column};
    if (strcmp(or_none(names[0]), or_none(names[1])) != 0) {
        cli_print(run->cli, "accounts are named by: %s → %s\n", or_none(names[0]),
                  or_none(names[1]));
    }
    if (strcmp(or_none(ids[0]), or_none(ids[1])) != 0) {
        cli_print(run->cli, "column of the id, for imports: %s → %s\n", or_none(ids[0]),
                  or_none(ids[1]));
    }
    for (size_t side = 0; side < 2; side++) {
        const struct feature_schema *one = side == 0 ? was : now;
        const struct feature_schema *other = side == 0 ? now : was;
        for (size_t i = 0; one != NULL && i < one->key_count; i++) {
            size_t at = 0;
            while (other != NULL && at < other->key_count &&
                   (strcmp(one->keys[i].name_space, other->keys[at].name_space) != 0 ||
                    strcmp(one->keys[i].column, other->keys[at].column) != 0)) {
                at++;
            }
            if (other == NULL || at == other->key_count) {
                cli_print(run->cli, "key %s from column %s, for imports: %s\n",
                          one->keys[i].name_space, one->keys[i].column,
                          side == 0 ? "no more; keys that are stored stay" : "new");
            }
        }
    }
}

static int document_refuse(const struct run *run, const char *path, const struct proto_fault *fault)
{
    return cli_fail(run->cli, EX_DATAERR, "%s: %s%s%s", path, fault->field,
                    fault->field[0] != '\0' ? ": " : "", fault->message);
}

static int served_read(struct run *run)
{
    struct proto_fault fault = {.code = PROTO_OK};
    int status = EX_OK;
    run->client = cli_connect(run->cli, &status);
    if (run->client == NULL) {
        return status;
    }
    if (!icp_call(run->client, ICP_OP_SCHEMA_GET, NULL, &run->reply)) {
        return run->reply.fault.code == ICP_NO_SCHEMA ? EX_OK
                                                      : cli_icp_fault(run->cli, &run->reply.fault);
    }
    struct icp_text text = icp_reply_text(&run->reply, "document");
    run->was = feature_schema_parse((struct proto_span){(const uint8_t *)text.data, text.bytes}, 0,
                                    NULL, &fault);
    return run->was != NULL ? EX_OK : cli_fault(run->cli, &fault);
}

/* The file first: what is wrong with it is told without a server. */
static int schemas_read(struct run *run, const char *path)
{
    struct proto_fault fault = {.code = PROTO_OK};
    size_t bytes = 0;
    uint8_t *data = csv_file_read(path, PROTO_DOCUMENT_BYTES_MAX, &bytes, &fault);
    if (data == NULL) {
        return cli_file_fault(run->cli, &fault);
    }
    const struct proto_span text = {data, bytes};
    struct feature_schema *alone = feature_schema_parse(text, 1, NULL, &fault);
    int status = alone != NULL ? EX_OK : document_refuse(run, path, &fault);
    feature_schema_release(alone);
    status = status == EX_OK ? served_read(run) : status;
    if (status == EX_OK) {
        run->now = feature_schema_parse(text, run->was != NULL ? run->was->version + 1 : 1,
                                        run->was, &fault);
        status = run->now != NULL ? EX_OK : document_refuse(run, path, &fault);
    }
    free(data);
    return status;
}

static int run_show(struct run *run, const char *path)
{
    int status = schemas_read(run, path);
    status = status == EX_OK ? schemas_compare(run) : status;
    for (size_t i = 0; status == EX_OK && i < run->count; i++) {
        status = accounts_ask(run, &run->changes[i]);
    }
    if (status == EX_OK && run->was != NULL) {
        status = schema_use_read(&run->use, run->cli, run->client, run->was);
    }
    if (status != EX_OK) {
        return status;
    }
    if (run->cli->style.form == OUT_TABLE) {
        heads_print(run);
        if (run->count == 0) {
            cli_print(run->cli, "no field changes\n");
        }
    }
    status = run->count > 0 || run->cli->style.form != OUT_TABLE ? changes_print(run) : EX_OK;
    if (status == EX_OK) {
        cli_say(run->cli, "nothing was put: without --dry-run this is schema version %u",
                run->now->version);
    }
    return status;
}

static void run_end(struct run *run)
{
    schema_use_fini(&run->use);
    free(run->changes);
    feature_schema_release(run->was);
    feature_schema_release(run->now);
    icp_reply_fini(&run->reply);
    icp_payload_destroy(run->payload);
    icp_close(run->client);
}

int schema_change_show(const struct cli *cli, const char *path)
{
    struct run run = {.cli = cli, .payload = icp_payload_create()};
    int status = run.payload == NULL ? cli_fail(cli, EX_OSERR, "no memory") : run_show(&run, path);
    run_end(&run);
    return status;
}

/* Whether the document, laid over the schema in force, says what that says. */
static int same_ask(struct run *run, struct proto_span text, bool *same)
{
    struct proto_fault fault = {.code = PROTO_OK};
    int status = served_read(run);
    *same = false;
    if (status != EX_OK || run->was == NULL) {
        return status;
    }
    run->now = feature_schema_parse(text, run->was->version, run->was, &fault);
    char *was = feature_schema_print(run->was);
    char *now = run->now != NULL ? feature_schema_print(run->now) : NULL;
    if (was == NULL || (now == NULL && fault.code != PROTO_BAD_SCHEMA)) {
        status = cli_fail(run->cli, EX_OSERR, "no memory for the schema");
    }
    *same = was != NULL && now != NULL && strcmp(was, now) == 0;
    free(was);
    free(now);
    return status;
}

/* What cannot be read is told by whoever puts it. */
int schema_change_none(const struct cli *cli, const char *path, uint32_t *version)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct run run = {.cli = cli};
    size_t bytes = 0;
    bool same = false;
    uint8_t *data = csv_file_read(path, PROTO_DOCUMENT_BYTES_MAX, &bytes, &fault);
    const struct proto_span text = {data, bytes};
    struct feature_schema *alone =
        data != NULL ? feature_schema_parse(text, 1, NULL, &fault) : NULL;
    int status = alone != NULL ? same_ask(&run, text, &same) : EX_OK;
    *version = same ? run.was->version : 0;
    feature_schema_release(alone);
    free(data);
    run_end(&run);
    return status;
}
