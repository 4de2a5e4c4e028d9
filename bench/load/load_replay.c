/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_replay.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "bench/load/load_names.h"
#include "proto/reader.h"
#include "server/capture/capture_file.h"
#include "server/capture/mask.h"

/* Records of the largest capture, with what its blocks and headers take. */
#define FILE_BYTES_MAX (2 * (off_t)PROTO_CAPTURE_BYTES_MAX)
/* Ordinal → account, spread over the target: a prime, so that no two of as many ordinals as there
 * are accounts meet unless it divides their number. */
#define SPREAD UINT64_C(2654435761)
#define TEXT_BYTES 512

struct player {
    struct load_replay *replay;
    const struct load_replay_options *options;
    struct load_names names;
    struct load_numbering accounts, connections;
    struct proto_writer out;
    size_t room; /* of offsets and of the schedule */
    bool no_memory;
};

static bool was_stored(struct proto_span text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.data[i] >= 'A' && text.data[i] <= 'Z') {
            return false;
        }
    }
    return true;
}

static uint64_t account_of(struct player *player, struct proto_span text)
{
    uint32_t ordinal = 0;
    if (!load_number_of(&player->accounts, text, &ordinal)) {
        player->no_memory = true;
    }
    return ordinal * SPREAD % player->names.count;
}

/* A name of an account of the target in place of a masked one, or the masked one itself. */
static void name_write(struct player *player, struct proto_span text, enum capture_name by)
{
    static const char prefix[] = "domain:";
    char name[TEXT_BYTES];
    size_t before = 0;
    size_t bytes = 0;
    const uint8_t *at = memrchr(text.data, '@', text.bytes);
    if (by == CAPTURE_BY_EMAIL && at != NULL) {
        before = (size_t)(at - text.data) + 1;
    } else if (by == CAPTURE_BY_KEY && text.bytes > sizeof prefix - 1 &&
               memcmp(text.data, prefix, sizeof prefix - 1) == 0) {
        before = sizeof prefix - 1;
    }
    struct proto_span masked = {text.data + before, text.bytes - before};
    bool by_domain = before > 0;
    if (text.bytes > 0 && was_stored(masked) && before < sizeof name &&
        (by == CAPTURE_BY_ID || by_domain)) {
        uint64_t number = account_of(player, masked);
        memcpy(name, text.data, before);
        bytes = by_domain
                    ? load_names_domain(&player->names, number, name + before, sizeof name - before)
                    : load_names_id(&player->names, number, name, sizeof name);
    }
    if (bytes > 0) {
        text = (struct proto_span){(const uint8_t *)name, before + bytes};
    }
    proto_write_str(&player->out, text);
}

// The payload was checked: at most PROTO_DEPTH_MAX calls within each other.
static void value_write(struct player *player,
                        struct proto_reader *reader, // NOLINT(misc-no-recursion)
                        enum capture_name by)
{
    enum proto_kind kind = proto_reader_peek(reader);
    if (kind == PROTO_KIND_STR && by != CAPTURE_BY_NOTHING) {
        name_write(player, proto_read_str(reader), by);
    } else if (kind == PROTO_KIND_ARRAY) {
        size_t count = proto_read_array(reader);
        proto_write_array(&player->out, count);
        for (size_t i = 0; i < count && proto_reader_ok(reader); i++) {
            value_write(player, reader, by);
        }
        proto_reader_leave(reader);
    } else if (kind == PROTO_KIND_MAP) {
        size_t pairs = proto_read_map(reader);
        proto_write_map(&player->out, pairs);
        for (size_t i = 0; i < pairs && proto_reader_ok(reader); i++) {
            struct proto_span key = proto_read_key(reader);
            proto_write_str(&player->out, key);
            value_write(player, reader, capture_name_of(key));
        }
        proto_reader_leave(reader);
    } else {
        proto_write_raw(&player->out, proto_read_any(reader));
    }
}

static bool grow(struct player *player)
{
    struct load_replay *replay = player->replay;
    size_t room = player->room > 0 ? 2 * player->room : 1024;
    uint32_t *offsets = realloc(replay->traffic.offsets, (room + 1) * sizeof *offsets);
    if (offsets != NULL) {
        replay->traffic.offsets = offsets;
    }
    uint64_t *at_ns = realloc(replay->schedule.at_ns, room * sizeof *at_ns);
    if (at_ns != NULL) {
        replay->schedule.at_ns = at_ns;
    }
    uint32_t *connection = realloc(replay->schedule.connection, room * sizeof *connection);
    if (connection != NULL) {
        replay->schedule.connection = connection;
    }
    if (offsets == NULL || at_ns == NULL || connection == NULL) {
        return false;
    }
    player->room = room;
    return true;
}

static bool is_write(const struct capture_record *record)
{
    const struct proto_op_info *op = proto_op_find(record->opcode);
    return op != NULL && op->lane == PROTO_LANE_WRITE;
}

