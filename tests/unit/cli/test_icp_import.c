/* SPDX-License-Identifier: Apache-2.0 */
/* A model of another program is bound to the schema of the server before anything is sent: what is
 * wrong with the file, the map or an expression is told with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "server/feature/schema.h"
#include "tests/unit/cli/canned.h"
#include "tests/unit/cli/cli_folder.h"

static const struct {
    const char *name;
    const char *text;
} files[] = {
    {"no-model.json", "{\"learner\": 1}"},
    {"cut.json", "{\"learner\":{\"attributes\":{"},
    {"empty.json", ""},
    {"map.json", "{\"x0\": \"size\"}"},
    {"list.json", "[\"x0\"]"},
    {"twice.json", "{\"x0\": \"size\", \"x0\": \"tier\"}"},
};

/* What is said of the small model and of the accounts that are stored. */
#define TOLD                                                                                       \
    "XGBoost 1.7.4, binary:logistic: 2 trees, 4 leaves; 1 features from 1 fields\n"                \
    "\n"                                                                                           \
    "On the 4 accounts that are stored (1 positive, 25.0 %):\n"                                    \
    "  it puts a positive above a negative in 75.0 % of all pairs: AUC 0.750, 95 % interval "      \
    "0.000 to 0.000\n"                                                                             \
    "  its top tenth holds 0.0 times as many positives as the average\n"                           \
    "  probabilities: squared error 0.0000 against 0.0000 for the base rate alone; off by 0.0 "    \
    "points on average\n"                                                                          \
    "\n"                                                                                           \
    "field  ± points  AUC alone\n"                                                                \
    "x0         12.5\n"                                                                            \
    "\n"                                                                                           \
    "warning: few accounts\n"

/* Fields of a schema as JSON with ' for ", then the reply that has its document. */
static struct canned named[] = {
    {PROTO_OP_SCHEMA_GET,
     "{'fields':[{'name':'x0','type':'number'},{'name':'x1','type':'number'},"
     "{'name':'x2','type':'number'}]}",
     PROTO_OK},
    {PROTO_OP_ICP_IMPORT,
     "{'job':7,'icp':3,'evidence':'{\\'holdout\\':{\\'split\\':\\'imported\\',\\'n\\':4,"
     "\\'positives\\':1,\\'auc\\':0.75},\\'fields\\':[{\\'field\\':\\'x0\\',"
     "\\'importance\\':0.125}],\\'warnings\\':[\\'few accounts\\']}'}",
     PROTO_OK}};
static struct canned renamed[] = {
    {PROTO_OP_SCHEMA_GET,
     "{'fields':[{'name':'size','type':'number'},{'name':'x1','type':'number'},"
     "{'name':'tier','type':'category'}]}",
     PROTO_OK},
    {PROTO_OP_ICP_IMPORT, "label.expression: nobody has the outcome", PROTO_NO_EVIDENCE}};
static struct canned *const schemas[] = {named, renamed};

static const char *schema_reply(const char *fields)
{
    struct proto_fault fault = {.code = PROTO_OK};
    char *text = strdup(fields);
    assert_non_null(text);
    for (char *at = strchr(text, '\''); at != NULL; at = strchr(at, '\'')) {
        *at = '"';
    }
    struct feature_schema *schema = feature_schema_parse(proto_span_text(text), 1, NULL, &fault);
    assert_non_null(schema);
    char *document = feature_schema_print(schema);
    json_t *reply = json_pack("{s:i, s:s}", "schema", 1, "document", document);
    const char *printed = json_dumps(reply, JSON_COMPACT);
    assert_non_null(printed);
    json_decref(reply);
    free(document);
    feature_schema_release(schema);
    free(text);
    return printed;
}

static int files_make(void **state)
{
    (void)folder_make(state);
    assert_int_equal(symlink(FOREIGN_SMALL, "small.json"), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        folder_put(files[i].name, files[i].text);
    }
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        schemas[i]->reply = schema_reply(schemas[i]->reply);
    }
    return 0;
}

static int files_remove(void **state)
{
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        free((char *)(uintptr_t)schemas[i]->reply);
    }
    return folder_remove(state);
}

static void a_model_becomes_a_version(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {"icp import small.json", CANNED(named), EX_OK, NULL,
         "ICP version 3 imported\n" TOLD "\n"
         "'icp what-if 3' shows who would change grade, 'icp activate 3' makes it the active one\n",
         ""},
        {"icp import small.json --activate", CANNED(named), EX_OK, NULL,
         "ICP version 3 imported, and active\n" TOLD, ""},
        {"icp import small.json --json", CANNED(named), EX_OK, NULL,
         "{\n"
         "  \"job\": 7,\n"
         "  \"icp\": 3,\n"
         "  \"evidence\": {\n"
         "    \"holdout\": {\n"
         "      \"split\": \"imported\",\n"
         "      \"n\": 4,\n"
         "      \"positives\": 1,\n"
         "      \"auc\": 0.75\n"
         "    },\n"
         "    \"fields\": [\n"
         "      {\n"
         "        \"field\": \"x0\",\n"
         "        \"importance\": 0.125\n"
         "      }\n"
         "    ],\n"
         "    \"warnings\": [\n"
         "      \"few accounts\"\n"
         "    ]\n"
         "  }\n"
         "}\n",
         ""},
        {"icp import small.json --map map.json", CANNED(renamed), EX_DATAERR, NULL, "",
         "icp icp import: label.expression: nobody has the outcome\n"},
    };
    CANNED_ROWS(rows);
}

