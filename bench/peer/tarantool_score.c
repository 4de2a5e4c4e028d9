/* SPDX-License-Identifier: Apache-2.0 */
/* A C function for Tarantool that does the work of a score by id: finds the account's tuple (id and
 * 32 features of one byte) and adds up 32 table entries. Built as a module for `icp-bench gate`;
 * nothing of icpd links to it. Arguments: [id]; returns [raw score]. */
#include <stdint.h>
#include <string.h>
#include <tarantool/module.h>

enum { SPACE_ID = 512, FEATURES = 32, BINS = 64 };

int score(box_function_ctx_t *ctx, const char *args, const char *args_end);

/* Stands for a table entry; worked out instead of loaded, which is no slower. */
static int32_t entry(unsigned feature, uint8_t bin)
{
    return (int32_t)((feature * BINS + bin) * 2654435761U >> 12) - 500000;
}

int score(box_function_ctx_t *ctx, const char *args, const char *args_end)
{
    box_tuple_t *tuple = NULL;
    int64_t raw = 0;
    if (box_index_get(SPACE_ID, 0, args, args_end, &tuple) != 0 || tuple == NULL) {
        return box_error_set(__FILE__, __LINE__, ER_PROC_C, "no such account");
    }
    const char *features = box_tuple_field(tuple, 1);
    for (unsigned i = 0; i < FEATURES; i++) {
        raw += entry(i, (uint8_t)features[i]); /* numbers below 128 are one byte in MessagePack */
    }
    uint8_t out[9] = {0xd3};
    uint64_t bits = __builtin_bswap64((uint64_t)raw);
    memcpy(out + 1, &bits, sizeof bits);
    return box_return_mp(ctx, (const char *)out, (const char *)out + sizeof out);
}
