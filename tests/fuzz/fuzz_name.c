/* SPDX-License-Identifier: Apache-2.0 */
/* Input: names with a line feed between. Of any bytes normalisation leaves words of well-formed
 * UTF-8 without blanks; likeness keeps to 0 and 1; each name finds itself. */
#include <string.h>

#include "proto/reader.h"
#include "server/identity/name_like.h"
#include "server/identity/name_match.h"
#include "tests/fuzz/fuzz.h"

enum { NAMES_MAX = 16 };

static void name_look(const struct identity_name *name)
{
    size_t bytes = 0;
    char joined[IDENTITY_NAME_BYTES];
    FUZZ_HOLDS(name->token_count > 0 && name->token_count <= IDENTITY_NAME_TOKENS);
    FUZZ_HOLDS(strlen(name->text) < IDENTITY_NAME_BYTES);
    FUZZ_HOLDS(proto_utf8_valid(proto_span_text(name->text)));
    for (size_t i = 0; i < name->token_count; i++) {
        struct proto_span token = identity_name_token(name, i);
        FUZZ_HOLDS(token.bytes > 0 && memchr(token.data, ' ', token.bytes) == NULL);
        FUZZ_HOLDS(identity_jaro_winkler(token, token) == 1);
        bytes += token.bytes;
    }
    FUZZ_HOLDS(identity_name_joined(name, joined) == bytes);
}

static void names_match(const struct proto_span *names, size_t count)
{
    struct proto_fault fault;
    struct identity_name normal[NAMES_MAX];
    bool some[NAMES_MAX];
    struct identity_matcher *matcher = identity_matcher_create(count, count, 3, &fault);
    FUZZ_HOLDS(matcher != NULL);
    for (size_t i = 0; i < count; i++) {
        some[i] = identity_name_normal(names[i], &normal[i]);
        identity_matcher_row(matcher, names[i], names[i]);
        if (some[i]) {
            name_look(&normal[i]);
            identity_matcher_count(matcher, &normal[i]);
        }
    }
    FUZZ_HOLDS(identity_matcher_index(matcher, &fault));
    for (size_t i = 0; i < count; i++) {
        if (some[i]) {
            identity_matcher_offer(matcher, (uint32_t)i, &normal[i], names[i]);
        }
    }
    identity_matcher_end(matcher);
    for (size_t i = 0; i < count; i++) {
        size_t found = 0;
        bool common = false;
        char why[IDENTITY_WHY_BYTES];
        const struct identity_candidate *list = identity_matcher_found(matcher, i, &found, &common);
        FUZZ_HOLDS(some[i] ? found > 0 && list[0].score >= 1 : found == 0);
        for (size_t c = 0; c < found; c++) {
            FUZZ_HOLDS(list[c].score >= 0 && list[c].score <= 1);
            FUZZ_HOLDS(identity_candidate_why(&list[c], why)[0] != '\0');
        }
    }
    identity_matcher_destroy(matcher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct proto_span names[NAMES_MAX];
    size_t count = 0;
    size_t start = 0;
    for (size_t i = 0; i <= bytes && count < NAMES_MAX; i++) {
        if (i == bytes || data[i] == '\n') {
            names[count++] = (struct proto_span){data + start, i - start};
            start = i + 1;
        }
    }
    if (bytes > 0) {
        names_match(names, count);
    }
    return 0;
}
