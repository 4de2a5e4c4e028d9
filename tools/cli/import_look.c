/* SPDX-License-Identifier: Apache-2.0 */
/* All rows are asked for, a window of requests at a time; each answer is laid beside its row; then
 * the rows are gone through once more and those refused that are two accounts, or an account that
 * an earlier row was. Nobody there is no fault; any other ends the import. */
#include "tools/cli/import_look.h"

#include <assert.h>
#include <stdlib.h>

#include "server/draw/draw_number.h"
#include "server/feature/date_text.h"
#include "server/feature/record.h"
#include "tools/cli/csv/csv_account.h"

/* What is known of a row. */
struct look_found {
    char id[PROTO_ID_BYTES_MAX + 1]; /* of the account found; empty: none */
    char by[PROTO_ID_BYTES_MAX + 1]; /* by what: a key, or "id" */
    char other[PROTO_ID_BYTES_MAX + 1];
    char other_by[PROTO_ID_BYTES_MAX + 1];
    struct import_change change;
};

struct ask {
    size_t row;
    const char *by;
    bool address; /* asked for as an address at the host of the key */
    uint32_t request_id;
};

/* The window. */
struct asks {
    struct ask ring[LOOKS_IN_FLIGHT];
    size_t sent;
    size_t received;
};

bool import_look_init(struct import_look *look, const struct feature_schema *schema, bool match,
                      size_t batch_rows)
{
    *look = (struct import_look){.schema = schema, .match = match};
    text_count_init(&look->seen, UINT32_MAX);
    look->found = calloc(batch_rows, sizeof *look->found);
    look->values = calloc(schema->id_count + 1, sizeof *look->values);
    look->request = icp_payload_create();
    return look->found != NULL && look->values != NULL && look->request != NULL;
}

void import_look_fini(struct import_look *look)
{
    text_count_fini(&look->seen);
    free(look->found);
    free(look->values);
    icp_payload_destroy(look->request);
    icp_reply_fini(&look->reply);
    *look = (struct import_look){0};
}

static bool tags_same(struct proto_span tags, const struct icp_value *stored)
{
    struct icp_walk walk = icp_walk_over(stored);
    struct icp_value element;
    struct proto_span tag;
    size_t at = 0;
    while (feature_tags_next(tags, &at, &tag)) {
        if (!icp_next(&walk, NULL, &element) || element.text.bytes != tag.bytes ||
            memcmp(element.text.data, tag.data, tag.bytes) != 0) {
            return false;
        }
    }
    return !icp_next(&walk, NULL, &element);
}

static bool text_same(struct proto_span text, const struct icp_value *stored)
{
    return stored->text.bytes == text.bytes &&
           memcmp(stored->text.data, text.data, text.bytes) == 0;
}

static bool value_same(const struct feature_value *value, const struct icp_value *stored)
{
    char text[FEATURE_DATE_TEXT_BYTES];
    switch (value->type) {
    case FEATURE_DATE:
        (void)feature_date_print((int64_t)value->number, text);
        return text_same(proto_span_text(text), stored);
    case FEATURE_NUMBER:
        return stored->number == value->number;
    case FEATURE_FLAG:
        return stored->flag == value->flag;
    case FEATURE_CATEGORY:
        return text_same(value->text, stored);
    case FEATURE_TAGS:
        return tags_same(value->tags, stored);
    case FEATURE_VECTOR:
        return text_same(value->vector, stored);
    }
    return false;
}

static bool key_of_reply(const struct icp_value *keys, const char *key)
{
    struct icp_walk walk = icp_walk_over(keys);
    struct icp_value element;
    while (icp_next(&walk, NULL, &element)) {
        if (element.text.bytes == strlen(key) &&
            memcmp(element.text.data, key, element.text.bytes) == 0) {
            return true;
        }
    }
    return false;
}

static void keys_compare(const struct import_row *row, const struct icp_reply *reply, bool replace,
                         struct import_change *change)
{
    struct icp_value keys = {0};
    size_t common = 0;
    (void)icp_reply_get(reply, "keys", &keys);
    for (size_t k = 0; k < row->key_count; k++) {
        common += key_of_reply(&keys, import_row_key_at(row, k));
    }
    change->keys_added = row->key_count - common;
    change->keys_lost = replace ? keys.count - common : 0;
}

