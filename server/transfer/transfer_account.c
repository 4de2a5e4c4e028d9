/* SPDX-License-Identifier: Apache-2.0 */
/* Members are checked one after the other, values by the type of their field in the newest schema
 * (or, for "#id", of any field that ever was); then the record is encoded. What is wrong is told by
 * line, column and member, and nothing of the line is kept. */
#include "server/transfer/transfer_account.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/feature/json_text.h"
#include "server/feature/span_text.h"
#include "server/identity/grammar.h"

/* A line that fits a record fits this: keys, tags and vectors are parts of it, and what is no part
 * of a record that is small enough is refused when it is encoded. */
enum { ROOM_BYTES = 2 * PROTO_RECORD_BYTES_MAX, RECORD_ROOM = PROTO_RECORD_BYTES_MAX };

struct reading {
    struct transfer_account *account;
    const struct transfer_line *line;
    struct proto_fault *fault;
    size_t scratch_bytes;
    struct proto_span keys[PROTO_KEYS_MAX];
    size_t key_count;
    bool unsourced; /* a value has no source */
    struct feature_field guessed;
};

bool transfer_account_init(struct transfer_account *account, const struct feature_schema *schema,
                           struct proto_fault *fault)
{
    *account = (struct transfer_account){.schema = schema};
    account->values = malloc(FEATURE_IDS_MAX * sizeof *account->values);
    account->others = malloc(FEATURE_IDS_MAX * sizeof *account->others);
    account->scratch = malloc(ROOM_BYTES);
    account->record = malloc(RECORD_ROOM);
    if (account->values != NULL && account->others != NULL && account->scratch != NULL &&
        account->record != NULL) {
        return true;
    }
    transfer_account_fini(account);
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for an account");
}

void transfer_account_fini(struct transfer_account *account)
{
    free(account->values);
    free(account->others);
    free(account->scratch);
    free(account->record);
    *account = (struct transfer_account){0};
}

static uint8_t *room_take(struct reading *reading, size_t bytes, struct transfer_place place)
{
    if (bytes > ROOM_BYTES - reading->scratch_bytes) {
        transfer_line_refuse(reading->line, place, reading->fault,
                             "an account of more than %d bytes; at most that is stored",
                             PROTO_RECORD_BYTES_MAX);
        return NULL;
    }
    uint8_t *room = reading->account->scratch + reading->scratch_bytes;
    reading->scratch_bytes += bytes;
    return room;
}

static bool keys_read(struct reading *reading)
{
    const struct transfer_place place = TRANSFER_AT("keys");
    const json_t *keys = json_object_get(reading->line->json, "keys");
    if (!json_is_array(keys)) {
        return transfer_line_refuse(reading->line, place, reading->fault,
                                    "\"keys\" must be an array of texts, and is %s",
                                    feature_json_kind(keys));
    }
    reading->key_count = json_array_size(keys);
    if (reading->key_count > PROTO_KEYS_MAX) {
        return transfer_line_refuse(reading->line, place, reading->fault,
                                    "%zu keys, at most %d are allowed", reading->key_count,
                                    PROTO_KEYS_MAX);
    }
    for (size_t i = 0; i < reading->key_count; i++) {
        const json_t *key = json_array_get(keys, i);
        uint8_t *room = room_take(reading, json_string_length(key), place);
        if (room == NULL) {
            return false;
        }
        if (!json_is_string(key)) {
            return transfer_line_refuse(reading->line, place, reading->fault,
                                        "keys[%zu] must be a text, and is %s", i,
                                        feature_json_kind(key));
        }
        if (!identity_key_normal(feature_json_span(key), room, &reading->keys[i], "keys",
                                 reading->fault)) {
            return transfer_line_within(reading->line, place, reading->fault);
        }
    }
    return true;
}

/* Of a field whose schema a repair gave up nothing is left but its id and what values it has: they
 * are kept as what they look like. */
static const struct feature_field *field_guess(struct reading *reading, uint16_t id,
                                               const json_t *value)
{
    const json_t *content = json_object_get(value, "value");
    bool vector = json_is_number(json_array_get(content, 0));
    reading->guessed = (struct feature_field){.id = id,
                                              .type = json_is_array(content)
                                                          ? (vector ? FEATURE_VECTOR : FEATURE_TAGS)
                                                      : json_is_string(content)  ? FEATURE_CATEGORY
                                                      : json_is_boolean(content) ? FEATURE_FLAG
                                                                                 : FEATURE_NUMBER,
                                              .dims = (uint16_t)json_array_size(content)};
    return json_array_size(content) <= PROTO_VECTOR_DIMS_MAX ? &reading->guessed : NULL;
}

