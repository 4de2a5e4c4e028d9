/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are numbered first, so that an entry that is missing can be told from one that stands
 * elsewhere. Then each is read: what is not canonical, or has not the hash that follows, was
 * altered; what has it and breaks a rule, or is signed by nobody, was forged. The last line says
 * how many entries there were and what the newest hash was. */
#include "server/term/term_audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/feature/json_text.h"
#include "server/term/term_json.h"

const char *term_wrong_word(enum term_wrong wrong)
{
    static const char *const words[] = {[TERM_SOUND] = "sound",
                                        [TERM_ALTERED] = "altered",
                                        [TERM_DROPPED] = "dropped",
                                        [TERM_REORDERED] = "reordered",
                                        [TERM_FORGED] = "forged"};
    return words[wrong];
}

/* One line: what it is, and which number it says. */
struct row {
    struct proto_span text;
    uint32_t number; /* 0: it cannot be read; of the last line: one more than it says */
    bool end;
};

/* Entries of a store, with the first and the last line; and a line of these two in bytes: a name
 * all of whose bytes are escaped, and what stands around it. */
enum {
    LINES_MAX = PROTO_PLAN_ENTRIES_MAX + 2,
    FRAME_BYTES_MAX = 6 * PROTO_PLAN_NAME_BYTES_MAX + 128
};

struct auditing {
    struct row *rows;
    size_t count;
    struct term_plan *plan;
    struct term_finding *finding;
    struct proto_fault *fault;
};

static char *dumped(json_t *json)
{
    struct proto_fault fault;
    size_t bytes = 0;
    char *text = json == NULL ? NULL : term_json_print(json, &bytes, &fault);
    json_decref(json);
    return text;
}

char *term_export_head(const char *plan)
{
    return dumped(json_pack("{s:i, s:s, s:s}", "format", 1, "icp", "plan export", "plan", plan));
}

char *term_export_end(uint32_t entries, const struct term_hash *head)
{
    char hex[TERM_HASH_HEX + 1];
    term_hex_print(head->bytes, sizeof head->bytes, hex);
    return dumped(json_pack("{s:s, s:I, s:s}", "end", "plan export", "entries", (json_int_t)entries,
                            "head", hex));
}

