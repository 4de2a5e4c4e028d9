/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feature/feature_fixture.h"

#include <stdio.h>

static void parse_reads_every_member(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    assert_int_equal(schema->field_count, 6);
    assert_int_equal(schema->id_count, 6);
    assert_int_equal(schema->version, 1);
    assert_string_equal(schema->id_column, "Account");
    assert_int_equal(schema->key_count, 1);
    assert_string_equal(schema->keys[0].name_space, "domain");
    assert_string_equal(schema->keys[0].column, "website");
    const struct feature_field *field = fixture_field(schema, "employees");
    assert_int_equal(field->type, FEATURE_NUMBER);
    assert_int_equal(field->transform, FEATURE_TRANSFORM_LOG);
    assert_int_equal(field->family, FEATURE_FIRMOGRAPHIC);
    assert_int_equal(field->stale_after_ms, INT64_C(365) * 86400000);
    assert_int_equal(fixture_field(schema, "embedding")->dims, 3);
    assert_int_equal(fixture_field(schema, "stack")->family, FEATURE_TECHNOGRAPHIC);
    feature_schema_release(schema);
}

static void a_field_may_name_the_accounts(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct feature_schema *schema = feature_schema_parse(
        proto_span_text("{\"name\":\"Co\",\"fields\":[{\"name\":\"a\",\"type\":\"flag\"},"
                        "{\"name\":\"Co\",\"type\":\"category\"}]}"),
        1, NULL, &fault);
    assert_non_null(schema);
    assert_ptr_equal(schema->name, &schema->fields[1]);
    char *text = feature_schema_print(schema);
    struct feature_schema *again = feature_schema_parse(proto_span_text(text), 0, NULL, &fault);
    assert_string_equal(again->name->name, "Co");
    /* What the next version does not say is not so any more. */
    struct feature_schema *next = feature_schema_parse(
        proto_span_text("{\"fields\":[{\"name\":\"Co\",\"type\":\"category\"}]}"), 2, schema,
        &fault);
    assert_null(next->name);
    assert_int_equal(next->fields[0].id, schema->fields[1].id);
    feature_schema_release(next);
    feature_schema_release(again);
    feature_schema_release(schema);
    free(text);
}

static void find_is_exact_and_any_case_is_not(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    assert_null(feature_schema_find(schema, proto_span_text("last activity")));
    assert_non_null(feature_schema_find_any_case(schema, proto_span_text("last activity")));
    assert_null(feature_schema_find_any_case(schema, proto_span_text("")));
    assert_null(feature_schema_by_id(schema, 6));
    assert_string_equal(feature_schema_by_id(schema, 3)->name, "public");
    assert_string_equal(feature_schema_nearest(schema, proto_span_text("employes"))->name,
                        "employees");
    assert_null(feature_schema_nearest(schema, proto_span_text("revenue")));
    feature_schema_release(schema);
}

static void retain_keeps_the_schema_alive(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    assert_ptr_equal(feature_schema_retain(schema), schema);
    feature_schema_release(schema);
    assert_string_equal(schema->fields[0].name, "employees");
    feature_schema_release(schema);
    feature_schema_release(NULL);
}

