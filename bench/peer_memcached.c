/* SPDX-License-Identifier: Apache-2.0 */
/* memcached in its text protocol. */
#include "bench/bench_account.h"
#include "bench/bench_peer_kind.h"

void bench_memcached_command(const struct bench_peer *peer, struct bench_peer_command *command)
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
    char id[BENCH_ID_BYTES + 1];
    char text[256];
    (void)context;
    bench_account_id(index, id);
    int bytes = snprintf(text, sizeof text, "set %s 0 0 %d\r\n%0*u\r\n", id, BENCH_PEER_VALUE_BYTES,
                         BENCH_PEER_VALUE_BYTES, index);
    proto_write_raw(out, (struct proto_span){(const uint8_t *)text, (size_t)bytes});
}

bool bench_memcached_fill(struct bench_peer *peer, struct proto_fault *fault)
{
    return bench_peer_send(&bench_wire_memcached, peer->port, set_encode, NULL,
                           (uint32_t)peer->accounts, NULL, 0, fault);
}

void bench_memcached_encode(void *context, uint32_t index, struct proto_writer *out)
{
    struct bench_peer_asker *asker = context;
    char id[BENCH_ID_BYTES + 1];
    char text[64];
    (void)index;
    bench_account_id(math_random_below(&asker->random, asker->peer->accounts), id);
    int bytes = snprintf(text, sizeof text, "get %s\r\n", id);
    proto_write_raw(out, (struct proto_span){(const uint8_t *)text, (size_t)bytes});
}
