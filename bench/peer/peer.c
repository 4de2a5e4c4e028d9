/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peer/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/peer/peer_kind.h"

#define CHUNK 1000
#define REPLY_BYTES ((size_t)1 << 20)
#define START_S 60

static const struct peer_info peers[] = {
#define P(ID, name, program, wire, configuration) {name, program, &(wire), configuration},
#include "bench/peer/peer.def"
#undef P
};

static const struct peer_ask_info asks[] = {
#define A(ID, PEER, name, does) {PEER_##PEER, name, does},
#include "bench/peer/peer_ask.def"
#undef A
};

const struct peer_info *peer_info(enum peer_id id)
{
    return &peers[id];
}

const struct peer_ask_info *peer_ask_info(enum peer_ask ask)
{
    return &asks[ask];
}

bool peer_missing(enum peer_id id)
{
    return !peer_program_exists(peers[id].program);
}

static bool process_start(struct peer *peer, int cpu, struct proto_fault *fault)
{
    struct peer_command command = {0};
    char log_path[sizeof peer->folder + 8];
    snprintf(log_path, sizeof log_path, "%s/log", peer->folder);
    peer->port = peer_port_free();
    switch (peer->id) {
    case PEER_REDIS:
        peer_redis_command(peer, &command);
        break;
    case PEER_MEMCACHED:
        peer_memcached_command(peer, &command);
        break;
    case PEER_TARANTOOL:
        if (!peer_tarantool_command(peer, &command, fault)) {
            return false;
        }
        break;
    case PEER_COUNT:
        break;
    }
    return peer_process_start(&peer->process, command.argv, cpu, log_path, fault) &&
           peer_process_await_port(&peer->process, peer->port, START_S, fault);
}

static bool peer_fill(struct peer *peer, struct proto_fault *fault)
{
    switch (peer->id) {
    case PEER_REDIS:
        return peer_redis_fill(peer, fault);
    case PEER_MEMCACHED:
        return peer_memcached_fill(peer, fault);
    default:
        return true; /* Tarantool fills itself before it listens */
    }
}

bool peer_start(struct peer *peer, enum peer_id id, const char *folder, int cpu, uint64_t accounts,
                struct proto_fault *fault)
{
    *peer = (struct peer){.id = id, .accounts = accounts};
    snprintf(peer->folder, sizeof peer->folder, "%s/%s", folder, peers[id].program);
    if (mkdir(peer->folder, 0700) != 0 && errno != EEXIST) {
        return proto_fault_set(fault, PROTO_IO, "", "%s: %s", peer->folder, strerror(errno));
    }
    if (process_start(peer, cpu, fault) && peer_fill(peer, fault)) {
        return true;
    }
    peer_stop(peer);
    return false;
}

void peer_stop(struct peer *peer)
{
    peer_process_stop(&peer->process);
}

struct sender {
    const struct load_wire *wire;
    int fd;
    uint8_t *buffer;
    size_t held;
    struct load_split split;
    uint8_t *reply;
    size_t reply_bytes;
};

static bool bytes_send(int fd, const uint8_t *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t count = send(fd, data, bytes, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return false;
        }
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
        if (count <= 0) {
            return false;
        }
        left -= (size_t)count;
    }
    return true;
}

/* Takes the replies that are there; false if one is an error or no reply. */
static bool replies_take(struct sender *sender, uint32_t *left)
{
    ssize_t count = recv(sender->fd, sender->buffer + sender->held, REPLY_BYTES - sender->held, 0);
    if (count <= 0) {
        return false;
    }
    sender->held += (size_t)count;
    for (;;) {
        size_t used = sender->wire->split(sender->buffer, sender->held, 1, &sender->split);
        if (sender->split.broken || sender->split.count > *left) {
            return false;
        }
        for (uint32_t i = 0; i < sender->split.count; i++) {
            if (sender->split.status[i] != 0) {
                return false;
            }
        }
        if (used == 0) {
            return true;
        }
        if (sender->reply != NULL) {
            memcpy(sender->reply, sender->buffer,
                   used < sender->reply_bytes ? used : sender->reply_bytes);
        }
        *left -= sender->split.count;
        sender->held -= used;
        memmove(sender->buffer, sender->buffer + used, sender->held);
    }
}

static bool chunks_send(struct sender *sender, load_encode *encode, void *context, uint32_t count)
{
    struct proto_writer out;
    bool ok = true;
    proto_writer_init(&out);
    for (uint32_t i = 0; ok && i < count;) {
        uint32_t left = count - i < CHUNK ? count - i : CHUNK;
        proto_writer_reset(&out);
        for (uint32_t end = i + left; i < end; i++) {
            encode(context, i, &out);
        }
        ok = proto_writer_ok(&out) && bytes_send(sender->fd, out.data, out.bytes);
        while (ok && left > 0) {
            ok = replies_take(sender, &left);
        }
    }
    proto_writer_fini(&out);
    return ok;
}

bool peer_send(const struct load_wire *wire, uint16_t port, load_encode *encode, void *context,
               uint32_t count, uint8_t *reply, size_t reply_bytes, struct proto_fault *fault)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sender *sender = calloc(1, sizeof *sender);
    if (sender == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to fill a peer");
    }
    *sender = (struct sender){.wire = wire, .reply = reply, .reply_bytes = reply_bytes};
    sender->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sender->buffer = malloc(REPLY_BYTES);
    bool ok = sender->fd >= 0 && sender->buffer != NULL &&
              connect(sender->fd, (struct sockaddr *)&address, sizeof address) == 0 &&
              greeting_skip(sender) && chunks_send(sender, encode, context, count);
    if (!ok) {
        proto_fault_set(fault, PROTO_IO, "", "%s refused what it was to be filled with: %.60s",
                        wire->name, sender->buffer != NULL ? (char *)sender->buffer : "");
    }
    if (sender->fd >= 0) {
        close(sender->fd);
    }
    free(sender->buffer);
    free(sender);
    return ok;
}

bool peer_traffic(const struct peer *peer, enum peer_ask ask, uint64_t seed,
                  struct load_traffic *traffic, struct proto_fault *fault)
{
    struct peer_asker asker = {.peer = peer, .ask = ask};
    math_random_init(&asker.random, seed + 1000);
    switch (asks[ask].peer) {
    case PEER_REDIS:
        return load_traffic_make(traffic, peer_redis_encode, &asker, fault);
    case PEER_MEMCACHED:
        return load_traffic_make(traffic, peer_memcached_encode, &asker, fault);
    default:
        return load_traffic_make(traffic, peer_tarantool_encode, &asker, fault);
    }
}
