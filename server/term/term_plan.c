/* SPDX-License-Identifier: Apache-2.0 */
/* An entry is made or read, judged by the rules of its act, and chained. A line that is read must
 * be canonical to the byte, must have the number that follows and the hash that follows: each of
 * these is a fault of its own, so that whoever verifies can tell them apart. */
#include "server/term/term_plan.h"

#include <inttypes.h>
#include <stdlib.h>

#include "proto/reader.h"
#include "server/feature/json_text.h"
#include "server/term/term_json.h"
#include "server/term/term_rule.h"
#include "server/term/term_value.h"

static bool memory_out(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a plan");
}

bool term_name_check(struct proto_span name, struct proto_fault *fault)
{
    bool good = name.bytes > 0 && name.bytes <= PROTO_PLAN_NAME_BYTES_MAX;
    for (size_t i = 0; good && i < name.bytes; i++) {
        good = name.data[i] >= ' ' && name.data[i] != 0x7f;
    }
    return (good && proto_utf8_valid(name)) ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "name",
                           "a plan's name has 1 to %d bytes of UTF-8 without control characters",
                           PROTO_PLAN_NAME_BYTES_MAX);
}

bool term_plan_init(struct term_plan *plan, struct proto_span name, struct proto_fault *fault)
{
    *plan = (struct term_plan){.terms = json_object(), .signed_by = json_object()};
    if (!term_name_check(name, fault)) {
        return false;
    }
    memcpy(plan->name, name.data, name.bytes);
    return (plan->terms != NULL && plan->signed_by != NULL) || memory_out(fault);
}

void term_plan_fini(struct term_plan *plan)
{
    json_decref(plan->terms);
    json_decref(plan->signed_by);
    *plan = (struct term_plan){.state = TERM_STATE_FIT};
}

/* Judges and chains an entry whose canonical text is known. */
static bool entry_take(struct term_plan *plan, const json_t *entry, struct proto_span text,
                       struct proto_fault *fault)
{
    const char *act = json_string_value(json_object_get(entry, "act"));
    int64_t at_ms = json_integer_value(json_object_get(entry, "at_ms"));
    if (at_ms < plan->at_ms) {
        return proto_fault_set(fault, PROTO_CONFLICT, "at_ms",
                               "entry %" PRIu32 " says that it is older than the one before it",
                               plan->entries + 1);
    }
    if (!term_rule_apply(plan, act == NULL ? "" : act, json_object_get(entry, "body"),
                         plan->entries + 1, fault)) {
        return false;
    }
    plan->entries++;
    plan->at_ms = at_ms;
    plan->head = term_chain_next(&plan->head, text);
    return true;
}

static json_t *entry_make(const struct term_plan *plan, const char *act, int64_t at_ms,
                          struct proto_span by, const json_t *body)
{
    json_t *entry = json_object();
    bool good = json_object_set_new(entry, "act", json_string(act)) == 0;
    good = json_object_set_new(entry, "at_ms", json_integer(at_ms)) == 0 && good;
    good = json_object_set_new(entry, "body", json_deep_copy(body)) == 0 && good;
    good = json_object_set_new(entry, "by",
                               json_stringn(by.bytes > 0 ? (const char *)by.data : "", by.bytes)) ==
               0 &&
           good;
    good = json_object_set_new(entry, "number", json_integer(plan->entries + 1)) == 0 && good;
    good = json_object_set_new(entry, "plan", json_string(plan->name)) == 0 && good;
    if (!good) {
        json_decref(entry);
        return NULL;
    }
    return entry;
}

/* The line of an entry: its text with the hash behind it, which is canonical as it stands. */
static char *line_make(const char *text, size_t text_bytes, const struct term_hash *hash,
                       size_t *bytes)
{
    static const char before[] = "{\"entry\":";
    static const char between[] = ",\"hash\":\"";
    char hex[TERM_HASH_HEX + 1];
    size_t room = sizeof before + text_bytes + sizeof between + TERM_HASH_HEX + 3;
    char *line = malloc(room);
    if (line == NULL) {
        return NULL;
    }
    term_hex_print(hash->bytes, sizeof hash->bytes, hex);
    *bytes =
        (size_t)snprintf(line, room, "%s%.*s%s%s\"}", before, (int)text_bytes, text, between, hex);
    return line;
}

char *term_plan_add(struct term_plan *plan, const char *act, int64_t at_ms, struct proto_span by,
                    const json_t *body, size_t *bytes, struct proto_fault *fault)
{
    size_t text_bytes = 0;
    char *line = NULL;
    json_t *entry = entry_make(plan, act, at_ms, by, body);
    char *text = NULL;
    if (entry == NULL) {
        (void)memory_out(fault);
    } else if (term_value_check(body, fault)) {
        text = term_json_print(entry, &text_bytes, fault);
    }
    if (text != NULL && text_bytes > PROTO_PLAN_ENTRY_BYTES_MAX) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "body", "an entry of %zu bytes; at most %d",
                        text_bytes, PROTO_PLAN_ENTRY_BYTES_MAX);
    } else if (text != NULL &&
               entry_take(plan, entry, (struct proto_span){(const uint8_t *)text, text_bytes},
                          fault)) {
        line = line_make(text, text_bytes, &plan->head, bytes);
        if (line == NULL) {
            (void)memory_out(fault);
        }
    }
    free(text);
    json_decref(entry);
    return line;
}

