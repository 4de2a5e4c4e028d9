/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bench_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/bench_peer_kind.h"

#define CHUNK 1000
#define REPLY_BYTES ((size_t)1 << 20)
#define START_S 60

static const struct bench_peer_info peers[] = {
#define P(ID, name, program, wire, configuration) {name, program, &(wire), configuration},
#include "bench/peer.def"
#undef P
};

static const struct bench_peer_ask_info asks[] = {
#define A(ID, PEER, name, does) {BENCH_PEER_##PEER, name, does},
#include "bench/peer_ask.def"
#undef A
};

const struct bench_peer_info *bench_peer_info(enum bench_peer_id id)
{
    return &peers[id];
}

const struct bench_peer_ask_info *bench_peer_ask_info(enum bench_peer_ask ask)
{
    return &asks[ask];
}

bool bench_peer_missing(enum bench_peer_id id)
{
    return !bench_program_exists(peers[id].program);
}

static bool process_start(struct bench_peer *peer, int cpu, struct proto_fault *fault)
{
    struct bench_peer_command command = {0};
    char log_path[sizeof peer->folder + 8];
    snprintf(log_path, sizeof log_path, "%s/log", peer->folder);
    peer->port = bench_port_free();
    switch (peer->id) {
    case BENCH_PEER_REDIS:
        bench_redis_command(peer, &command);
        break;
    case BENCH_PEER_MEMCACHED:
        bench_memcached_command(peer, &command);
        break;
    case BENCH_PEER_TARANTOOL:
        if (!bench_tarantool_command(peer, &command, fault))
            return false;
        break;
    case BENCH_PEER_COUNT:
        break;
    }
    return bench_process_start(&peer->process, command.argv, cpu, log_path, fault) &&
           bench_process_await_port(&peer->process, peer->port, START_S, fault);
}

static bool peer_fill(struct bench_peer *peer, struct proto_fault *fault)
{
    switch (peer->id) {
    case BENCH_PEER_REDIS:
        return bench_redis_fill(peer, fault);
    case BENCH_PEER_MEMCACHED:
        return bench_memcached_fill(peer, fault);
    default:
        return true; /* Tarantool fills itself before it listens */
    }
}

bool bench_peer_start(struct bench_peer *peer, enum bench_peer_id id, const char *folder, int cpu,
                      uint64_t accounts, struct proto_fault *fault)
{
    *peer = (struct bench_peer){.id = id, .accounts = accounts};
    snprintf(peer->folder, sizeof peer->folder, "%s/%s", folder, peers[id].program);
    if (mkdir(peer->folder, 0700) != 0 && errno != EEXIST)
        return proto_fault_set(fault, PROTO_IO, "", "%s: %s", peer->folder, strerror(errno));
    if (process_start(peer, cpu, fault) && peer_fill(peer, fault))
        return true;
    bench_peer_stop(peer);
    return false;
}

void bench_peer_stop(struct bench_peer *peer)
{
    bench_process_stop(&peer->process);
}

struct sender {
    const struct bench_wire *wire;
    int fd;
    uint8_t *buffer;
    size_t held;
    struct bench_split split;
    uint8_t *reply;
    size_t reply_bytes;
};

static bool bytes_send(int fd, const uint8_t *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t count = send(fd, data, bytes, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        data += count;
        bytes -= (size_t)count;
    }
    return true;
}

static bool greeting_skip(struct sender *sender)
{
    size_t left = sender->wire->greeting_bytes;
    while (left > 0) {
        ssize_t count = recv(sender->fd, sender->buffer, left, 0);
        if (count <= 0)
            return false;
        left -= (size_t)count;
    }
    return true;
}

/* Takes the replies that are there; false if one is an error or no reply. */
static bool replies_take(struct sender *sender, uint32_t *left)
{
    ssize_t count = recv(sender->fd, sender->buffer + sender->held, REPLY_BYTES - sender->held, 0);
    if (count <= 0)
        return false;
    sender->held += (size_t)count;
    for (;;) {
        size_t used = sender->wire->split(sender->buffer, sender->held, 1, &sender->split);
        if (sender->split.broken || sender->split.count > *left)
            return false;
        for (uint32_t i = 0; i < sender->split.count; i++)
            if (sender->split.status[i] != 0)
                return false;
        if (used == 0)
            return true;
        if (sender->reply != NULL)
            memcpy(sender->reply, sender->buffer,
                   used < sender->reply_bytes ? used : sender->reply_bytes);
        *left -= sender->split.count;
        sender->held -= used;
        memmove(sender->buffer, sender->buffer + used, sender->held);
    }
}

static bool chunks_send(struct sender *sender, bench_encode *encode, void *context, uint32_t count)
{
    struct proto_writer out;
    bool ok = true;
    proto_writer_init(&out);
    for (uint32_t i = 0; ok && i < count;) {
        uint32_t left = count - i < CHUNK ? count - i : CHUNK;
        proto_writer_reset(&out);
        for (uint32_t end = i + left; i < end; i++)
            encode(context, i, &out);
        ok = proto_writer_ok(&out) && bytes_send(sender->fd, out.data, out.bytes);
        while (ok && left > 0)
            ok = replies_take(sender, &left);
    }
    proto_writer_fini(&out);
    return ok;
}

bool bench_peer_send(const struct bench_wire *wire, uint16_t port, bench_encode *encode,
                     void *context, uint32_t count, uint8_t *reply, size_t reply_bytes,
                     struct proto_fault *fault)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sender *sender = calloc(1, sizeof *sender);
    if (sender == NULL)
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to fill a peer");
    *sender = (struct sender){.wire = wire, .reply = reply, .reply_bytes = reply_bytes};
    sender->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sender->buffer = malloc(REPLY_BYTES);
    bool ok = sender->fd >= 0 && sender->buffer != NULL &&
              connect(sender->fd, (struct sockaddr *)&address, sizeof address) == 0 &&
              greeting_skip(sender) && chunks_send(sender, encode, context, count);
    if (!ok)
        proto_fault_set(fault, PROTO_IO, "", "%s refused what it was to be filled with: %.60s",
                        wire->name, sender->buffer != NULL ? (char *)sender->buffer : "");
    if (sender->fd >= 0)
        close(sender->fd);
    free(sender->buffer);
    free(sender);
    return ok;
}

bool bench_peer_traffic(const struct bench_peer *peer, enum bench_peer_ask ask, uint64_t seed,
                        struct bench_traffic *traffic, struct proto_fault *fault)
{
    struct bench_peer_asker asker = {.peer = peer, .ask = ask};
    math_random_init(&asker.random, seed + 1000);
    switch (asks[ask].peer) {
    case BENCH_PEER_REDIS:
        return bench_traffic_make(traffic, bench_redis_encode, &asker, fault);
    case BENCH_PEER_MEMCACHED:
        return bench_traffic_make(traffic, bench_memcached_encode, &asker, fault);
    default:
        return bench_traffic_make(traffic, bench_tarantool_encode, &asker, fault);
    }
}