static void what_is_sent_is_what_was_asked(void **state)
{
    (void)state;
    struct canned_run run;
    canned_run(&run, "icp import small.json --label 'x0 > 1' --where true --activate --name 'Bob'",
               CANNED(named));
    assert_int_equal(run.status, EX_OK);
    assert_non_null(strstr(run.asked, "\"label\":\"x0 > 1\",\"where\":\"true\",\"activate\":true"));
    assert_non_null(strstr(run.asked, "\\\"name\\\":\\\"Bob\\\""));
    canned_fini(&run);
    canned_run(&run, "icp import small.json --draft --map x0=size", CANNED(renamed));
    json_t *draft = json_loads(run.printed, 0, NULL);
    assert_int_equal(run.status, EX_OK);
    assert_string_equal(run.asked, "schema-get {}\n"); /* nothing is stored */
    assert_true(json_is_object(draft));
    json_decref(draft);
    canned_fini(&run);
}

static void what_is_wrong_is_told_before_it_is_sent(void **state)
{
    (void)state;
    static const struct canned none[] = {
        {PROTO_OP_SCHEMA_GET, ": no schema has been put", PROTO_NO_SCHEMA}};
    static const struct canned spoilt[] = {
        {PROTO_OP_SCHEMA_GET, "{'schema':1,'document':'{}'}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"icp import", NULL, 0, EX_USAGE, "", "",
         "icp icp import: FILE is missing; 'icp help icp import' has examples\n"},
        {"icp import small.json more", NULL, 0, EX_USAGE, "", "",
         "icp icp import: 'more' is one argument too many; expected FILE: if it holds blanks, put "
         "quotes around it ('icp help icp import' has examples)\n"},
        {"icp import absent.json", CANNED(named), EX_NOINPUT, NULL, "",
         "icp icp import: cannot open absent.json: No such file or directory\n"},
        {"icp import no-model.json", CANNED(named), EX_DATAERR, NULL, "",
         "icp icp import: no-model.json, line 1, column 13: learner, an object, is wanted here\n"},
        {"icp import cut.json", CANNED(named), EX_DATAERR, NULL, "",
         "icp icp import: cut.json, line 1, column 27: the name of a member is wanted here, in "
         "quotes\n"},
        {"icp import empty.json", CANNED(named), EX_DATAERR, NULL, "",
         "icp icp import: empty.json, line 1, column 1: neither a model of XGBoost (JSON or "
         "UBJSON) nor of LightGBM (text)\n"},
        {"icp import small.json", CANNED(renamed), EX_DATAERR, NULL, "",
         "icp icp import: small.json: feature \"x0\": the schema has no field \"x0\"; say which it "
         "is: --map 'FEATURE=FIELD', or a file (map)\n"},
        {"icp import small.json --map x0=siz", CANNED(renamed), EX_DATAERR, NULL, "",
         "icp icp import: small.json: feature \"x0\": the schema has no field \"siz\"; 'icp schema "
         "get' shows those it has (map)\n"},
        {"icp import small.json --map x0=tier", CANNED(renamed), EX_DATAERR, NULL, "",
         "icp icp import: small.json: feature \"x0\": the field is a category: say \"equals\" or "
         "\"categories\" (map)\n"},
        {"icp import small.json --map x3=size", CANNED(renamed), EX_DATAERR, NULL, "",
         "icp icp import: small.json: no member of that name is known; did you mean \"x0\"? "
         "(map.x3)\n"},
        {"icp import small.json --map =size", CANNED(renamed), EX_USAGE, NULL, "",
         "icp icp import: --map: '=size' is none such as company_size=employees\n"},
        {"icp import small.json --map x2=", CANNED(renamed), EX_USAGE, NULL, "",
         "icp icp import: --map: 'x2=' is none such as company_size=employees\n"},
        {"icp import small.json --map absent.json", CANNED(renamed), EX_NOINPUT, NULL, "",
         "icp icp import: cannot open absent.json: No such file or directory\n"},
        {"icp import small.json --map list.json", CANNED(renamed), EX_DATAERR, NULL, "",
         "icp icp import: list.json: an object is wanted: features and their fields\n"},
        {"icp import small.json --map twice.json", CANNED(renamed), EX_DATAERR, NULL, "",
         "icp icp import: twice.json, line 1, column 19: duplicate object key near '\"x0\"'\n"},
        {"icp import small.json --map cut.json", CANNED(renamed), EX_DATAERR, NULL, "",
         "icp icp import: cut.json, line 1, column 26: string or '}' expected near end of file\n"},
        {"icp import small.json --label 'x0 >'", CANNED(named), EX_DATAERR, NULL, "",
         "icp icp import: --label: column 5: a number is wanted for the number field \"x0\", not "
         "the end of the filter\n"
         "  x0 >\n"
         "      ^\n"},
        {"icp import small.json --where 'x9 > 1'", CANNED(named), EX_DATAERR, NULL, "",
         "icp icp import: --where: column 1: there is no field \"x9\"; did you mean \"x0\"?\n"
         "  x9 > 1\n"
         "  ^\n"},
        {"icp import small.json", CANNED(none), EX_DATAERR, NULL, "",
         "icp icp import: no schema has been put\n"
         "icp icp import: 'icp schema infer FILE.csv > schema.json' and 'icp schema put "
         "schema.json' make one\n"},
        {"icp import small.json", CANNED(spoilt), EX_DATAERR, NULL, "",
         "icp icp import: an array of fields is wanted here, not nothing\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_becomes_a_version),
        cmocka_unit_test(what_is_sent_is_what_was_asked),
        cmocka_unit_test(what_is_wrong_is_told_before_it_is_sent),
    };
    return cmocka_run_group_tests(tests, files_make, files_remove);
}