static void values_read(const struct import_look *look, const struct import_row *row)
{
    struct feature_record record;
    struct proto_fault fault;
    bool opened = feature_record_open((struct proto_span){row->record, row->record_bytes}, false,
                                      &record, &fault);
    assert(opened);
    (void)opened;
    feature_record_values(&record, look->values, look->schema->id_count);
}

/* The place of a source in the list, or behind it. */
static size_t rank_of(const char *list, struct icp_text source)
{
    size_t rank = 0;
    while (*list != '\0') {
        size_t bytes = strcspn(list, ",");
        if (bytes == source.bytes && memcmp(list, source.data, bytes) == 0) {
            return rank;
        }
        rank++;
        list += bytes + (list[bytes] == ',');
    }
    return rank;
}

/* The row anew, of the values that are left. They point into the record that goes. */
static bool row_rewrite(struct import_look *look, struct import_row *row)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct feature_record record = {
        .id = proto_span_text("-"), .values = look->values, .value_slots = look->schema->id_count};
    uint8_t *fewer = malloc(row->record_bytes);
    if (fewer == NULL) {
        return false;
    }
    icp_payload_reset(row->values);
    for (size_t i = 0; i < look->schema->field_count; i++) {
        const struct feature_field *field = &look->schema->fields[i];
        if (look->values[field->id].present) {
            csv_value_write(field, &look->values[field->id], row->values);
        }
    }
    row->record_bytes = feature_record_encode(&record, fewer, row->record_bytes, &fault);
    free(row->record);
    row->record = fewer;
    return true;
}

/* Leaves out of the row what the account has from a source that goes before the row's; how many
 * values that are, SIZE_MAX without memory. */
static size_t sources_heed(struct import_look *look, struct import_row *row, const char *source)
{
    struct icp_value values = {0};
    struct icp_value entry;
    struct icp_value from;
    struct icp_text name;
    size_t own = rank_of(look->precedence, (struct icp_text){source, strlen(source)});
    size_t kept = 0;
    values_read(look, row);
    (void)icp_reply_get(&look->reply, "values", &values);
    struct icp_walk walk = icp_walk_over(&values);
    while (icp_next(&walk, &name, &entry)) {
        const struct feature_field *field = feature_schema_find(
            look->schema, (struct proto_span){(const uint8_t *)name.data, name.bytes});
        bool before = field != NULL && look->values[field->id].present &&
                      icp_value_get(&entry, "source", &from) &&
                      rank_of(look->precedence, from.text) < own;
        if (before) {
            look->values[field->id].present = false;
            kept++;
        }
    }
    return kept == 0 || row_rewrite(look, row) ? kept : SIZE_MAX;
}

static size_t values_left(const struct import_look *look)
{
    size_t left = 0;
    for (size_t i = 0; i < look->schema->id_count; i++) {
        left += look->values[i].present;
    }
    return left;
}

/* A stored value that a dated import does not replace. */
static bool is_newer(const struct icp_value *entry, const struct import_sender *sender)
{
    struct icp_value time;
    return sender->time_ms != 0 && !sender->replace && icp_value_get(entry, "time", &time) &&
           time.integer > (int64_t)sender->time_ms;
}

/* What the row changes of the account in the reply. */
static void row_compare(struct import_look *look, const struct import_row *row,
                        const struct import_sender *sender, struct import_change *change)
{
    bool replace = sender->replace;
    struct icp_value values = {0};
    struct icp_value entry;
    struct icp_value stored;
    struct icp_text name;
    *change = (struct import_change){0};
    keys_compare(row, &look->reply, replace, change);
    values_read(look, row);
    (void)icp_reply_get(&look->reply, "values", &values);
    struct icp_walk walk = icp_walk_over(&values);
    while (icp_next(&walk, &name, &entry)) {
        const struct feature_field *field = feature_schema_find(
            look->schema, (struct proto_span){(const uint8_t *)name.data, name.bytes});
        if (field == NULL || !icp_value_get(&entry, "value", &stored)) {
            continue;
        }
        struct feature_value *value = &look->values[field->id];
        if (value->present && is_newer(&entry, sender)) {
            change->values_kept++;
            value->present = false;
            continue;
        }
        change->values_changed += value->present && !value_same(value, &stored);
        change->values_lost += !value->present && replace;
        value->present = false;
    }
    change->values_added = values_left(look);
    bool same = change->values_added + change->values_changed + change->values_lost +
                    change->keys_added + change->keys_lost ==
                0;
    change->accounts_same = same;
    change->accounts_changed = !same;
}