static const struct feature_field *field_find(struct reading *reading, const char *name,
                                              const json_t *value)
{
    const struct feature_schema *schema = reading->account->schema;
    const struct feature_field *field = NULL;
    char *end;
    if (name[0] != '#') {
        return schema == NULL ? NULL : feature_schema_find(schema, proto_span_text(name));
    }
    unsigned long id = strtoul(name + 1, &end, 10);
    if (name[1] < '0' || name[1] > '9' || *end != '\0' || id >= FEATURE_IDS_MAX) {
        return NULL;
    }
    for (size_t i = 0; schema != NULL && i < schema->retired_count; i++) {
        if (schema->retired[i].id == id) {
            return &schema->retired[i];
        }
    }
    field = schema == NULL ? NULL : feature_schema_by_id(schema, (uint16_t)id);
    return field == NULL && reading->account->unnamed ? field_guess(reading, (uint16_t)id, value)
                                                      : field;
}

static bool unknown_refuse(struct reading *reading, const char *name)
{
    const struct feature_schema *schema = reading->account->schema;
    const struct feature_field *nearest =
        schema == NULL ? NULL : feature_schema_nearest(schema, proto_span_text(name));
    return transfer_line_refuse(reading->line, TRANSFER_AT("values", name), reading->fault,
                                "no field of the newest schema is called \"%s\"%s%s%s", name,
                                nearest != NULL ? "; did you mean \"" : "",
                                nearest != NULL ? nearest->name : "", nearest != NULL ? "\"?" : "");
}

static bool type_refuse(struct reading *reading, const char *name, const char *wanted,
                        const json_t *found)
{
    return transfer_line_refuse(reading->line, TRANSFER_AT("values", name, "value"), reading->fault,
                                "%s must be %s, and is %s", name, wanted, feature_json_kind(found));
}

static bool tags_read(struct reading *reading, const char *name, const json_t *given,
                      struct feature_value *value)
{
    const struct transfer_place place = TRANSFER_AT("values", name, "value");
    struct proto_span tags[PROTO_TAGS_MAX];
    size_t count = json_array_size(given);
    size_t bytes = 0;
    if (count > PROTO_TAGS_MAX) {
        return transfer_line_refuse(reading->line, place, reading->fault,
                                    "%s must have at most %d tags, and has %zu", name,
                                    PROTO_TAGS_MAX, count);
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *tag = json_array_get(given, i);
        if (!json_is_string(tag)) {
            return type_refuse(reading, name, "an array of texts", tag);
        }
        tags[i] = feature_json_span(tag);
        bytes += tags[i].bytes + 2;
    }
    uint8_t *room = room_take(reading, bytes, place);
    size_t packed = room == NULL ? 0 : feature_tags_pack(tags, count, room, bytes, reading->fault);
    value->tags = (struct proto_span){room, packed};
    return packed > 0 || (count == 0 && room != NULL) ||
           (room != NULL && transfer_line_within(reading->line, place, reading->fault));
}

static bool vector_read(struct reading *reading, const char *name,
                        const struct feature_field *field, const json_t *given,
                        struct feature_value *value)
{
    const struct transfer_place place = TRANSFER_AT("values", name, "value");
    size_t dims = json_array_size(given);
    if (dims != field->dims) {
        return transfer_line_refuse(reading->line, place, reading->fault,
                                    "%s must have %u numbers, and has %zu", name,
                                    (unsigned)field->dims, dims);
    }
    uint8_t *room = room_take(reading, dims * sizeof(float), place);
    if (room == NULL) {
        return false;
    }
    for (size_t i = 0; i < dims; i++) {
        const json_t *number = json_array_get(given, i);
        if (!json_is_number(number)) {
            return type_refuse(reading, name, "an array of numbers", number);
        }
        float part = (float)json_number_value(number);
        if (!isfinite(part)) {
            return transfer_line_refuse(reading->line, place, reading->fault,
                                        "%s[%zu] is too large for a vector", name, i);
        }
        memcpy(room + i * sizeof part, &part, sizeof part);
    }
    value->vector = (struct proto_span){room, dims * sizeof(float)};
    return true;
}

