/* SPDX-License-Identifier: Apache-2.0 */
/* What a challenge says to people: each verdict in words, of a condition and of a slice, and how
 * many accounts would do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "tools/cli/challenge_print.h"

struct said {
    const char *verdict, *claim, *subject_name, *subject;
    uint8_t needed;
    const char *words;
};

static size_t text_add(uint8_t *at, const char *text)
{
    size_t bytes = strlen(text);
    at[0] = 0xd9; /* str 8 */
    at[1] = (uint8_t)bytes;
    memcpy(at + 2, text, bytes);
    return bytes + 2;
}

static size_t pair_add(uint8_t *at, const char *name, const char *text)
{
    size_t bytes = text_add(at, name);
    return bytes + text_add(at + bytes, text);
}

static size_t count_add(uint8_t *at, const char *name, uint8_t count)
{
    size_t bytes = text_add(at, name);
    at[bytes] = 0xcc; /* uint 8 */
    at[bytes + 1] = count;
    return bytes + 2;
}

static void print(const struct said *said, char printed[2048])
{
    uint8_t data[512];
    FILE *file = tmpfile();
    assert_non_null(file);
    struct cli cli = {.style = {.sink = {.file = file}, .form = OUT_TABLE}};
    size_t bytes = 0;
    bytes += pair_add(data + bytes, "verdict", said->verdict);
    bytes += pair_add(data + bytes, "claim", said->claim);
    bytes += pair_add(data + bytes, said->subject_name, said->subject);
    bytes += count_add(data + bytes, "needed", said->needed);
    bytes += count_add(data + bytes, "accounts", 50);
    bytes += count_add(data + bytes, "outcomes", 20);
    uint8_t map[520] = {0x86}; /* fixmap of 6 */
    memcpy(map + 1, data, bytes);
    struct icp_value value = {.kind = ICP_KIND_MAP, .count = 6, .data = map, .bytes = bytes + 1};
    assert_int_equal(challenge_print(&cli, &value), EX_OK);
    rewind(file);
    printed[fread(printed, 1, 2047, file)] = '\0';
    fclose(file);
}

static void every_verdict_is_said_in_words(void **state)
{
    (void)state;
    static const struct said cases[] = {
        {"holds", "in", "condition", "a = 1", 0, "holds: these accounts do better"},
        {"holds", "out", "condition", "a = 1", 0, "holds: these accounts do worse"},
        {"does not hold", "in", "condition", "a = 1", 0, "it is not so that these accounts"},
        {"holds", "either", "slice", "a = 1", 0, "holds: the version fails there"},
        {"too little evidence", "either", "slice", "a = 1", 90, "some 90 accounts in it"},
        {"too little evidence", "in", "condition", "a = 1", 0, "or that it is not so\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char printed[2048];
        print(&cases[i], printed);
        if (strstr(printed, cases[i].words) == NULL) {
            fail_msg("%s", printed);
        }
        assert_non_null(strstr(printed, "disputed: a = 1"));
        assert_non_null(strstr(printed, "20 of 50 accounts (40.0 %"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_verdict_is_said_in_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