static void row_is_new(struct import_look *look, const struct import_row *row,
                       struct import_change *change)
{
    values_read(look, row);
    *change = (struct import_change){
        .accounts_added = 1, .values_added = values_left(look), .keys_added = row->key_count};
}

static int answer_take(struct import_look *look, struct import_sender *sender,
                       const struct import_batch *batch, struct asks *asks)
{
    const struct ask *ask = &asks->ring[asks->received++ % LOOKS_IN_FLIGHT];
    struct look_found *found = &look->found[ask->row];
    if (!icp_receive(sender->client, ask->request_id, 0, &look->reply)) {
        /* A key or id that cannot be one is told when the row is stored. */
        enum icp_error error = look->reply.fault.code;
        bool nobody = error == ICP_NOT_FOUND || error == ICP_BAD_FIELD;
        return nobody ? EX_OK : cli_icp_fault(sender->cli, &look->reply.fault);
    }
    struct icp_text id = icp_reply_text(&look->reply, "id");
    if (found->id[0] == '\0') {
        snprintf(found->id, sizeof found->id, "%.*s", (int)id.bytes, id.data);
        snprintf(found->by, sizeof found->by, "%s", ask->by);
        struct import_row *row = &batch->rows[ask->row];
        size_t kept = look->precedence != NULL ? sources_heed(look, row, sender->source) : 0;
        if (kept == SIZE_MAX) {
            return cli_fail(sender->cli, EX_OSERR, "no memory for line %zu", row->line);
        }
        row_compare(look, row, sender, &found->change);
        found->change.values_kept += kept;
    } else if (strlen(found->id) != id.bytes || memcmp(found->id, id.data, id.bytes) != 0) {
        snprintf(found->other, sizeof found->other, "%.*s", (int)id.bytes, id.data);
        snprintf(found->other_by, sizeof found->other_by, "%s", ask->by);
    }
    return EX_OK;
}

static int question_send(struct import_look *look, struct import_sender *sender,
                         const struct import_batch *batch, struct asks *asks, struct ask ask)
{
    struct icp_fault fault;
    const struct import_row *row = &batch->rows[ask.row];
    if (asks->sent - asks->received == LOOKS_IN_FLIGHT) {
        int status = answer_take(look, sender, batch, asks);
        if (status != EX_OK) {
            return status;
        }
    }
    bool by_id = strcmp(ask.by, "id") == 0;
    icp_payload_reset(look->request);
    if (ask.address) {
        char address[PROTO_ID_BYTES_MAX + 8];
        snprintf(address, sizeof address, "site@%s", strchr(ask.by, ':') + 1);
        icp_payload_text(look->request, "email", address);
    } else {
        icp_payload_text(look->request, by_id ? "id" : "key", by_id ? row->id : ask.by);
    }
    ask.request_id = icp_send(sender->client, ICP_OP_ACCOUNT_GET, look->request, &fault);
    if (ask.request_id == 0) {
        return cli_icp_fault(sender->cli, &fault);
    }
    asks->ring[asks->sent++ % LOOKS_IN_FLIGHT] = ask;
    return EX_OK;
}

static int rows_ask(struct import_look *look, struct import_sender *sender,
                    struct import_batch *batch)
{
    struct asks asks = {.sent = 0};
    int status = EX_OK;
    for (size_t i = 0; i < batch->count && status == EX_OK; i++) {
        const struct import_row *row = &batch->rows[i];
        look->found[i] = (struct look_found){{0}, {0}, {0}, {0}, {0}};
        status = question_send(look, sender, batch, &asks, (struct ask){.row = i, .by = "id"});
        for (size_t k = 0; k < row->key_count && status == EX_OK; k++) {
            if ((row->match >> k & 1) != 0) {
                struct ask ask = {.row = i,
                                  .by = import_row_key_at(row, k),
                                  .address = (row->address >> k & 1) != 0};
                status = question_send(look, sender, batch, &asks, ask);
            }
        }
    }
    while (asks.received < asks.sent && status == EX_OK) {
        status = answer_take(look, sender, batch, &asks);
    }
    return status;
}

