/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a line that claims to be an account of an export. What is refused is so by line and
 * column; what is taken is a record that passes its own check. */
#include <string.h>

#include "server/transfer/transfer_account.h"
#include "tests/fuzz/fuzz.h"

static struct feature_schema *schema_make(void)
{
    static const char text[] =
        "{\"fields\":[{\"name\":\"c\",\"type\":\"category\",\"family\":\"firmographic\"},"
        "{\"name\":\"n\",\"type\":\"number\",\"family\":\"firmographic\"},"
        "{\"name\":\"t\",\"type\":\"tags\",\"family\":\"technographic\"},"
        "{\"name\":\"f\",\"type\":\"flag\",\"family\":\"lifecycle\"},"
        "{\"name\":\"v\",\"type\":\"vector\",\"family\":\"behavioural\",\"dims\":2}]}";
    struct proto_fault fault;
    return feature_schema_parse(proto_span_text(text), 1, NULL, &fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct transfer_line line;
    struct transfer_account account;
    struct feature_record record;
    struct feature_schema *schema = schema_make();
    FUZZ_HOLDS(schema != NULL);
    FUZZ_HOLDS(transfer_account_init(&account, schema, &fault));
    bool loaded = transfer_line_load(&line, (struct proto_span){data, bytes}, 7, &fault);
    if (loaded && transfer_account_read(&account, &line, &fault)) {
        FUZZ_HOLDS(feature_record_open(account.encoded, true, &record, &fault));
        FUZZ_HOLDS(record.id.bytes > 0);
    } else {
        FUZZ_HOLDS(strncmp(fault.message, "line 7, ", 8) == 0 || fault.code == PROTO_NO_MEMORY);
    }
    if (loaded) {
        transfer_line_fini(&line);
    }
    transfer_account_fini(&account);
    feature_schema_release(schema);
    return 0;
}