/* Each refusal: document, path, and a part of the message. */
static const struct {
    const char *json;
    const char *field;
    const char *message;
} refusals[] = {
    {"", "", "line 1, column 1"},
    {"{\n  \"fields\": [,]\n}", "", "line 2, column 14"},
    {"{\"fields\":[{\"name\":\"a\",\"name\":\"b\",\"type\":\"flag\"}]}", "", "duplicate"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\"}]} x", "", "line 1"},
    {"[]", "", "an object with \"fields\" is wanted here, not an array"},
    {"{}", "fields", "an array of fields is wanted here, not nothing"},
    {"{\"fields\":[]}", "fields", "needs a field"},
    {"{\"fields\":[1]}", "fields[0]", "not a number"},
    {"{\"fieldz\":[]}", "fieldz", "did you mean \"fields\"?"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\",\"stale_after_day\":3}]}",
     "fields[0].stale_after_day", "did you mean \"stale_after_days\"?"},
    {"{\"fields\":[{\"type\":\"flag\"}]}", "fields[0].name", "a text is wanted here, not nothing"},
    {"{\"fields\":[{\"name\":\"\",\"type\":\"flag\"}]}", "fields[0].name", "empty"},
    {"{\"fields\":[{\"name\":\" a\",\"type\":\"flag\"}]}", "fields[0].name", "blank"},
    {"{\"fields\":[{\"name\":\"a\\u0007\",\"type\":\"flag\"}]}", "fields[0].name", "control"},
    {"{\"fields\":[{\"name\":\"a\\u0000\",\"type\":\"flag\"}]}", "", "line 1"},
    {"{\"fields\":[{\"name\":\"a\"}]}", "fields[0].type",
     "number, category, tags, flag, vector or date"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"text\"}]}", "fields[0].type", "not \"text\""},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\",\"family\":\"firm\"}]}", "fields[0].family",
     "firmographic"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"number\",\"transform\":\"sqrt\"}]}",
     "fields[0].transform", "none or log"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\",\"transform\":\"log\"}]}",
     "fields[0].transform", "only numbers and vectors"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"number\",\"dims\":3}]}", "fields[0].dims",
     "only a vector"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"vector\"}]}", "fields[0].dims", "not nothing"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"vector\",\"dims\":0}]}", "fields[0].dims", "1 to"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"vector\",\"dims\":2049}]}", "fields[0].dims",
     "1 to 2048"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"vector\",\"dims\":3.5}]}", "fields[0].dims",
     "number of dimensions"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\",\"stale_after_days\":0}]}",
     "fields[0].stale_after_days", "more than 0"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\",\"stale_after_days\":1e300}]}",
     "fields[0].stale_after_days", "at most"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\",\"missing\":\"N/A\"}]}", "fields[0].missing",
     "array of texts"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\",\"missing\":[\"x\",3]}]}",
     "fields[0].missing[1]", "not a number"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\"},{\"name\":\"a\",\"type\":\"flag\"}]}",
     "fields[1].name", "fields[0] too"},
    {"{\"fields\":[{\"name\":\"State\",\"type\":\"flag\"},{\"name\":\"state\",\"type\":\"flag\"}]}",
     "fields[1].name", "differ only in case"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\"}],\"id\":3}", "id", "a text"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\"}],\"name\":3}", "name", "not a number"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\"}],\"name\":\"a\"}", "name",
     "'a' is a flag; what names an account is a category"},
    {"{\"fields\":[{\"name\":\"company\",\"type\":\"category\"}],\"name\":\"compani\"}", "name",
     "did you mean 'company'?"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\"}],\"keys\":[]}", "keys", "an object"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\"}],\"keys\":{\"Dom\":\"x\"}}", "keys.Dom",
     "a-z"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\"}],\"keys\":{\"crm\":7}}", "keys.crm",
     "not a number"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\"}],\"version\":-1}", "version", "between 0"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\",\"id\":0},{\"name\":\"b\",\"type\":\"flag\"}]"
     "}",
     "fields", "1 of 2 fields carry an id"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\",\"id\":0},{\"name\":\"b\",\"type\":\"flag\","
     "\"id\":0}]}",
     "fields[1].id", "used twice"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\",\"id\":1}]}", "fields[0].id", "too large"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\",\"id\":\"x\"}]}", "fields[0].id",
     "whole number"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\"}],\"retired\":[{\"name\":\"b\",\"type\":"
     "\"flag\",\"id\":1}]}",
     "retired", "without ids"},
    {"{\"fields\":[{\"name\":\"a\",\"type\":\"flag\",\"id\":0}],\"retired\":[{\"name\":\"b\","
     "\"type\":\"vector\",\"id\":1}]}",
     "retired[0].dims", "1 to 2048"},
};

static void parse_refuses_by_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct proto_fault fault = {0};
        struct feature_schema *schema = fixture_parse(refusals[i].json, NULL, &fault);
        if (schema != NULL) {
            fail_msg("accepted: %s", refusals[i].json);
        }
        if (fault.code != PROTO_BAD_SCHEMA || strcmp(fault.field, refusals[i].field) != 0 ||
            strstr(fault.message, refusals[i].message) == NULL) {
            fail_msg("%s\n gives %d, \"%s\": %s", refusals[i].json, fault.code, fault.field,
                     fault.message);
        }
    }
}

static void parse_refuses_more_fields_than_the_limit(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    size_t room = (size_t)(PROTO_FIELDS_MAX + 1) * 48 + 32;
    char *json = malloc(room);
    assert_non_null(json);
    size_t used = (size_t)snprintf(json, room, "{\"fields\":[");
    for (int i = 0; i <= PROTO_FIELDS_MAX; i++) {
        used += (size_t)snprintf(json + used, room - used, "%s{\"name\":\"f%d\",\"type\":\"flag\"}",
                                 i == 0 ? "" : ",", i);
    }
    (void)snprintf(json + used, room - used, "]}");
    assert_null(fixture_parse(json, NULL, &fault));
    assert_string_equal(fault.field, "fields");
    free(json);
}