static void change_add(struct import_change *total, const struct import_change *change)
{
    total->accounts_added += change->accounts_added;
    total->accounts_changed += change->accounts_changed;
    total->accounts_same += change->accounts_same;
    total->values_added += change->values_added;
    total->values_changed += change->values_changed;
    total->values_lost += change->values_lost;
    total->keys_added += change->keys_added;
    total->keys_lost += change->keys_lost;
    total->values_kept += change->values_kept;
}

/* Whether the row may stay; it has the id of its account then. */
static bool row_settle(struct import_look *look, struct import_notes *notes, struct import_row *row,
                       struct look_found *found)
{
    char message[5 * PROTO_ID_BYTES_MAX];
    struct note_place place = {row->line, 0, ""};
    if (found->other[0] != '\0') {
        snprintf(message, sizeof message,
                 "the row is two accounts: \"%s\" by %s and \"%s\" by %s; join them or take a key "
                 "away first",
                 found->id, found->by, found->other, found->other_by);
        notes_refuse(notes, place, message);
        return false;
    }
    if (found->id[0] != '\0') {
        snprintf(row->id, sizeof row->id, "%s", found->id);
    }
    const struct text_entry *earlier =
        look->match ? text_count_find(&look->seen, proto_span_text(row->id)) : NULL;
    if (earlier == NULL) {
        return true;
    }
    snprintf(message, sizeof message,
             "the account \"%s\" (found by %s) is that of line %zu already", row->id,
             found->id[0] != '\0' ? found->by : "id", earlier->line);
    notes_refuse(notes, place, message);
    return false;
}

int import_look_batch(struct import_look *look, struct import_sender *sender,
                      struct import_batch *batch)
{
    int status = rows_ask(look, sender, batch);
    size_t asked = batch->count;
    for (size_t f = 0, i = 0; f < asked && status == EX_OK; f++) {
        struct import_row *row = &batch->rows[i];
        struct look_found *found = &look->found[f];
        if (!row_settle(look, sender->notes, row, found)) {
            import_batch_drop(batch, i);
            continue;
        }
        if (look->match &&
            !text_count_add(&look->seen, proto_span_text(row->id), row->line, NULL)) {
            return cli_fail(sender->cli, EX_OSERR, "no memory for line %zu", row->line);
        }
        if (found->id[0] == '\0') {
            row_is_new(look, row, &found->change);
        }
        change_add(&look->change, &found->change);
        i++;
    }
    return status;
}

/* "3 values", "1 value". */
static const char *counted(char text[48], size_t count, const char *noun)
{
    draw_number_counted((int64_t)count, noun, text, 48);
    return text;
}

json_t *import_change_json(const struct import_change *change)
{
    const struct {
        const char *name;
        size_t count;
    } counts[] = {
        {"accounts_added", change->accounts_added}, {"accounts_changed", change->accounts_changed},
        {"accounts_same", change->accounts_same},   {"values_added", change->values_added},
        {"values_changed", change->values_changed}, {"values_lost", change->values_lost},
        {"keys_added", change->keys_added},         {"keys_lost", change->keys_lost},
        {"values_kept", change->values_kept}};
    json_t *json = json_object();
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        json_object_set_new(json, counts[i].name, json_integer((json_int_t)counts[i].count));
    }
    return json;
}

void import_change_print(const struct cli *cli, const struct import_change *change, bool dry)
{
    char text[8][48];
    cli_print(cli, "%s %s, %s and %s, %s %s and %s, %s %s and %s; %s %s as they are\n",
              dry ? "would add" : "added", counted(text[0], change->accounts_added, "account"),
              counted(text[1], change->values_added, "value"),
              counted(text[2], change->keys_added, "key"), dry ? "change" : "changed",
              counted(text[3], change->accounts_changed, "account"),
              counted(text[4], change->values_changed, "value"), dry ? "take away" : "took away",
              counted(text[5], change->values_lost, "value"),
              counted(text[6], change->keys_lost, "key"),
              counted(text[7], change->accounts_same, "account"), dry ? "would stay" : "stayed");
    if (change->values_kept > 0) {
        cli_print(cli,
                  "%s %s as stored, for their source goes before or they are of a later time\n",
                  counted(text[0], change->values_kept, "value"), dry ? "would stay" : "stayed");
    }
}
