/* SPDX-License-Identifier: Apache-2.0 */
/* Runs go down along the list, so that each takes a byte or two as a difference. What was written
 * by a build from before there were pieces has no list, and reads as a piece of run 0. */
#include "server/store/past_piece.h"

#include "server/event/event_number.h"

enum { FLAG_LOST = 1, FLAG_GONE = 2, FLAG_LIST = 4, FLAGS = FLAG_LOST | FLAG_GONE | FLAG_LIST };

static size_t list_encode(const struct store_piece *piece, uint8_t *out)
{
    uint32_t before = piece->run;
    size_t at = event_number_put(out, piece->older_count);
    for (uint32_t i = 0; i < piece->older_count; i++) {
        at += event_number_put(out + at, before - piece->older[i].run);
        at += event_number_put(out + at, piece->older[i].bytes);
        before = piece->older[i].run;
    }
    return at;
}

size_t store_piece_encode(const struct store_piece *piece, uint32_t slot, uint8_t *out)
{
    size_t at = STORE_PIECE_HEADER_BYTES;
    bool list = piece->older_count > 0;
    disk_set_u32(out + 8, (piece->lost ? FLAG_LOST : 0U) | (piece->gone ? FLAG_GONE : 0U) |
                              (list ? FLAG_LIST : 0U));
    disk_set_u32(out + 12, piece->group_count);
    disk_set_u64(out + 16, piece->gone_seq);
    disk_set_u64(out + 24, (uint64_t)piece->gone_known_ms);
    at += list ? list_encode(piece, out + at) : 0;
    if (piece->groups.bytes > 0) {
        memcpy(out + at, piece->groups.data, piece->groups.bytes);
    }
    at += piece->groups.bytes;
    disk_set_u64(
        out, disk_check(DISK_TABLE_HISTORY, store_piece_key(slot, piece->run), out + 8, at - 8));
    return at;
}

static bool number_take(struct proto_span from, size_t *at, uint64_t most, uint32_t *number)
{
    uint64_t taken = 0;
    size_t bytes = event_number_get(from.data + *at, from.bytes - *at, &taken);
    *at += bytes;
    *number = (uint32_t)taken;
    return bytes > 0 && taken <= most;
}

static bool list_open(struct proto_span value, size_t *at, struct store_piece *piece)
{
    uint32_t before = piece->run;
    if (!number_take(value, at, STORE_PIECES_MAX, &piece->older_count)) {
        return false;
    }
    for (uint32_t i = 0; i < piece->older_count; i++) {
        uint32_t step;
        if (!number_take(value, at, before, &step) || step == 0 ||
            !number_take(value, at, STORE_PIECE_GROUPS_BYTES_MAX, &piece->older[i].bytes)) {
            return false;
        }
        before -= step;
        piece->older[i].run = before;
    }
    return piece->older_count > 0;
}

static bool groups_count(struct proto_span groups, uint32_t expected)
{
    struct store_past_group group;
    uint32_t count = 0;
    size_t at = 0;
    while (store_past_group_next(groups, true, &at, &group)) {
        count++;
    }
    return at == groups.bytes && count == expected;
}

bool store_piece_open(uint64_t key, struct proto_span value, struct store_piece *piece,
                      struct proto_fault *fault)
{
    size_t at = STORE_PIECE_HEADER_BYTES;
    bool good = value.bytes >= at && value.bytes <= STORE_PIECE_VALUE_BYTES_MAX &&
                disk_get_u64(value.data) ==
                    disk_check(DISK_TABLE_HISTORY, key, value.data + 8, value.bytes - 8);
    if (good) {
        uint32_t flags = disk_get_u32(value.data + 8);
        piece->run = (uint32_t)(key >> 32);
        piece->lost = (flags & FLAG_LOST) != 0;
        piece->gone = (flags & FLAG_GONE) != 0;
        piece->gone_seq = disk_get_u64(value.data + 16);
        piece->gone_known_ms = (int64_t)disk_get_u64(value.data + 24);
        piece->group_count = disk_get_u32(value.data + 12);
        piece->older_count = 0;
        good = (flags & ~(uint32_t)FLAGS) == 0 &&
               ((flags & FLAG_LIST) == 0 || list_open(value, &at, piece));
        piece->groups = (struct proto_span){value.data + at, value.bytes - at};
        good = good && groups_count(piece->groups, piece->group_count);
    }
    return good || proto_fault_set(fault, PROTO_CORRUPT, "history",
                                   "what values of slot %u were before is damaged", (uint32_t)key);
}

void store_piece_fill(struct store_piece *piece, const struct store_history *history,
                      uint8_t *groups)
{
    size_t bytes = 0;
    for (size_t i = 0; i < history->count; i++) {
        bytes += store_past_group_encode(&history->list[i], true, groups + bytes);
    }
    piece->lost = history->lost;
    piece->gone = history->gone;
    piece->gone_seq = history->gone_seq;
    piece->gone_known_ms = history->gone_known_ms;
    piece->group_count = (uint32_t)history->count;
    piece->groups = (struct proto_span){groups, bytes};
    piece->older_count = 0;
}
