/* SPDX-License-Identifier: Apache-2.0 */
/* Redis in its own protocol: keys acct-… with a value, hashes h:acct-… of 40 numbers. */
#include "bench/load/load_account.h"
#include "bench/peer/peer_kind.h"

#include <stdarg.h>

#define FIELDS 40
#define FIELDS_ASKED 8

/* Adds up eight weighted fields, as the simplest score would. */
static const char script[] =
    "local v=redis.call('HMGET',KEYS[1],'f0','f5','f10','f15','f20','f25','f30','f35') local s=0 "
    "for i=1,8 do s=s+tonumber(v[i])*i end return s";

void peer_redis_command(const struct peer *peer, struct peer_command *command)
{
    snprintf(command->texts[0], sizeof command->texts[0], "%u", peer->port);
    const char *const argv[] = {
        "redis-server", "--port", command->texts[0],    "--bind", "127.0.0.1", "--save",     "",
        "--appendonly", "no",     "--latency-tracking", "no",     "--dir",     peer->folder, NULL};
    memcpy(command->argv, argv, sizeof argv);
}

static void put(struct proto_writer *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct proto_writer *out, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int bytes = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    proto_write_raw(out, (struct proto_span){(const uint8_t *)text, (size_t)bytes});
}

static void put_bulk(struct proto_writer *out, const char *text)
{
    put(out, "$%zu\r\n%s\r\n", strlen(text), text);
}

static void set_encode(void *context, uint32_t index, struct proto_writer *out)
{
    char id[LOAD_ID_BYTES + 1];
    (void)context;
    load_account_id(index, id);
    put(out, "*3\r\n$3\r\nSET\r\n");
    put_bulk(out, id);
    put(out, "$%d\r\n%0*u\r\n", PEER_VALUE_BYTES, PEER_VALUE_BYTES, index);
}

static void hash_encode(void *context, uint32_t index, struct proto_writer *out)
{
    char id[LOAD_ID_BYTES + 1];
    (void)context;
    load_account_id(index, id);
    put(out, "*%d\r\n$4\r\nHSET\r\n$%d\r\nh:%s\r\n", 2 + 2 * FIELDS, LOAD_ID_BYTES + 2, id);
    for (unsigned i = 0; i < FIELDS; i++) {
        char text[24];
        snprintf(text, sizeof text, "f%u", i);
        put_bulk(out, text);
        snprintf(text, sizeof text, "%u", (index * 31 + i * 17) % 1000);
        put_bulk(out, text);
    }
}

static void script_encode(void *context, uint32_t index, struct proto_writer *out)
{
    (void)context;
    (void)index;
    put(out, "*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n");
    put_bulk(out, script);
}

bool peer_redis_fill(struct peer *peer, struct proto_fault *fault)
{
    uint64_t hashes = peer->accounts < PEER_HASHES_MAX ? peer->accounts : PEER_HASHES_MAX;
    uint8_t reply[64];
    if (!peer_send(&load_wire_redis, peer->port, set_encode, NULL, (uint32_t)peer->accounts, NULL,
                   0, fault) ||
        !peer_send(&load_wire_redis, peer->port, hash_encode, NULL, (uint32_t)hashes, NULL, 0,
                   fault) ||
        !peer_send(&load_wire_redis, peer->port, script_encode, NULL, 1, reply, sizeof reply,
                   fault)) {
        return false;
    }
    memcpy(peer->script_sha, reply + strlen("$40\r\n"), 40); /* $40, then the digest in hex */
    return true;
}

void peer_redis_encode(void *context, uint32_t index, struct proto_writer *out)
{
    struct peer_asker *asker = context;
    char id[LOAD_ID_BYTES + 1];
    uint64_t accounts = asker->peer->accounts;
    bool is_hash = asker->ask != PEER_ASK_REDIS_GET;
    (void)index;
    if (is_hash && accounts > PEER_HASHES_MAX) {
        accounts = PEER_HASHES_MAX;
    }
    load_account_id(math_random_below(&asker->random, accounts), id);
    if (asker->ask == PEER_ASK_REDIS_GET) {
        put(out, "*2\r\n$3\r\nGET\r\n");
        put_bulk(out, id);
    } else if (asker->ask == PEER_ASK_REDIS_LUA) {
        put(out, "*4\r\n$7\r\nEVALSHA\r\n$40\r\n%.40s\r\n$1\r\n1\r\n$%d\r\nh:%s\r\n",
            asker->peer->script_sha, LOAD_ID_BYTES + 2, id);
    } else {
        put(out, "*%d\r\n$5\r\nHMGET\r\n$%d\r\nh:%s\r\n", 2 + FIELDS_ASKED, LOAD_ID_BYTES + 2, id);
        for (unsigned i = 0; i < FIELDS_ASKED; i++) {
            char text[24];
            snprintf(text, sizeof text, "f%u", i * FIELDS / FIELDS_ASKED);
            put_bulk(out, text);
        }
    }
}