static bool content_read(struct reading *reading, const char *name,
                         const struct feature_field *field, const json_t *given,
                         struct feature_value *value)
{
    value->type = field->type;
    switch (field->type) {
    case FEATURE_NUMBER:
        value->number = json_number_value(given);
        return json_is_number(given) || type_refuse(reading, name, "a number", given);
    case FEATURE_DATE:
        value->number = json_number_value(given);
        return (json_is_number(given) && feature_value_valid(value)) ||
               type_refuse(reading, name, "whole milliseconds since 1970 in the years 1 to 9999",
                           given);
    case FEATURE_FLAG:
        value->flag = json_is_true(given);
        return json_is_boolean(given) || type_refuse(reading, name, "true or false", given);
    case FEATURE_CATEGORY:
        if (!json_is_string(given)) {
            return type_refuse(reading, name, "a text", given);
        }
        value->text = feature_json_span(given);
        return feature_value_valid(value) ||
               transfer_line_refuse(reading->line, TRANSFER_AT("values", name, "value"),
                                    reading->fault, "%s must have 1 to %d bytes, and has %zu", name,
                                    PROTO_CATEGORY_BYTES_MAX, value->text.bytes);
    case FEATURE_TAGS:
        return json_is_array(given) ? tags_read(reading, name, given, value)
                                    : type_refuse(reading, name, "an array of texts", given);
    case FEATURE_VECTOR:
        return json_is_array(given) ? vector_read(reading, name, field, given, value)
                                    : type_refuse(reading, name, "an array of numbers", given);
    }
    return false;
}

/* The place of a source among those of the account. */
static bool source_read(struct reading *reading, const char *name, const json_t *given,
                        uint8_t *place)
{
    struct transfer_account *account = reading->account;
    if (given == NULL) {
        *place = 0;
        reading->unsourced = true;
        return true;
    }
    struct proto_span source = feature_json_span(given);
    if (!json_is_string(given) || source.bytes == 0 || source.bytes > PROTO_SOURCE_BYTES_MAX) {
        return transfer_line_refuse(reading->line, TRANSFER_AT("values", name, "source"),
                                    reading->fault, "a source is a text of 1 to %d bytes",
                                    PROTO_SOURCE_BYTES_MAX);
    }
    for (size_t i = 0; i < account->source_count; i++) {
        if (proto_span_equal(account->sources[i], source)) {
            *place = (uint8_t)i;
            return true;
        }
    }
    if (account->source_count == PROTO_SOURCES_MAX) {
        return transfer_line_refuse(reading->line, TRANSFER_AT("values", name, "source"),
                                    reading->fault, "an account has at most %d sources",
                                    PROTO_SOURCES_MAX);
    }
    *place = (uint8_t)account->source_count;
    account->sources[account->source_count++] = source;
    return true;
}

static bool value_read(struct reading *reading, const char *name, const json_t *given)
{
    static const char *const names[] = {"value", "source", "time_ms"};
    const struct feature_field *field = field_find(reading, name, given);
    const struct transfer_place place = TRANSFER_AT("values", name);
    if (field == NULL) {
        return unknown_refuse(reading, name);
    }
    if (!json_is_object(given)) {
        return transfer_line_refuse(reading->line, place, reading->fault,
                                    "a value is {\"value\": …, \"source\": …, \"time_ms\": …}, and "
                                    "this is %s",
                                    feature_json_kind(given));
    }
    if (!feature_json_members_known(given, names, 3, PROTO_BAD_FIELD, reading->fault)) {
        return transfer_line_within(reading->line, place, reading->fault);
    }
    const json_t *time = json_object_get(given, "time_ms");
    if (!json_is_integer(time)) {
        return transfer_line_refuse(reading->line, place, reading->fault,
                                    "\"time_ms\" must be a whole number, and is %s",
                                    feature_json_kind(time));
    }
    struct feature_value value = {.present = true, .time_ms = json_integer_value(time)};
    if (!content_read(reading, name, field, json_object_get(given, "value"), &value) ||
        !source_read(reading, name, json_object_get(given, "source"), &value.source)) {
        return false;
    }
    reading->account->values[field->id] = value;
    return true;
}

