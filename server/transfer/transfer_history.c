/* SPDX-License-Identifier: Apache-2.0 */
/* Groups are put one behind the other, first the one that says what is gone, and written as digits;
 * reading takes the same, and whether they are groups the store says. */
#include "server/transfer/transfer_history.h"

#include <stdlib.h>

static size_t group_digits(const struct store_past_group *group, uint8_t *room, char *digits)
{
    static const char hex[] = "0123456789abcdef";
    size_t bytes = store_past_group_encode(group, false, room);
    for (size_t i = 0; i < bytes; i++) {
        digits[2 * i] = hex[room[i] >> 4];
        digits[2 * i + 1] = hex[room[i] & 15];
    }
    digits[2 * bytes] = '\0';
    return bytes;
}

bool transfer_history_write(struct transfer_text *text, const struct store_history *history)
{
    enum { ROOM = STORE_PAST_GROUP_HEAD_MAX + PROTO_HISTORY_BYTES_MAX };
    const struct store_past mark = {.kind = STORE_PAST_MARK};
    uint8_t entry[32];
    const struct store_past_group gone = {.known_ms = history->gone_known_ms,
                                          .entries = {entry, store_past_encode(&mark, entry)}};
    uint8_t *room = malloc(3 * (size_t)ROOM + 1);
    if (room == NULL) {
        return false;
    }
    char *digits = (char *)room + ROOM;
    transfer_text_raw(text, "\"");
    if (history->gone) {
        (void)group_digits(&gone, room, digits);
        transfer_text_raw(text, digits);
    }
    for (size_t i = 0; i < history->count; i++) {
        (void)group_digits(&history->list[i], room, digits);
        transfer_text_raw(text, digits);
    }
    transfer_text_raw(text, "\"");
    free(room);
    return true;
}

static int digit_of(uint8_t byte)
{
    return byte >= '0' && byte <= '9'   ? byte - '0'
           : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                                        : -1;
}

bool transfer_history_read(const struct transfer_line *line, bool *there, uint8_t **groups,
                           size_t *bytes, struct proto_fault *fault)
{
    struct proto_span digits;
    *groups = NULL;
    *there = json_object_get(line->json, "history") != NULL;
    if (!*there) {
        return true;
    }
    if (!transfer_line_text(line, "history", &digits, fault)) {
        return false;
    }
    *bytes = digits.bytes / 2;
    uint8_t *room = malloc(*bytes + 1);
    if (room == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a history");
    }
    bool good = digits.bytes % 2 == 0;
    for (size_t i = 0; good && i < *bytes; i++) {
        int high = digit_of(digits.data[2 * i]);
        int low = digit_of(digits.data[2 * i + 1]);
        good = high >= 0 && low >= 0;
        room[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    }
    if (!good || !store_past_groups_sound((struct proto_span){room, *bytes}, false)) {
        free(room);
        return transfer_line_refuse(line, TRANSFER_AT("history"), fault,
                                    "the digits must be those of a history as an export has it");
    }
    *groups = room;
    return true;
}