static void parse_refuses_a_bomb_of_values_before_it_is_parsed(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    size_t bytes = 4194304;
    char *json = malloc(bytes);
    assert_non_null(json);
    for (size_t i = 0; i < bytes; i++) {
        json[i] = i % 2 == 1 ? '1' : i == 0 ? '[' : ',';
    }
    assert_null(feature_schema_parse((struct proto_span){(uint8_t *)json, bytes}, 1, NULL, &fault));
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    free(json);
}

static struct feature_schema *next_version(struct feature_schema *previous, const char *json)
{
    struct proto_fault fault = {0};
    struct feature_schema *next =
        feature_schema_parse(proto_span_text(json), previous->version + 1, previous, &fault);
    if (next == NULL) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
    return next;
}

static void ids_stay_with_name_and_type_over_versions(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct feature_schema *first = fixture_parse(
        "{\"fields\":[{\"name\":\"a\",\"type\":\"number\"},{\"name\":\"b\",\"type\":\"flag\"}]}",
        NULL, &fault);
    assert_non_null(first);
    /* b goes, a changes its type, c is new. */
    struct feature_schema *second =
        next_version(first, "{\"fields\":[{\"name\":\"c\",\"type\":\"tags\"},"
                            "{\"name\":\"a\",\"type\":\"category\"}]}");
    assert_int_equal(fixture_field(second, "c")->id, 2);
    assert_int_equal(fixture_field(second, "a")->id, 3);
    assert_int_equal(second->id_count, 4);
    assert_int_equal(second->retired_count, 2);
    assert_string_equal(second->retired[0].name, "a");
    assert_string_equal(second->retired[1].name, "b");
    /* Both come back as they were. */
    struct feature_schema *third =
        next_version(second, "{\"fields\":[{\"name\":\"b\",\"type\":\"flag\"},"
                             "{\"name\":\"a\",\"type\":\"number\"}]}");
    assert_int_equal(fixture_field(third, "b")->id, 1);
    assert_int_equal(fixture_field(third, "a")->id, 0);
    assert_int_equal(third->id_count, 4);
    assert_int_equal(third->retired_count, 2);
    assert_int_equal(feature_schema_find_ever(third, proto_span_text("a"), FEATURE_CATEGORY)->id,
                     3);
    assert_null(feature_schema_find_ever(third, proto_span_text("a"), FEATURE_FLAG));
    assert_null(feature_schema_by_id(third, 3));
    feature_schema_release(first);
    feature_schema_release(second);
    feature_schema_release(third);
}

static void a_vector_of_another_length_is_another_field(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct feature_schema *first = fixture_parse(
        "{\"fields\":[{\"name\":\"v\",\"type\":\"vector\",\"dims\":3}]}", NULL, &fault);
    struct feature_schema *second =
        next_version(first, "{\"fields\":[{\"name\":\"v\",\"type\":\"vector\",\"dims\":4}]}");
    assert_int_equal(second->fields[0].id, 1);
    assert_int_equal(second->retired[0].dims, 3);
    feature_schema_release(first);
    feature_schema_release(second);
}

static void fields_equal(const struct feature_field *a, const struct feature_field *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(a[i].name, b[i].name);
        assert_int_equal(a[i].id, b[i].id);
        assert_int_equal(a[i].type, b[i].type);
        assert_int_equal(a[i].family, b[i].family);
        assert_int_equal(a[i].transform, b[i].transform);
        assert_int_equal(a[i].dims, b[i].dims);
        assert_int_equal(a[i].stale_after_ms, b[i].stale_after_ms);
        assert_int_equal(a[i].missing_count, b[i].missing_count);
        for (size_t j = 0; j < a[i].missing_count; j++) {
            assert_string_equal(a[i].missing[j], b[i].missing[j]);
        }
    }
}

