/* SPDX-License-Identifier: Apache-2.0 */
/* A plan becomes steps in the order in which they have to run, whatever the order in which they
 * stand, each with its command line; ids follow from files and options; slips are told by place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/cli/import_plan.h"

static const char company[] =
    "{\"plan\": 1, \"name\": \"co\", \"schema\": \"s.json\", \"precedence\": [\"crm\", "
    "\"billing\"],"
    " \"files\": ["
    "{\"file\": \"t.csv\", \"events\": {\"account\": \"crm=id\", \"type\": \"touch\", \"at\": "
    "\"day\"}},"
    "{\"file\": \"b.csv\", \"accounts\": {\"match\": [\"domain\", \"crm\"], \"source\": "
    "\"billing\","
    " \"key\": {\"domain\": \"Site\"}, \"map\": {\"Plan\": \"plan\", \"Notes\": null}}},"
    "{\"file\": \"z.csv\", \"accounts\": {\"match\": [\"crm\"], \"source\": \"crm\", \"batch\": "
    "50}},"
    "{\"file\": \"a.csv\", \"accounts\": {\"replace\": true, \"strict\": false,"
    " \"key\": [\"domain=web\", \"vat=no\"]}, \"events\": {\"won\": \"stage = 'Won'\"}}]}";

/* The words of a step, with blanks between them. */
static const char *words_of(const struct import_plan_step *step, char *text, size_t bytes)
{
    size_t used = 0;
    for (size_t i = 0; i < step->count; i++) {
        used +=
            (size_t)snprintf(text + used, bytes - used, "%s%s", i > 0 ? " " : "", step->words[i]);
        assert_true(used < bytes);
    }
    return text;
}

static void plan_open(struct import_plan *plan, const char *text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    if (!import_plan_read(plan, proto_span_text(text), &fault)) {
        fail_msg("%s (%s)", fault.message, fault.field);
    }
}

static void steps_stand_in_the_order_in_which_they_run(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "schema put s.json",
        "import a.csv --replace --key domain=web --key vat=no",
        "import z.csv --match crm --source crm --batch 50 --precedence crm,billing",
        ("import b.csv --match domain,crm --source billing --key domain=Site --map Plan=plan "
         "--map Notes= --precedence crm,billing"),
        "event import a.csv --won stage = 'Won'",
        "event import t.csv --account crm=id --type touch --at day",
    };
    struct import_plan plan;
    char text[512];
    plan_open(&plan, company);
    assert_int_equal(plan.count, sizeof lines / sizeof *lines);
    for (size_t i = 0; i < plan.count; i++) {
        assert_string_equal(words_of(&plan.steps[i], text, sizeof text), lines[i]);
    }
    assert_string_equal(import_plan_kind_name(plan.steps[0].kind), "schema");
    assert_string_equal(import_plan_kind_name(plan.steps[5].kind), "events");
    import_plan_close(&plan);
}

static void slips_are_told_by_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *field;
    } slips[] = {
        {"[]", ""},
        {"{\"plan\": 2, \"name\": \"a\", \"files\": []}", "plan"},
        {"{\"plan\": 1, \"name\": \"a b\", \"files\": []}", "name"},
        {"{\"plan\": 1, \"name\": \"a\"}", "files"},
        {"{\"plan\": 1, \"name\": \"a\", \"file\": []}", "file"},
        {"{\"plan\": 1, \"name\": \"a\", \"files\": [1]}", "files[0]"},
        {"{\"plan\": 1, \"name\": \"a\", \"files\": [{\"file\": \"x\"}]}", "files[0]"},
        {"{\"plan\": 1, \"name\": \"a\", \"files\": [{\"events\": {}}]}", "files[0]"},
        {"{\"plan\": 1, \"name\": \"a\", \"files\": [{\"file\": \"x\", \"events\": []}]}",
         "files[0].events"},
        {"{\"plan\": 1, \"name\": \"a\", \"files\": [{\"file\": \"x\", \"events\": {\"ta\": "
         "\"b\"}}]}",
         "files[0].events.ta"},
        {"{\"plan\": 1, \"name\": \"a\", \"files\": [{\"file\": \"x\", \"accounts\": {\"id\": "
         "true}}]}",
         "files[0].accounts.id"},
        {"{\"plan\": 1, \"name\": \"a\", \"files\": [{\"file\": \"x\", \"accounts\": "
         "{\"dry-run\": true}}]}",
         "files[0].accounts.dry-run"},
        {"{\"plan\": 1, \"name\": \"a\", \"files\": [{\"file\": \"x\", \"accounts\": "
         "{\"replace\": 1}}]}",
         "files[0].accounts.replace"},
        {"{\"plan\": 1, \"name\": \"a\", \"files\": [{\"file\": \"x\", \"accounts\": "
         "{\"map\": {\"a\": 1}}}]}",
         "files[0].accounts.map"},
        {"{\"plan\": 1, \"name\": \"a\", \"precedence\": \"crm\", \"files\": [{\"file\": \"x\", "
         "\"accounts\": {}}]}",
         "precedence"},
    };
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        struct import_plan plan;
        struct proto_fault fault = {.code = PROTO_OK};
        assert_false(import_plan_read(&plan, proto_span_text(slips[i].text), &fault));
        assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
        assert_string_equal(fault.field, slips[i].field);
        assert_true(slips[i].field[0] == '\0' ||
                    strncmp(fault.message, "line 1, column ", 15) == 0);
        import_plan_close(&plan);
    }
}

static void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The id of the one step of a plan over a file. */
static void id_of(const char *path, const char *options, char id[PROTO_IMPORT_BYTES_MAX + 1])
{
    char text[512];
    const char *at = "";
    struct import_plan plan;
    (void)snprintf(
        text, sizeof text,
        "{\"plan\": 1, \"name\": \"co\", \"files\": [{\"file\": \"%s\", \"accounts\": {%s}}]}",
        path, options);
    plan_open(&plan, text);
    assert_true(import_plan_ids(&plan, &at));
    assert_int_equal(strncmp(plan.steps[0].id, "co-", 3), 0);
    (void)snprintf(id, PROTO_IMPORT_BYTES_MAX + 1, "%s", plan.steps[0].id);
    import_plan_close(&plan);
}

static void an_id_follows_from_file_and_options(void **state)
{
    (void)state;
    char path[] = "/tmp/icp-plan-XXXXXX";
    char ids[4][PROTO_IMPORT_BYTES_MAX + 1];
    int made = mkstemp(path);
    assert_true(made >= 0);
    (void)close(made);
    file_write(path, "id\na\n");
    id_of(path, "\"source\": \"crm\"", ids[0]);
    id_of(path, "\"source\": \"crm\"", ids[1]);
    id_of(path, "\"source\": \"erp\"", ids[2]);
    file_write(path, "id\nb\n");
    id_of(path, "\"source\": \"crm\"", ids[3]);
    assert_string_equal(ids[0], ids[1]);
    assert_string_not_equal(ids[0], ids[2]);
    assert_string_not_equal(ids[0], ids[3]);
    assert_int_equal(remove(path), 0);
    struct import_plan plan;
    const char *at = "";
    plan_open(&plan, company);
    assert_false(import_plan_ids(&plan, &at));
    assert_string_equal(at, "s.json");
    import_plan_close(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_stand_in_the_order_in_which_they_run),
        cmocka_unit_test(slips_are_told_by_their_place),
        cmocka_unit_test(an_id_follows_from_file_and_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