static bool values_read(struct reading *reading)
{
    json_t *values = json_object_get(reading->line->json, "values");
    const char *name;
    json_t *given;
    if (!json_is_object(values)) {
        return transfer_line_refuse(reading->line, TRANSFER_AT("values"), reading->fault,
                                    "\"values\" must be an object, and is %s",
                                    feature_json_kind(values));
    }
    memset(reading->account->values, 0, FEATURE_IDS_MAX * sizeof *reading->account->values);
    json_object_foreach(values, name, given)
    {
        if (!value_read(reading, name, given)) {
            return false;
        }
    }
    return !reading->unsourced || reading->account->source_count == 0 ||
           transfer_line_refuse(reading->line, TRANSFER_AT("values"), reading->fault,
                                "some values have a \"source\" and some have not: all or none");
}

static bool record_make(struct reading *reading, int64_t created_s, int64_t changed_s)
{
    struct transfer_account *account = reading->account;
    const struct feature_record record = {.id = account->id,
                                          .created_s = created_s,
                                          .changed_s = changed_s,
                                          .keys = reading->keys,
                                          .key_count = reading->key_count,
                                          .sources = account->sources,
                                          .source_count = account->source_count,
                                          .values = account->values,
                                          .value_slots = FEATURE_IDS_MAX};
    size_t bytes = feature_record_encode(&record, account->record, RECORD_ROOM, reading->fault);
    if (bytes == 0) {
        return transfer_line_within(reading->line, TRANSFER_AT("values"), reading->fault);
    }
    account->encoded = (struct proto_span){account->record, bytes};
    return bytes <= RECORD_ROOM ||
           transfer_line_refuse(reading->line, TRANSFER_AT("values"), reading->fault,
                                "an account of %zu bytes; at most %d", bytes,
                                PROTO_RECORD_BYTES_MAX);
}

bool transfer_account_read(struct transfer_account *account, const struct transfer_line *line,
                           struct proto_fault *fault)
{
    static const char *const names[] = {"account", "created_s", "changed_s",
                                        "keys",    "values",    "history"};
    struct reading reading = {.account = account, .line = line, .fault = fault};
    int64_t created_s;
    int64_t changed_s;
    account->source_count = 0;
    if (!transfer_line_known(line, names, sizeof names / sizeof *names, fault) ||
        !transfer_line_text(line, "account", &account->id, fault)) {
        return false;
    }
    if (!identity_id_check(account->id, "account", fault)) {
        return transfer_line_within(line, TRANSFER_AT("account"), fault);
    }
    return transfer_line_int(line, "created_s", 0, UINT32_MAX, &created_s, fault) &&
           transfer_line_int(line, "changed_s", 0, UINT32_MAX, &changed_s, fault) &&
           keys_read(&reading) && values_read(&reading) &&
           record_make(&reading, created_s, changed_s);
}

static bool content_same(const struct feature_value *a, const struct feature_value *b)
{
    if (!a->present || !b->present) {
        return a->present == b->present;
    }
    if (a->type != b->type || a->time_ms != b->time_ms) {
        return false;
    }
    switch (a->type) {
    case FEATURE_NUMBER:
    case FEATURE_DATE:
        return a->number == b->number && signbit(a->number) == signbit(b->number);
    case FEATURE_FLAG:
        return a->flag == b->flag;
    case FEATURE_CATEGORY:
        return proto_span_equal(a->text, b->text);
    case FEATURE_TAGS:
        return proto_span_equal(a->tags, b->tags);
    case FEATURE_VECTOR:
        return proto_span_equal(a->vector, b->vector);
    }
    return false;
}

bool transfer_account_same(struct transfer_account *account, struct proto_span stored)
{
    struct feature_record one;
    struct feature_record other;
    struct proto_fault fault = {.code = PROTO_OK};
    if (!feature_record_open(account->encoded, false, &one, &fault) ||
        !feature_record_open(stored, true, &other, &fault) || !proto_span_equal(one.id, other.id) ||
        one.created_s != other.created_s || one.changed_s != other.changed_s ||
        !proto_span_equal(one.key_bytes, other.key_bytes)) {
        return false;
    }
    feature_record_values(&one, account->values, FEATURE_IDS_MAX);
    feature_record_values(&other, account->others, FEATURE_IDS_MAX);
    for (size_t i = 0; i < FEATURE_IDS_MAX; i++) {
        const struct feature_value *a = &account->values[i];
        const struct feature_value *b = &account->others[i];
        if (!content_same(a, b) ||
            (a->present && !proto_span_equal(feature_record_source(&one, a->source),
                                             feature_record_source(&other, b->source)))) {
            return false;
        }
    }
    return true;
}
