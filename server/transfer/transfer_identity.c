/* SPDX-License-Identifier: Apache-2.0 */
/* Members stand in the order in which they are read; those that the act does not have are left out,
 * and one that it has not is refused. Which entry took another away follows from the undo. */
#include "server/transfer/transfer_identity.h"

#include "proto/table.h"
#include "server/feature/json_text.h"

static void text_member(struct transfer_text *text, const char *name, struct proto_span value)
{
    transfer_text_raw(text, ",\"");
    transfer_text_raw(text, name);
    transfer_text_raw(text, "\":");
    transfer_text_string(text, value);
}

void transfer_identity_write(struct transfer_text *text, uint32_t number, int64_t time_ms,
                             const struct identity_entry *entry, bool gone)
{
    unsigned records = identity_act_records(entry->act);
    transfer_text_raw(text, "{\"identity\":");
    transfer_text_int(text, number);
    transfer_text_raw(text, ",\"time_ms\":");
    transfer_text_int(text, time_ms);
    text_member(text, "act", proto_span_text(identity_act_word(entry->act)));
    if (records > 0) {
        text_member(text, "account", entry->ids[0]);
    }
    if (records > 1) {
        text_member(text, "other", entry->ids[1]);
    }
    if (entry->act == IDENTITY_UNDO) {
        transfer_text_raw(text, ",\"what\":");
        transfer_text_int(text, entry->what);
    }
    text_member(text, "by", entry->author);
    text_member(text, "reason", entry->reason);
    transfer_text_raw(text, gone ? ",\"gone\":true}\n" : "}\n");
}

static bool id_read(const struct transfer_line *line, const char *name, bool wanted,
                    struct proto_span *id, struct proto_fault *fault)
{
    *id = (struct proto_span){NULL, 0};
    if (!wanted) {
        return json_object_get(line->json, name) == NULL ||
               transfer_line_refuse(line, TRANSFER_AT(name), fault,
                                    "an entry of this act has no \"%s\"", name);
    }
    return transfer_line_text(line, name, id, fault) &&
           ((id->bytes > 0 && id->bytes <= PROTO_ID_BYTES_MAX) ||
            transfer_line_refuse(line, TRANSFER_AT(name), fault, "an id has 1 to %d bytes, not %zu",
                                 PROTO_ID_BYTES_MAX, id->bytes));
}

static bool texts_read(const struct transfer_line *line, struct identity_entry *entry,
                       struct proto_fault *fault)
{
    return transfer_line_text(line, "by", &entry->author, fault) &&
           transfer_line_text(line, "reason", &entry->reason, fault) &&
           (entry->author.bytes <= UINT8_MAX ||
            transfer_line_refuse(line, TRANSFER_AT("by"), fault, "at most %d bytes", UINT8_MAX)) &&
           (entry->reason.bytes <= IDENTITY_REASON_BYTES_MAX ||
            transfer_line_refuse(line, TRANSFER_AT("reason"), fault, "at most %u bytes",
                                 IDENTITY_REASON_BYTES_MAX));
}

bool transfer_identity_read(const struct transfer_line *line, uint32_t *number, int64_t *time_ms,
                            struct identity_entry *entry, bool *gone, struct proto_fault *fault)
{
    static const char *const names[] = {"identity", "time_ms", "act",    "account", "other",
                                        "what",     "by",      "reason", "gone"};
    int64_t value = 0;
    int64_t what = 0;
    struct proto_span word;
    if (!transfer_line_known(line, names, sizeof names / sizeof *names, fault) ||
        !transfer_line_int(line, "identity", 1, PROTO_IDENTITY_ENTRIES_MAX, &value, fault) ||
        !transfer_line_int(line, "time_ms", INT64_MIN, INT64_MAX, time_ms, fault) ||
        !transfer_line_text(line, "act", &word, fault)) {
        return false;
    }
    *number = (uint32_t)value;
    *entry = (struct identity_entry){.act = identity_act_find(word)};
    if (entry->act == IDENTITY_NO_ACT) {
        return transfer_line_refuse(line, TRANSFER_AT("act"), fault,
                                    "\"act\" is link, merge, split, pin, never or undo");
    }
    unsigned records = identity_act_records(entry->act);
    const json_t *said = json_object_get(line->json, "gone");
    *gone = json_is_true(said);
    bool undo = entry->act == IDENTITY_UNDO;
    bool good = id_read(line, "account", records > 0, &entry->ids[0], fault) &&
                id_read(line, "other", records > 1, &entry->ids[1], fault) &&
                (!undo || transfer_line_int(line, "what", 1, *number - 1, &what, fault)) &&
                texts_read(line, entry, fault);
    entry->what = (uint32_t)what;
    return good && (said == NULL || (*gone && !undo) ||
                    transfer_line_refuse(line, TRANSFER_AT("gone"), fault,
                                         "\"gone\" is true, or left out"));
}