static void print_gives_the_same_schema_back(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct feature_schema *first = fixture_schema();
    struct feature_schema *second = next_version(
        first, "{\"fields\":[{\"name\":\"x\",\"type\":\"number\",\"stale_after_days\":0.3333},"
               "{\"name\":\"stack\",\"type\":\"tags\",\"missing\":[\"\",\"-\"]}],"
               "\"missing\":[\"gr\\u00fc\\u00df\"],\"keys\":{\"crm\":\"CRM id\"}}");
    char *text = feature_schema_print(second);
    assert_non_null(text);
    struct feature_schema *back = feature_schema_parse(proto_span_text(text), 0, NULL, &fault);
    if (back == NULL) {
        fail_msg("%s: %s", fault.field, fault.message);
        return;
    }
    assert_int_equal(back->version, 2);
    assert_int_equal(back->field_count, second->field_count);
    assert_int_equal(back->retired_count, second->retired_count);
    assert_int_equal(back->retired_count, 5);
    assert_int_equal(back->id_count, second->id_count);
    fields_equal(back->fields, second->fields, back->field_count);
    fields_equal(back->retired, second->retired, back->retired_count);
    assert_string_equal(back->keys[0].column, "CRM id");
    char *again = feature_schema_print(back);
    assert_string_equal(text, again);
    /* What was read from the store may be put again: ids come from the store's own history. */
    struct feature_schema *third = next_version(second, text);
    assert_int_equal(third->id_count, second->id_count);
    fields_equal(third->fields, second->fields, third->field_count);
    free(text);
    free(again);
    feature_schema_release(first);
    feature_schema_release(second);
    feature_schema_release(third);
    feature_schema_release(back);
}

static void ids_run_out_with_a_word(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct feature_schema *schema =
        fixture_parse("{\"fields\":[{\"name\":\"f0\",\"type\":\"flag\"}]}", NULL, &fault);
    size_t room = (size_t)PROTO_FIELDS_MAX * 48 + 32;
    char *json = malloc(room);
    assert_non_null(json);
    for (int version = 1; schema != NULL; version++) {
        assert_true(version < 10);
        size_t used = (size_t)snprintf(json, room, "{\"fields\":[");
        for (int i = 0; i < PROTO_FIELDS_MAX; i++) {
            used += (size_t)snprintf(json + used, room - used,
                                     "%s{\"name\":\"f%d.%d\",\"type\":\"flag\"}", i == 0 ? "" : ",",
                                     version, i);
        }
        (void)snprintf(json + used, room - used, "]}");
        struct feature_schema *next = fixture_parse(json, schema, &fault);
        feature_schema_release(schema);
        schema = next;
    }
    assert_int_equal(fault.code, PROTO_LIMIT);
    free(json);
}

static void missing_words_disregard_case_and_blanks(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    const struct feature_field *activity = fixture_field(schema, "Last Activity");
    const struct feature_field *employees = fixture_field(schema, "employees");
    assert_true(feature_is_missing_word(schema, activity, proto_span_text("")));
    assert_true(feature_is_missing_word(schema, activity, proto_span_text(" \t\r\n\xC2\xA0")));
    assert_true(feature_is_missing_word(schema, activity, proto_span_text(" n/a ")));
    assert_true(feature_is_missing_word(schema, activity, proto_span_text("SELECT")));
    assert_false(feature_is_missing_word(schema, employees, proto_span_text("Select")));
    assert_false(feature_is_missing_word(schema, activity, proto_span_text("N/A or so")));
    char longer[300];
    memset(longer, 'n', sizeof longer);
    assert_false(feature_is_missing_word(schema, activity,
                                         (struct proto_span){(uint8_t *)longer, sizeof longer}));
    feature_schema_release(schema);
}

static void default_missing_words_are_accepted_by_a_schema(void **state)
{
    (void)state;
    size_t count = 0;
    bool has_select = false;
    const char *const *words = feature_default_missing_words(&count);
    assert_true(count > 10 && count <= FEATURE_MISSING_WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        has_select = has_select || strcmp(words[i], "Select") == 0;
    }
    assert_true(has_select);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_reads_every_member),
        cmocka_unit_test(a_field_may_name_the_accounts),
        cmocka_unit_test(find_is_exact_and_any_case_is_not),
        cmocka_unit_test(retain_keeps_the_schema_alive),
        cmocka_unit_test(parse_refuses_by_path),
        cmocka_unit_test(parse_refuses_more_fields_than_the_limit),
        cmocka_unit_test(parse_refuses_a_bomb_of_values_before_it_is_parsed),
        cmocka_unit_test(ids_stay_with_name_and_type_over_versions),
        cmocka_unit_test(a_vector_of_another_length_is_another_field),
        cmocka_unit_test(print_gives_the_same_schema_back),
        cmocka_unit_test(ids_run_out_with_a_word),
        cmocka_unit_test(missing_words_disregard_case_and_blanks),
        cmocka_unit_test(default_missing_words_are_accepted_by_a_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