/* One request of the capture as a frame of the traffic. */
static bool record_add(struct player *player, const struct capture_record *record,
                       struct proto_fault *fault)
{
    struct load_replay *replay = player->replay;
    struct load_schedule *schedule = &replay->schedule;
    uint32_t connection = 0;
    if (record->left_out || (player->options->no_writes && is_write(record))) {
        replay->left_out += record->left_out;
        replay->writes += !record->left_out;
        return true;
    }
    struct proto_span key = {(const uint8_t *)&record->connection, sizeof record->connection};
    if ((schedule->count == player->room && !grow(player)) ||
        !load_number_of(&player->connections, key, &connection)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the requests");
    }
    uint32_t index = schedule->count++;
    uint64_t at_ns = (uint64_t)((double)record->at_ns / player->options->speed);
    /* Connections were recorded side by side: what came a little earlier may stand a little later.
     * The schedule itself never goes back. */
    if (index > 0 && at_ns < schedule->at_ns[index - 1]) {
        at_ns = schedule->at_ns[index - 1];
    }
    schedule->at_ns[index] = at_ns;
    schedule->connection[index] = connection % player->options->connections_max;
    replay->traffic.offsets[index] = (uint32_t)player->out.bytes;
    proto_writer_frame_begin(&player->out);
    if (record->payload_bytes > 0) {
        struct proto_reader reader;
        proto_reader_init(&reader, (struct proto_span){record->payload, record->payload_bytes},
                          fault);
        value_write(player, &reader, CAPTURE_BY_NOTHING);
        if (!proto_reader_end(&reader)) {
            return false;
        }
    }
    proto_writer_frame_end(&player->out, record->opcode, record->flags, index);
    if (player->no_memory || !proto_writer_ok(&player->out)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the requests");
    }
    return player->out.bytes <= UINT32_MAX ||
           proto_fault_set(fault, PROTO_TOO_LARGE, "", "more than 4 GiB of requests");
}

static bool records_read(struct player *player, struct proto_span file, struct proto_fault *fault)
{
    struct capture_reader reader;
    struct capture_record record;
    struct load_replay *replay = player->replay;
    if (!capture_reader_init(&reader, file, fault)) {
        return false;
    }
    while (capture_reader_next(&reader, &record, fault)) {
        if (!record_add(player, &record, fault)) {
            return false;
        }
    }
    if (!reader.ended) {
        return false;
    }
    replay->lost = reader.totals.lost;
    replay->seconds = (double)reader.totals.duration_ns / 1e9;
    return replay->schedule.count > 0 ||
           proto_fault_set(fault, PROTO_BAD_CONFIG, "", "it holds no request that can be played");
}

/* The load generator counts its requests by a power of two: what is missing up to it are requests
 * of no bytes, which the schedule never comes to. */
static bool traffic_finish(struct player *player, struct proto_fault *fault)
{
    struct load_traffic *traffic = &player->replay->traffic;
    uint32_t count = player->replay->schedule.count;
    uint32_t room = 1;
    while (room < count) {
        room *= 2;
    }
    uint32_t *offsets = realloc(traffic->offsets, ((size_t)room + 1) * sizeof *offsets);
    if (offsets == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the requests");
    }
    for (size_t i = count; i <= room; i++) {
        offsets[i] = (uint32_t)player->out.bytes;
    }
    size_t bytes;
    traffic->offsets = offsets;
    traffic->bytes = proto_writer_take(&player->out, &bytes);
    traffic->count = room;
    uint32_t connections = player->connections.count;
    player->replay->schedule.connections = connections < player->options->connections_max
                                               ? connections
                                               : player->options->connections_max;
    player->replay->accounts = player->accounts.count;
    return true;
}

static uint8_t *file_load(const char *path, size_t *bytes, struct proto_fault *fault)
{
    struct stat about = {0};
    uint8_t *data = NULL;
    FILE *file = fopen(path, "re");
    bool ok = file != NULL && fstat(fileno(file), &about) == 0;
    if (ok && about.st_size > FILE_BYTES_MAX) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "", "it is larger than any capture");
        fclose(file);
        return NULL;
    }
    if (ok) {
        *bytes = (size_t)about.st_size;
        data = malloc(*bytes + 1);
        ok = data != NULL && fread(data, 1, *bytes, file) == *bytes;
    }
    if (!ok) {
        proto_fault_set(fault, PROTO_BAD_CONFIG, "", "%s",
                        file == NULL ? strerror(errno) : "it cannot be read");
        free(data);
        data = NULL;
    }
    if (file != NULL) {
        fclose(file);
    }
    return data;
}

bool load_replay_make(struct load_replay *replay, const struct load_replay_options *options,
                      struct proto_fault *fault)
{
    size_t bytes = 0;
    struct player player = {.replay = replay, .options = options};
    *replay = (struct load_replay){0};
    proto_writer_init(&player.out);
    if (!load_names_init(&player.names, options->names, options->accounts, fault)) {
        load_names_fini(&player.names);
        return false;
    }
    uint8_t *file = file_load(options->path, &bytes, fault);
    bool ok = file != NULL && records_read(&player, (struct proto_span){file, bytes}, fault) &&
              traffic_finish(&player, fault);
    if (!ok) {
        char message[sizeof fault->message];
        snprintf(message, sizeof message, "%s", fault->message);
        proto_fault_set(fault, fault->code, "", "%s: %s", options->path, message);
        load_replay_fini(replay);
    }
    free(file);
    proto_writer_fini(&player.out);
    load_numbering_fini(&player.accounts);
    load_numbering_fini(&player.connections);
    load_names_fini(&player.names);
    return ok;
}

void load_replay_fini(struct load_replay *replay)
{
    load_traffic_fini(&replay->traffic);
    free(replay->schedule.at_ns);
    free(replay->schedule.connection);
    *replay = (struct load_replay){0};
}