static void find(struct auditing *auditing, enum term_wrong wrong, uint32_t entry, size_t line,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

static void find(struct auditing *auditing, enum term_wrong wrong, uint32_t entry, size_t line,
                 const char *format, ...)
{
    va_list arguments;
    *auditing->finding = (struct term_finding){.wrong = wrong, .entry = entry, .line = line};
    va_start(arguments, format);
    vsnprintf(auditing->finding->message, sizeof auditing->finding->message, format, arguments);
    va_end(arguments);
}

/* A JSON line that is no entry: its object if it is one; NULL with *fault of no memory, or without.
 */
static json_t *line_load(struct proto_span text, struct proto_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    json_t *json = text.bytes == 0 || text.bytes > FRAME_BYTES_MAX
                       ? NULL
                       : feature_json_load(text, PROTO_BAD_FIELD, &found);
    if (found.code == PROTO_NO_MEMORY) {
        *fault = found;
    }
    return json;
}

static bool row_look(struct row *row, struct proto_fault *fault)
{
    struct term_line opened;
    struct proto_fault found = {.code = PROTO_OK};
    if (term_line_open(row->text, &opened, &found)) {
        row->number = opened.number;
        term_line_fini(&opened);
        return true;
    }
    if (found.code == PROTO_NO_MEMORY) {
        *fault = found;
        return false;
    }
    json_t *json = line_load(row->text, &found);
    const json_t *entries = json_object_get(json, "entries");
    row->end = json_is_string(json_object_get(json, "end"));
    if (row->end && json_is_integer(entries) && json_integer_value(entries) >= 0 &&
        json_integer_value(entries) < UINT32_MAX) {
        row->number = (uint32_t)json_integer_value(entries) + 1;
    }
    json_decref(json);
    if (found.code == PROTO_NO_MEMORY) {
        *fault = found;
    }
    return found.code != PROTO_NO_MEMORY;
}

/* The text as rows; one without an end of line is a row as well. A store holds no more entries than
 * PROTO_PLAN_ENTRIES_MAX, so a text of more lines is none of an export, and nothing is kept for it.
 */
static bool rows_make(struct auditing *auditing, struct proto_span text)
{
    size_t room = 1;
    for (size_t i = 0; i < text.bytes && room <= LINES_MAX + 1; i++) {
        room += text.data[i] == '\n';
    }
    if (room > LINES_MAX + 1 || (room == LINES_MAX + 1 && text.data[text.bytes - 1] != '\n')) {
        find(auditing, TERM_ALTERED, 0, LINES_MAX + 1,
             "the text has more than %d lines, which no export of a plan has", LINES_MAX);
        return true;
    }
    auditing->rows = calloc(room, sizeof *auditing->rows);
    if (auditing->rows == NULL) {
        return proto_fault_set(auditing->fault, PROTO_NO_MEMORY, "", "no memory for %zu lines",
                               room);
    }
    for (size_t at = 0; at < text.bytes;) {
        const uint8_t *end = memchr(text.data + at, '\n', text.bytes - at);
        size_t bytes = end == NULL ? text.bytes - at : (size_t)(end - text.data) - at;
        struct row *row = &auditing->rows[auditing->count++];
        row->text = (struct proto_span){text.data + at, bytes};
        if (!row_look(row, auditing->fault)) {
            return false;
        }
        at += bytes + 1;
    }
    return true;
}

/* The name of the first line, which must be what an export begins with. */
static bool head_check(struct auditing *auditing)
{
    struct proto_span text = auditing->count > 0 ? auditing->rows[0].text : (struct proto_span){0};
    json_t *json = line_load(text, auditing->fault);
    const json_t *name = json_object_get(json, "plan");
    struct proto_fault ignored;
    char *wanted = json_is_string(name) ? term_export_head(json_string_value(name)) : NULL;
    bool memory = json_is_string(name) && wanted == NULL;
    bool same = wanted != NULL && proto_span_is(text, wanted) &&
                term_name_check(feature_json_span(name), &ignored);
    free(wanted);
    if (same) {
        memory = !term_plan_init(auditing->plan, feature_json_span(name), auditing->fault);
    } else if (!memory && auditing->fault->code == PROTO_OK) {
        find(auditing, TERM_ALTERED, 0, 1,
             "the first line was altered: it is not that of a plan's export");
    }
    json_decref(json);
    if (memory) {
        proto_fault_set(auditing->fault, PROTO_NO_MEMORY, "", "no memory for a plan");
    }
    return same && !memory;
}

static bool stands_behind(const struct auditing *auditing, size_t at, uint32_t number)
{
    for (size_t i = at + 1; i < auditing->count; i++) {
        if (!auditing->rows[i].end && auditing->rows[i].number == number) {
            return true;
        }
    }
    return false;
}

/* Whether nothing of an entry but its number is another than it was: with the number that follows
 * it has the hash that follows. */
static bool number_altered(struct auditing *auditing, size_t at, uint32_t wanted)
{
    struct term_line opened;
    struct proto_fault found = {.code = PROTO_OK};
    size_t bytes = 0;
    bool same = false;
    if (term_line_open(auditing->rows[at].text, &opened, &found)) {
        json_t *entry = json_object_get(opened.line, "entry");
        char *text = json_object_set_new(entry, "number", json_integer(wanted)) == 0
                         ? term_json_print(entry, &bytes, &found)
                         : NULL;
        if (text != NULL) {
            struct proto_span span = {(const uint8_t *)text, bytes};
            struct term_hash next = term_chain_next(&auditing->plan->head, span);
            same = term_hash_equal(&next, &opened.hash);
        } else {
            proto_fault_set(&found, PROTO_NO_MEMORY, "", "no memory for a plan");
        }
        free(text);
        term_line_fini(&opened);
    }
    if (found.code == PROTO_NO_MEMORY) {
        *auditing->fault = found;
    }
    return same;
}

/* An entry whose number is not the one that follows. */
static void misplaced(struct auditing *auditing, size_t at, uint32_t wanted)
{
    const struct row *row = &auditing->rows[at];
    if (number_altered(auditing, at, wanted)) {
        find(auditing, TERM_ALTERED, wanted, at + 1,
             "entry %" PRIu32 " was altered: it says that it is entry %" PRIu32, wanted,
             row->number);
    } else if (stands_behind(auditing, at, wanted)) {
        find(auditing, TERM_REORDERED, wanted, at + 1,
             "entries were reordered: entry %" PRIu32 " stands where entry %" PRIu32 " belongs",
             row->number, wanted);
    } else if (row->number > wanted) {
        find(auditing, TERM_DROPPED, wanted, at + 1,
             "entry %" PRIu32 " was dropped: entry %" PRIu32 " follows on entry %" PRIu32, wanted,
             row->number, wanted - 1);
    } else {
        find(auditing, TERM_REORDERED, row->number, at + 1,
             "entries were reordered: entry %" PRIu32 " stands again behind entry %" PRIu32,
             row->number, wanted - 1);
    }
}

/* The entry of a row by itself and behind the one before; true: it may be judged by the rules. */
static bool entry_check(struct auditing *auditing, size_t at, uint32_t wanted)
{
    struct term_line opened;
    struct proto_fault found = {.code = PROTO_OK};
    const struct row *row = &auditing->rows[at];
    if (row->end) {
        find(auditing, TERM_REORDERED, wanted, at + 1,
             "lines were reordered: the last one stands where entry %" PRIu32 " belongs", wanted);
        return false;
    }
    if (row->number != 0 && row->number != wanted) {
        misplaced(auditing, at, wanted);
        return false;
    }
    if (!term_line_open(row->text, &opened, &found)) {
        if (found.code == PROTO_NO_MEMORY) {
            *auditing->fault = found;
        } else {
            find(auditing, TERM_ALTERED, wanted, at + 1, "entry %" PRIu32 " was altered: %s",
                 wanted, found.message);
        }
        return false;
    }
    struct proto_span text = {(const uint8_t *)opened.text, opened.text_bytes};
    struct term_hash next = term_chain_next(&auditing->plan->head, text);
    bool same = term_hash_equal(&next, &opened.hash);
    const char *name = json_string_value(json_object_get(opened.entry, "plan"));
    bool named = name != NULL && strcmp(name, auditing->plan->name) == 0;
    term_line_fini(&opened);
    if (!same) {
        find(auditing, TERM_ALTERED, wanted, at + 1,
             "entry %" PRIu32 " was altered: it does not have the hash that follows on entry "
             "%" PRIu32,
             wanted, wanted - 1);
    } else if (!named && wanted == 1) {
        find(auditing, TERM_ALTERED, 0, 1,
             "the first line was altered: it names another plan than the entries");
    } else if (!named) {
        find(auditing, TERM_FORGED, wanted, at + 1,
             "entry %" PRIu32 " was forged: it is of another plan", wanted);
    }
    return same && named;
}

static bool entry_take(struct auditing *auditing, size_t at)
{
    struct proto_fault found = {.code = PROTO_OK};
    uint32_t wanted = auditing->plan->entries + 1;
    if (!entry_check(auditing, at, wanted)) {
        return false;
    }
    if (term_plan_take(auditing->plan, auditing->rows[at].text, &found)) {
        return true;
    }
    if (found.code == PROTO_NO_MEMORY) {
        *auditing->fault = found;
    } else {
        find(auditing, TERM_FORGED, wanted, at + 1, "entry %" PRIu32 " was forged: %s", wanted,
             found.message);
    }
    return false;
}

/* The last row, behind all entries. */
static void end_check(struct auditing *auditing, size_t at)
{
    const struct term_plan *plan = auditing->plan;
    const struct row *row = &auditing->rows[at];
    char *wanted = term_export_end(plan->entries, &plan->head);
    if (wanted == NULL) {
        proto_fault_set(auditing->fault, PROTO_NO_MEMORY, "", "no memory for a plan");
        return;
    }
    char head[TERM_HASH_HEX + 1];
    term_hex_print(plan->head.bytes, sizeof plan->head.bytes, head);
    bool same = proto_span_is(row->text, wanted);
    bool of_head = memmem(row->text.data, row->text.bytes, head, TERM_HASH_HEX) != NULL;
    free(wanted);
    if (same) {
        return;
    }
    if (of_head || row->number <= plan->entries + 1) {
        find(auditing, TERM_ALTERED, 0, at + 1,
             "the last line was altered: it does not say what the entries come to");
    } else {
        find(auditing, TERM_DROPPED, plan->entries + 1, at + 1,
             "entry %" PRIu32 " was dropped: the last line tells of %" PRIu32 " entries",
             plan->entries + 1, row->number - 1);
    }
}

static void rows_take(struct auditing *auditing)
{
    static const char entry[] = "{\"entry\":";
    size_t last = auditing->count - 1;
    for (size_t at = 1; at < last; at++) {
        if (!entry_take(auditing, at)) {
            return;
        }
    }
    const struct row *row = &auditing->rows[last];
    uint32_t next = auditing->plan->entries + 1;
    if (last == 0 || (!row->end && row->number != 0)) {
        if (last == 0 || entry_take(auditing, last)) {
            find(auditing, TERM_DROPPED, auditing->plan->entries + 1, last + 1,
                 "the last line is missing: nobody can say whether entries behind entry %" PRIu32
                 " are",
                 auditing->plan->entries);
        }
    } else if (!row->end && row->text.bytes >= sizeof entry - 1 &&
               memcmp(row->text.data, entry, sizeof entry - 1) == 0) {
        find(auditing, TERM_ALTERED, next, last + 1,
             "entry %" PRIu32 " was altered: its line cannot be read", next);
    } else {
        end_check(auditing, last);
    }
}

bool term_audit(struct proto_span text, const struct term_hash *head, struct term_plan *plan,
                struct term_finding *finding, struct proto_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    struct auditing auditing = {.plan = plan, .finding = finding, .fault = &found};
    *finding = (struct term_finding){.wrong = TERM_SOUND};
    *plan = (struct term_plan){.state = TERM_STATE_FIT};
    if (rows_make(&auditing, text) && finding->wrong == TERM_SOUND && head_check(&auditing)) {
        rows_take(&auditing);
    }
    if (found.code == PROTO_OK && finding->wrong == TERM_SOUND &&
        text.data[text.bytes - 1] != '\n') {
        find(&auditing, TERM_ALTERED, 0, auditing.count,
             "the last line was altered: it has no end");
    }
    if (found.code == PROTO_OK && finding->wrong == TERM_SOUND && head != NULL &&
        !term_hash_equal(head, &plan->head)) {
        find(&auditing, TERM_FORGED, plan->entries, auditing.count - 1,
             "entry %" PRIu32 " was forged: its hash is not the head that was written down",
             plan->entries);
    }
    free(auditing.rows);
    if (found.code != PROTO_OK) {
        *fault = found;
    }
    return found.code == PROTO_OK;
}
