/* SPDX-License-Identifier: Apache-2.0 */
/* Tarantool: a script sets it up and fills it before it listens; requests are iproto packets. */
#include <errno.h>

#include "bench/load/load_account.h"
#include "bench/peer/peer_kind.h"

enum { CODE_SELECT = 1, CODE_CALL = 10 };
enum {
    KEY_CODE = 0x00,
    KEY_SYNC = 0x01,
    KEY_SPACE = 0x10,
    KEY_INDEX = 0x11,
    KEY_LIMIT = 0x12,
    KEY_OFFSET = 0x13,
    KEY_ITERATOR = 0x14,
    KEY_KEY = 0x20,
    KEY_TUPLE = 0x21,
    KEY_FUNCTION = 0x22
};

static bool script_write(const struct peer *peer, const char *path)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return false;
    }
    fprintf(file,
            "package.cpath = '%s/?.so;' .. package.cpath\n"
            "box.cfg{wal_mode='none', memtx_memory=4*1024*1024*1024, readahead=1048576,\n"
            "        checkpoint_interval=0, log_level=3, work_dir='%s'}\n"
            "local s = box.schema.space.create('account', {id=%d})\n"
            "s:create_index('primary', {type='hash', parts={1, 'string'}})\n"
            "for i = 0, %llu do\n"
            "  local t = {string.format('acct-%%08d', i)}\n"
            "  for j = 1, %d do t[j + 1] = (i * 31 + j * 17) %% 64 end\n"
            "  s:insert(t)\n"
            "end\n"
            "box.schema.func.create('icp_bench_score.score', {language='C'})\n"
            "box.schema.user.grant('guest', 'read,execute', 'universe')\n"
            "box.cfg{listen='127.0.0.1:%u'}\n",
            BENCH_MODULES, peer->folder, PEER_TARANTOOL_SPACE,
            (unsigned long long)peer->accounts - 1, PEER_TARANTOOL_FEATURES, peer->port);
    bool ok = ferror(file) == 0;
    return fclose(file) == 0 && ok;
}

bool peer_tarantool_command(const struct peer *peer, struct peer_command *command,
                            struct proto_fault *fault)
{
    char *path = command->texts[0];
    snprintf(path, sizeof command->texts[0], "%s/init.lua", peer->folder);
    if (!script_write(peer, path)) {
        return proto_fault_set(fault, PROTO_IO, "", "%s: %s", path, strerror(errno));
    }
    command->argv[0] = "tarantool";
    command->argv[1] = path;
    return true;
}

/* 0xce u32 length, then what was written behind it. */
static void packet_end(struct proto_writer *out, size_t start)
{
    if (!proto_writer_ok(out)) {
        return;
    }
    uint32_t bytes = __builtin_bswap32((uint32_t)(out->bytes - start - 5));
    memcpy(out->data + start + 1, &bytes, sizeof bytes);
}

static void head_write(struct proto_writer *out, unsigned code, uint32_t index)
{
    static const uint8_t length[5] = {0xce};
    proto_write_raw(out, (struct proto_span){length, sizeof length});
    proto_write_map(out, 2);
    proto_write_uint(out, KEY_CODE);
    proto_write_uint(out, code);
    proto_write_uint(out, KEY_SYNC);
    proto_write_uint(out, index);
}

static void pair_write(struct proto_writer *out, unsigned key, uint64_t value)
{
    proto_write_uint(out, key);
    proto_write_uint(out, value);
}

void peer_tarantool_encode(void *context, uint32_t index, struct proto_writer *out)
{
    struct peer_asker *asker = context;
    size_t start = out->bytes;
    bool is_call = asker->ask == PEER_ASK_TARANTOOL_C;
    char id[LOAD_ID_BYTES + 1];
    load_account_id(math_random_below(&asker->random, asker->peer->accounts), id);
    head_write(out, is_call ? CODE_CALL : CODE_SELECT, index);
    if (is_call) {
        proto_write_map(out, 2);
        proto_write_uint(out, KEY_FUNCTION);
        proto_write_text(out, "icp_bench_score.score");
        proto_write_uint(out, KEY_TUPLE);
    } else {
        proto_write_map(out, 6);
        pair_write(out, KEY_SPACE, PEER_TARANTOOL_SPACE);
        pair_write(out, KEY_INDEX, 0);
        pair_write(out, KEY_LIMIT, 1);
        pair_write(out, KEY_OFFSET, 0);
        pair_write(out, KEY_ITERATOR, 0);
        proto_write_uint(out, KEY_KEY);
    }
    proto_write_array(out, 1);
    proto_write_text(out, id);
    packet_end(out, start);
}
