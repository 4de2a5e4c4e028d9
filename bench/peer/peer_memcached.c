/* SPDX-License-Identifier: Apache-2.0 */
/* memcached in its text protocol. */
#include "bench/load/load_account.h"
#include "bench/peer/peer_kind.h"

void peer_memcached_command(const struct peer *peer, struct peer_command *command)
{
    snprintf(command->texts[0], sizeof command->texts[0], "%u", peer->port);
    const char *const argv[] = {"memcached", "-p",        command->texts[0],
                                "-l",        "127.0.0.1", "-U",
                                "0",         "-t",        "1",
                                "-R",        "1000",      "-m",
                                "2048",      "-c",        "1024",
                                "-u",        "root",      NULL};
    memcpy(command->argv, argv, sizeof argv);
}

static void set_encode(void *context, uint32_t index, struct proto_writer *out)
{
    char id[LOAD_ID_BYTES + 1];
    char text[256];
    (void)context;
    load_account_id(index, id);
    int bytes = snprintf(text, sizeof text, "set %s 0 0 %d\r\n%0*u\r\n", id, PEER_VALUE_BYTES,
                         PEER_VALUE_BYTES, index);
    proto_write_raw(out, (struct proto_span){(const uint8_t *)text, (size_t)bytes});
}

bool peer_memcached_fill(struct peer *peer, struct proto_fault *fault)
{
    return peer_send(&load_wire_memcached, peer->port, set_encode, NULL, (uint32_t)peer->accounts,
                     NULL, 0, fault);
}

void peer_memcached_encode(void *context, uint32_t index, struct proto_writer *out)
{
    struct peer_asker *asker = context;
    char id[LOAD_ID_BYTES + 1];
    char text[64];
    (void)index;
    load_account_id(math_random_below(&asker->random, asker->peer->accounts), id);
    int bytes = snprintf(text, sizeof text, "get %s\r\n", id);
    proto_write_raw(out, (struct proto_span){(const uint8_t *)text, (size_t)bytes});
}
