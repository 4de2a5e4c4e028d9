/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a schema document, perhaps followed by a zero byte and a cell of text. What is accepted
 * must print to a document that gives the same text again; the cell is read as a value of every
 * field, and what is read must be a valid value. */
#include "server/feature/schema.h"
#include "server/identity/domain.h"
#include "tests/fuzz/fuzz.h"

static void printed_again(const struct feature_schema *schema)
{
    struct proto_fault fault = {0};
    char *text = feature_schema_print(schema);
    FUZZ_HOLDS(text != NULL);
    struct feature_schema *again = feature_schema_parse(proto_span_text(text), 0, NULL, &fault);
    if (again == NULL) {
        (void)fprintf(stderr, "%s\n%s: %s\n", text, fault.field, fault.message);
    }
    FUZZ_HOLDS(again != NULL && again->id_count == schema->id_count);
    char *twice = feature_schema_print(again);
    FUZZ_HOLDS(twice != NULL && strcmp(text, twice) == 0);
    /* The same document as the next version keeps every id. */
    struct feature_schema *next = feature_schema_parse(proto_span_text(text), 2, schema, &fault);
    FUZZ_HOLDS(next != NULL && next->id_count == schema->id_count);
    for (size_t i = 0; i < schema->field_count; i++) {
        FUZZ_HOLDS(next->fields[i].id == schema->fields[i].id);
    }
    feature_schema_release(next);
    feature_schema_release(again);
    free(text);
    free(twice);
}

static void cell_read(const struct feature_schema *schema, struct proto_span cell)
{
    size_t scratch_bytes = FEATURE_SCRATCH_BYTES(cell.bytes);
    uint8_t *scratch = malloc(scratch_bytes);
    FUZZ_HOLDS(scratch != NULL);
    for (size_t i = 0; i < schema->field_count && i < 16; i++) {
        struct feature_value value;
        struct proto_fault fault = {0};
        bool ok = feature_value_from_text(schema, &schema->fields[i], cell, scratch, scratch_bytes,
                                          &value, &fault);
        FUZZ_HOLDS(ok || (!value.present && fault.message[0] != '\0'));
        FUZZ_HOLDS(!ok || !value.present || feature_value_valid(&value));
    }
    free(scratch);
}

static void domain_read(struct proto_span cell)
{
    struct identity_domain domain;
    for (int email = 0; email < 2; email++) {
        enum identity_domain_kind kind = email ? identity_domain_from_email(cell, &domain)
                                               : identity_domain_from_url(cell, &domain);
        size_t host = strlen(domain.host);
        size_t registrable = strlen(domain.registrable);
        FUZZ_HOLDS((kind == IDENTITY_DOMAIN_NONE) == (registrable == 0));
        FUZZ_HOLDS(host >= registrable &&
                   strcmp(domain.host + host - registrable, domain.registrable) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct proto_fault fault = {0};
    const uint8_t *zero = bytes == 0 ? NULL : memchr(data, 0, bytes);
    size_t document = zero == NULL ? bytes : (size_t)(zero - data);
    struct proto_span cell = {data + document, 0};
    if (zero != NULL) {
        cell = (struct proto_span){zero + 1, bytes - document - 1};
    }
    domain_read(cell);
    struct feature_schema *schema =
        feature_schema_parse((struct proto_span){data, document}, 1, NULL, &fault);
    if (schema == NULL) {
        FUZZ_HOLDS(fault.message[0] != '\0');
        return 0;
    }
    printed_again(schema);
    cell_read(schema, cell);
    feature_schema_release(schema);
    return 0;
}