static bool not_canonical(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_BAD_FIELD, "line",
                           "the line is not an entry with its hash in canonical JSON");
}

static bool line_read(struct term_line *opened, struct proto_span line, struct proto_fault *fault)
{
    static const char *const names[] = {"entry", "hash"};
    static const char *const members[] = {"act", "at_ms", "body", "by", "number", "plan"};
    const json_t *hash = json_object_get(opened->line, "hash");
    opened->entry = json_object_get(opened->line, "entry");
    const json_t *number = json_object_get(opened->entry, "number");
    size_t bytes = 0;
    char *again = term_json_print(opened->line, &bytes, fault);
    if (again == NULL) {
        return false;
    }
    bool same = bytes == line.bytes && memcmp(again, line.data, bytes) == 0;
    free(again);
    struct proto_fault unknown = {.code = PROTO_OK};
    if (!same || !json_is_string(hash) || !json_is_integer(number) ||
        !json_is_integer(json_object_get(opened->entry, "at_ms")) ||
        !json_is_string(json_object_get(opened->entry, "by")) ||
        !json_is_string(json_object_get(opened->entry, "act")) ||
        !json_is_string(json_object_get(opened->entry, "plan")) ||
        !json_is_object(json_object_get(opened->entry, "body")) || json_integer_value(number) < 1 ||
        json_integer_value(number) > UINT32_MAX ||
        !term_hex_read(feature_json_span(hash), opened->hash.bytes, TERM_HASH_BYTES) ||
        !feature_json_members_known(opened->line, names, 2, PROTO_BAD_FIELD, &unknown) ||
        !feature_json_members_known(opened->entry, members, 6, PROTO_BAD_FIELD, &unknown)) {
        return unknown.code == PROTO_NO_MEMORY ? memory_out(fault) : not_canonical(fault);
    }
    opened->number = (uint32_t)json_integer_value(number);
    opened->text = term_json_print(opened->entry, &opened->text_bytes, fault);
    return opened->text != NULL;
}

bool term_line_open(struct proto_span line, struct term_line *opened, struct proto_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    *opened = (struct term_line){.line = NULL};
    if (line.bytes == 0 || line.bytes > PROTO_PLAN_ENTRY_BYTES_MAX + 128) {
        return not_canonical(fault);
    }
    opened->line = feature_json_load(line, PROTO_BAD_FIELD, &found);
    if (opened->line == NULL) {
        return found.code == PROTO_NO_MEMORY ? memory_out(fault) : not_canonical(fault);
    }
    if (!json_is_object(opened->line) || !json_is_object(json_object_get(opened->line, "entry"))) {
        term_line_fini(opened);
        return not_canonical(fault);
    }
    if (!line_read(opened, line, fault)) {
        term_line_fini(opened);
        return false;
    }
    return true;
}

void term_line_fini(struct term_line *opened)
{
    json_decref(opened->line);
    free(opened->text);
    *opened = (struct term_line){.line = NULL};
}

static bool opened_take(struct term_plan *plan, const struct term_line *opened,
                        struct proto_fault *fault)
{
    struct proto_span text = {(const uint8_t *)opened->text, opened->text_bytes};
    const char *name = json_string_value(json_object_get(opened->entry, "plan"));
    if (opened->number != plan->entries + 1) {
        return proto_fault_set(fault, PROTO_CORRUPT, "number",
                               "entry %" PRIu32 " follows on entry %" PRIu32, opened->number,
                               plan->entries);
    }
    if (name == NULL || strcmp(name, plan->name) != 0) {
        return proto_fault_set(fault, PROTO_CORRUPT, "plan", "entry %" PRIu32 " is of another plan",
                               opened->number);
    }
    struct term_hash next = term_chain_next(&plan->head, text);
    if (!term_hash_equal(&next, &opened->hash)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "hash",
                               "entry %" PRIu32 " does not have the hash that follows",
                               opened->number);
    }
    return entry_take(plan, opened->entry, text, fault);
}

bool term_plan_take(struct term_plan *plan, struct proto_span line, struct proto_fault *fault)
{
    struct term_line opened;
    if (!term_line_open(line, &opened, fault)) {
        return false;
    }
    bool good = opened_take(plan, &opened, fault);
    term_line_fini(&opened);
    return good;
}

/* The plan is the last member of an entry, and nothing but the hash follows, which has one length.
 * A name's text is its canonical form as long as it has no quotation mark or backslash; such a one
 * is compared by reading the line. */
bool term_line_of(struct proto_span line, struct proto_span name)
{
    static const char member[] = ",\"plan\":\"";
    const size_t behind = sizeof "\"},\"hash\":\"" - 1 + TERM_HASH_HEX + sizeof "\"}" - 1;
    struct term_line opened;
    struct proto_fault ignored;
    bool escaped = name.bytes > 0 && (memchr(name.data, '"', name.bytes) != NULL ||
                                      memchr(name.data, '\\', name.bytes) != NULL);
    if (escaped) {
        bool same = term_line_open(line, &opened, &ignored);
        same = same &&
               proto_span_equal(feature_json_span(json_object_get(opened.entry, "plan")), name);
        term_line_fini(&opened);
        return same;
    }
    size_t front = sizeof member - 1;
    if (name.bytes == 0 || line.bytes < front + name.bytes + behind) {
        return false;
    }
    const uint8_t *at = line.data + line.bytes - behind - name.bytes;
    return memcmp(at, name.data, name.bytes) == 0 && memcmp(at - front, member, front) == 0;
}
