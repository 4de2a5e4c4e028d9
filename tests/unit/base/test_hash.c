/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define XXH_INLINE_ALL /* the plain ways, as the oracle */
#include <xxhash.h>

#include "server/base/hash.h"

enum { BYTES = 5000 };

static void bytes_fill(uint8_t *bytes)
{
    for (size_t i = 0; i < BYTES; i++) {
        bytes[i] = (uint8_t)(i * 131 + i / 256);
    }
}

static void the_hash_is_xxh3_whatever_the_registers(void **state)
{
    (void)state;
    uint8_t bytes[BYTES];
    bytes_fill(bytes);
    for (size_t count = 0; count <= BYTES; count += count < 600 ? 1 : 97) {
        assert_int_equal(base_hash(bytes, count, 0), XXH3_64bits(bytes, count));
        assert_int_equal(base_hash(bytes, count, count * 77),
                         XXH3_64bits_withSeed(bytes, count, count * 77));
    }
}

static void parts_hash_as_what_they_make_together(void **state)
{
    (void)state;
    uint8_t bytes[BYTES];
    bytes_fill(bytes);
    for (size_t cut = 0; cut <= BYTES; cut += 53) {
        const struct proto_span parts[] = {{bytes, cut}, {NULL, 0}, {bytes + cut, BYTES - cut}};
        assert_int_equal(base_hash_parts(parts, 3, 9), XXH3_64bits_withSeed(bytes, BYTES, 9));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_xxh3_whatever_the_registers),
        cmocka_unit_test(parts_hash_as_what_they_make_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
