/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a filter text, read against a schema with every type. What is accepted must print to a
 * text that is accepted too, prints the same and gives the same answers; what is refused must name
 * a column within the text. The same of the wider scope that knows scores and lists: whatever the
 * narrow one accepts, it accepts too. */
#include "server/filter/filter.h"
#include "tests/fuzz/fuzz.h"

static const char document[] =
    "{\"missing\":[\"N/A\"],\"fields\":[{\"name\":\"n\",\"type\":\"number\"},"
    "{\"name\":\"Last Activity\",\"type\":\"category\"},{\"name\":\"stack\",\"type\":\"tags\"},"
    "{\"name\":\"f\",\"type\":\"flag\"},{\"name\":\"v\",\"type\":\"vector\",\"dims\":2},"
    "{\"name\":\"Not in use\",\"type\":\"flag\"},{\"name\":\"n in\",\"type\":\"number\"}]}";

#define SLOTS 7

static void values_fill(struct feature_value values[SLOTS], unsigned setting)
{
    static const uint8_t tags[] = "\1\0a\1\0b";
    for (unsigned i = 0; i < SLOTS; i++) {
        values[i] = (struct feature_value){.present = setting != 0};
    }
    values[0].type = values[6].type = FEATURE_NUMBER;
    values[0].number = values[6].number = setting;
    values[1].type = FEATURE_CATEGORY;
    values[1].text = proto_span_text(setting == 1 ? "a" : "Email");
    values[2].type = FEATURE_TAGS;
    values[2].tags = (struct proto_span){tags, setting == 1 ? 3 : 6};
    values[3].type = values[5].type = FEATURE_FLAG;
    values[3].flag = setting == 1;
    values[4].type = FEATURE_VECTOR;
    values[4].present = false;
}

static void accepted(const struct feature_schema *schema, const struct filter *filter)
{
    struct proto_fault fault = {0};
    size_t count = 0;
    const uint16_t *ids = filter_fields(filter, &count);
    FUZZ_HOLDS(count > 0);
    for (size_t i = 0; i < count; i++) {
        FUZZ_HOLDS(ids[i] < SLOTS && (i == 0 || ids[i - 1] < ids[i]));
    }
    char *printed = filter_print(filter);
    FUZZ_HOLDS(printed != NULL);
    /* Canonical text is longer than terse text, and may pass the limit of bytes. */
    if (strlen(printed) <= PROTO_FILTER_BYTES_MAX) {
        struct filter *again = filter_parse(schema, proto_span_text(printed), &fault, NULL);
        if (again == NULL) {
            (void)fprintf(stderr, "%s\n%s\n", printed, fault.message);
        }
        FUZZ_HOLDS(again != NULL);
        char *twice = filter_print(again);
        FUZZ_HOLDS(twice != NULL && strcmp(printed, twice) == 0);
        for (unsigned setting = 0; setting < 3; setting++) {
            struct feature_value values[SLOTS];
            values_fill(values, setting);
            FUZZ_HOLDS(filter_match(filter, values, SLOTS) == filter_match(again, values, SLOTS));
        }
        free(twice);
        filter_destroy(again);
    }
    free(printed);
}

/* The scope with scores and lists; true if it accepts the text. */
static bool scoped(const struct feature_schema *schema, struct proto_span text)
{
    struct proto_fault fault = {0};
    size_t column = 0;
    struct filter *filter = filter_parse_scope(schema, FILTER_OF_ACCOUNTS, text, &fault, &column);
    if (filter == NULL) {
        FUZZ_HOLDS(fault.code == PROTO_BAD_FILTER && column >= 1 && column <= text.bytes + 1);
        return false;
    }
    char *printed = filter_print(filter);
    FUZZ_HOLDS(printed != NULL);
    if (strlen(printed) <= PROTO_FILTER_BYTES_MAX) {
        struct filter *again =
            filter_parse_scope(schema, FILTER_OF_ACCOUNTS, proto_span_text(printed), &fault, NULL);
        FUZZ_HOLDS(again != NULL);
        FUZZ_HOLDS(filter_reads_score(filter) == filter_reads_score(again));
        FUZZ_HOLDS(filter_reads_lists(filter) == filter_reads_lists(again));
        char *twice = filter_print(again);
        FUZZ_HOLDS(twice != NULL && strcmp(printed, twice) == 0);
        free(twice);
        filter_destroy(again);
    }
    free(printed);
    filter_destroy(filter);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct feature_schema *schema; /* made once, kept for the whole run */
    struct proto_fault fault = {0};
    size_t column = 0;
    if (schema == NULL) {
        schema = feature_schema_parse(proto_span_text(document), 1, NULL, &fault);
    }
    FUZZ_HOLDS(schema != NULL);
    struct filter *filter = filter_parse(schema, (struct proto_span){data, bytes}, &fault, &column);
    bool wider = scoped(schema, (struct proto_span){data, bytes});
    FUZZ_HOLDS(filter == NULL || wider);
    if (filter == NULL) {
        FUZZ_HOLDS(fault.code == PROTO_BAD_FILTER && column >= 1 && column <= bytes + 1);
        return 0;
    }
    accepted(schema, filter);
    filter_destroy(filter);
    return 0;
}
