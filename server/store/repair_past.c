/* SPDX-License-Identifier: Apache-2.0 */
/* What values of an account that is kept were before, as far as it can be read. Where it cannot, a
 * history without groups takes its place, which says that nothing before now is known; one of which
 * a fold said that the older part was lost is kept as one that is known from there on. All of it
 * becomes one piece, of run 0, so that pieces come in the order of slots. */
#include <stdlib.h>

#include "server/store/past_table.h"
#include "server/store/repair_parts.h"

static bool history_sound(const struct store_history *history)
{
    for (size_t i = 0; i < history->count; i++) {
        struct store_past past;
        size_t at = 0;
        while (store_past_next(history->list[i].entries, &at, &past)) {
            continue;
        }
        if (at != history->list[i].entries.bytes) {
            return false;
        }
    }
    return true;
}

struct past_room {
    struct store_piece piece;
    uint8_t groups[STORE_PIECE_GROUPS_BYTES_MAX];
    uint8_t value[STORE_PIECE_VALUE_BYTES_MAX];
};

static bool value_write(struct repair *repair, uint32_t slot, const struct store_history *history,
                        struct proto_fault *fault)
{
    if (!repair->writing) {
        return true;
    }
    struct past_room *room = malloc(sizeof *room);
    if (room == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a history");
    }
    room->piece.run = 0;
    store_piece_fill(&room->piece, history, room->groups);
    size_t bytes = store_piece_encode(&room->piece, slot, room->value);
    bool good = store_repair_value(repair, DISK_TABLE_HISTORY, store_piece_key(slot, 0),
                                   (struct proto_span){room->value, bytes}, fault);
    free(room);
    return good;
}

bool store_repair_past(struct repair *repair, uint32_t slot, uint32_t run,
                       const struct feature_record *record, struct proto_fault *fault)
{
    struct store_history history = {.count = 0};
    struct proto_fault why = {.code = PROTO_OK};
    bool good = store_past_table_get(&repair->salvage.txn, slot, run, &history, &why) &&
                history_sound(&history);
    store_history_trim(&history);
    if (!good && why.code == PROTO_NO_MEMORY) {
        store_history_fini(&history);
        *fault = why;
        return false;
    }
    if (!good) {
        history.count = 0;
        history.gone = true;
        history.gone_seq = repair->salvage.txn.state.seq;
        history.gone_known_ms = record->changed_s * 1000 + 999;
    }
    if (!good || history.lost) {
        history.lost = false;
        repair->damaged = true;
        repair->repaired->histories_lost++;
        store_repair_reject(repair, "history of account", slot, record->id,
                            "what its values were before cannot be read, or not all of it");
    }
    good = value_write(repair, slot, &history, fault);
    store_history_fini(&history);
    return good;
}
