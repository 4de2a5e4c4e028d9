/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of docs/filter.md and docs/schema.md are what the program does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/filter/filter.h"

#ifndef ICP_DOCS
#error "the build says where the docs are"
#endif

/* The whole file, with a zero end. */
static char *file_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 65536);
    assert_non_null(file);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, file) > 0);
    assert_int_equal(fclose(file), 0);
    return text;
}

/* Cuts out the text of the first block between fences of that kind. */
static char *block_take(char *text, const char *fence)
{
    char *start = strstr(text, fence);
    assert_non_null(start);
    start = strchr(start, '\n') + 1;
    char *end = strstr(start, "```");
    assert_non_null(end);
    *end = '\0';
    return start;
}

static struct feature_schema *documented_schema(void)
{
    struct proto_fault fault = {0};
    char *text = file_read(ICP_DOCS "/schema.md");
    struct feature_schema *schema =
        feature_schema_parse(proto_span_text(block_take(text, "```json")), 1, NULL, &fault);
    if (schema == NULL) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
    free(text);
    return schema;
}

static void block_is_accepted(const char *fence, enum filter_scope scope, size_t least)
{
    struct feature_schema *schema = documented_schema();
    char *text = file_read(ICP_DOCS "/filter.md");
    size_t count = 0;
    char *rest = NULL;
    for (char *line = strtok_r(block_take(text, fence), "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        struct proto_fault fault = {0};
        struct filter *filter =
            filter_parse_scope(schema, scope, proto_span_text(line), &fault, NULL);
        if (filter == NULL) {
            fail_msg("%s: %s", line, fault.message);
        }
        filter_destroy(filter);
        count++;
    }
    assert_true(count >= least);
    free(text);
    feature_schema_release(schema);
}

static void documented_filters_are_accepted(void **state)
{
    (void)state;
    block_is_accepted("```filter", FILTER_OF_VALUES, 10);
}

static void documented_filters_on_scores_are_accepted(void **state)
{
    (void)state;
    block_is_accepted("```accounts", FILTER_OF_ACCOUNTS, 5);
}

static void documented_refusals_are_worded_so(void **state)
{
    (void)state;
    struct feature_schema *schema = documented_schema();
    char *text = file_read(ICP_DOCS "/filter.md");
    size_t count = 0;
    char *rest = NULL;
    for (char *line = strtok_r(block_take(text, "```refused"), "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        struct proto_fault fault = {0};
        const char *message = strtok_r(NULL, "\n", &rest);
        assert_null(filter_parse(schema, proto_span_text(line), &fault, NULL));
        assert_string_equal(fault.message, message);
        count++;
    }
    assert_true(count >= 5);
    free(text);
    feature_schema_release(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented_filters_are_accepted),
        cmocka_unit_test(documented_filters_on_scores_are_accepted),
        cmocka_unit_test(documented_refusals_are_worded_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
