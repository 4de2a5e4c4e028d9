/* SPDX-License-Identifier: Apache-2.0 */
/* What a schema would change, before it is put: fields that come, go, come back and are of another
 * type, the values that would not do, and who uses them. */
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

#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":\"" type "\"}"
#define FIRST "{\"fields\":[" FIELD("size", "number") "," FIELD("gone", "flag") "]}"
#define SECOND                                                                                     \
    "{\"id\":\"no\",\"name\":\"town\",\"keys\":{\"crm\":\"sfdc\"},\"fields\":[" FIELD(             \
        "size", "number") "," FIELD("town", "category") "," FIELD("a`b", "tags") "]}"

static const struct {
    const char *name;
    const char *text;
} files[] = {
    {"second.json", SECOND},
    {"third.json", "{\"keys\":{\"crm\":\"salesforce\"},\"fields\":[" FIELD(
                       "size", "category") "," FIELD("gone", "flag") "," FIELD("new", "date") "]}"},
    {"members.json",
     "{\"id\":\"no\",\"name\":\"town\",\"keys\":{\"crm\":\"sfdc\"},\"fields\":[{\"name\":\"size\","
     "\"type\":\"number\",\"transform\":\"log\",\"missing\":[\"?\"],\"stale_after_days\":1.5}"
     "," FIELD("town", "category") "," FIELD("a`b", "tags") "]}"},
    {"number.json", "{\"fields\":[" FIELD("size", "number") "," FIELD("town", "number") "]}"},
    {"cut.json", "{\"fields\":["},
    {"type.json", "{\"fields\":[" FIELD("size", "numbr") "]}"},
    {"none.json", "{\"fields\":[]}"},
};

/* The schema in force is SECOND, put after FIRST; its reply is made of it. */
static char *served_reply;
static struct canned served[] = {
    {PROTO_OP_SCHEMA_GET, NULL, PROTO_OK},
    {PROTO_OP_COUNT, "{'count':12345,'of':20000,'seq':9}", PROTO_OK},
    {PROTO_OP_FILTER,
     "{'seq':9,'ids':['acme','b'],'next':'c2','values':[{'size':12.5},{'size':'\\u001b','town':"
     "'10'}]}",
     PROTO_OK},
    {PROTO_OP_FILTER, "{'seq':9,'ids':['c','d'],'values':[{'town':'Ulm'},{'town':'Oslo'}]}",
     PROTO_OK},
    {PROTO_OP_ICP_LIST, "{'icps':[{'icp':1,'active':false},{'icp':2,'active':true}],'switches':[]}",
     PROTO_OK},
    {PROTO_OP_ICP_GET,
     "{'icp':1,'active':false,'document':'{\\'label\\':{\\'expression\\':\\'size > 10\\'}}'}",
     PROTO_OK},
    {PROTO_OP_ICP_GET,
     "{'icp':2,'active':true,'document':'{\\'evidence\\':{\\'fields\\':[{\\'field\\':\\'town\\'}]}}"
     "'}",
     PROTO_OK},
    {PROTO_OP_TAL_LIST, "{'tals':[{'name':'Q3','filter':'size > 5'},{'name':'damaged'}]}",
     PROTO_OK},
    {PROTO_OP_SEGMENT_LIST,
     "{'damaged':0,'seq':9,'segments':[{'name':'Ulm','filter':'town is missing'}]}", PROTO_OK}};
/* The same, and a version that is damaged: nobody knows what it uses. */
static struct canned unread[] = {
    {PROTO_OP_SCHEMA_GET, NULL, PROTO_OK},
    {PROTO_OP_COUNT, "{'count':0,'of':0,'seq':9}", PROTO_OK},
    {PROTO_OP_FILTER, "{'seq':9,'ids':[],'values':[]}", PROTO_OK},
    {PROTO_OP_ICP_LIST, "{'icps':[{'icp':1,'active':true}],'switches':[]}", PROTO_OK},
    {PROTO_OP_ICP_GET, "icp: version 1 is damaged", PROTO_CORRUPT},
    {PROTO_OP_TAL_LIST, "{'tals':[]}", PROTO_OK},
    {PROTO_OP_SEGMENT_LIST, "{'damaged':0,'seq':9,'segments':[]}", PROTO_OK}};
static const struct canned nothing[] = {
    {PROTO_OP_SCHEMA_GET, ": no schema has been put", PROTO_NO_SCHEMA},
    {PROTO_OP_SCHEMA_PUT, "{'schema':1,'seq':1}", PROTO_OK}};

static int files_make(void **state)
{
    struct proto_fault fault = {.code = PROTO_OK};
    (void)folder_make(state);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        folder_put(files[i].name, files[i].text);
    }
    struct feature_schema *first = feature_schema_parse(proto_span_text(FIRST), 1, NULL, &fault);
    assert_non_null(first);
    struct feature_schema *second = feature_schema_parse(proto_span_text(SECOND), 2, first, &fault);
    if (second == NULL) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
    char *document = feature_schema_print(second);
    json_t *reply = json_pack("{s:i, s:s}", "schema", 2, "document", document);
    served_reply = json_dumps(reply, JSON_COMPACT);
    assert_non_null(served_reply);
    served[0].reply = served_reply;
    unread[0].reply = served_reply;
    json_decref(reply);
    free(document);
    feature_schema_release(second);
    feature_schema_release(first);
    return 0;
}

static int files_remove(void **state)
{
    free(served_reply);
    return folder_remove(state);
}

static void where_there_is_no_schema_each_field_is_new(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {"schema put second.json --dry-run", CANNED(nothing), EX_OK, "schema-get {}\n",
         "accounts are named by: none → town\n"
         "column of the id, for imports: none → no\n"
         "key crm from column sfdc, for imports: new\n"
         "field  change         accounts  then                        used by\n"
         "size   new, number              empty until it is imported\n"
         "town   new, category            empty until it is imported\n"
         "a`b    new, tags                empty until it is imported\n",
         "icp schema put: nothing was put: without --dry-run this is schema version 1\n"},
        {"schema put number.json --dry-run --csv", CANNED(nothing), EX_OK, "schema-get {}\n",
         "field,change,accounts,then,used by\n"
         "size,\"new, number\",,empty until it is imported,\n"
         "town,\"new, number\",,empty until it is imported,\n",
         "icp schema put: nothing was put: without --dry-run this is schema version 1\n"},
        {"schema put second.json", CANNED(nothing), EX_OK, NULL, "schema version 1\n", ""},
    };
    CANNED_ROWS(rows);
}

static void what_changes_is_told_with_whom_it_meets(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {"schema put third.json --dry-run", CANNED(served), EX_OK,
         "schema-get {}\n"
         "count {\"filter\":\"`town` is not missing\"}\n"
         "count {\"filter\":\"`a``b` is not missing\"}\n"
         "filter {\"filter\":\"`size` is not missing\",\"limit\":10000,\"fields\":[\"size\"]}\n"
         "filter {\"filter\":\"`size` is not "
         "missing\",\"limit\":10000,\"fields\":[\"size\"],\"after\":\"c2\"}\n"
         "icp-list {}\n"
         "icp-get {\"icp\":1}\n"
         "icp-get {\"icp\":2}\n"
         "tal-list {}\n"
         "segment-list {}\n",
         "accounts are named by: town → none\n"
         "column of the id, for imports: no → none\n"
         "key crm from column sfdc, for imports: no more; keys that are stored stay\n"
         "key crm from column salesforce, for imports: new\n"
         "field  change             accounts  then                                                 "
         "            used by\n"
         "town   goes                 12,345  values are set aside: put back with its type, it has "
         "them again  segment Ulm, ICP version 2 (active)\n"
         "a`b    goes                 12,345  values are set aside: put back with its type, it has "
         "them again\n"
         "size   number → category         2  empty until it is imported again; all values would "
         "do            list Q3, ICP version 1\n"
         "gone   comes back, flag             has the values again that it had\n"
         "new    new, date                    empty until it is imported\n",
         "icp schema put: nothing was put: without --dry-run this is schema version 3\n"},
        {"schema put number.json --dry-run", CANNED(served), EX_OK, NULL,
         "accounts are named by: town → none\n"
         "column of the id, for imports: no → none\n"
         "key crm from column sfdc, for imports: no more; keys that are stored stay\n"
         "field  change             accounts  then                                                 "
         "                        used by\n"
         "a`b    goes                 12,345  values are set aside: put back with its type, it has "
         "them again\n"
         "town   category → number         3  empty until it is imported again; 2 values would not "
         "do, such as 'Ulm' of c  segment Ulm, ICP version 2 (active)\n",
         "icp schema put: nothing was put: without --dry-run this is schema version 3\n"},
        {"schema put members.json --dry-run", CANNED(served), EX_OK, NULL,
         "field  change                                                               accounts  "
         "then         used by\n"
         "size   transform none → log, missing words 0 → 1, stale after days 0 → 1.5    12,345  "
         "values stay  list Q3, ICP version 1\n",
         "icp schema put: nothing was put: without --dry-run this is schema version 3\n"},
        {"schema put number.json --dry-run --csv", CANNED(unread), EX_OK, NULL,
         "field,change,accounts,then,used by\n"
         "a`b,goes,0,\"values are set aside: put back with its type, it has them again\",\n"
         "town,category → number,0,empty until it is imported again; all values would do,\n",
         "icp schema put: ICP version 1 (active) cannot be read, and it may use any field: version "
         "1 is damaged\n"
         "icp schema put: nothing was put: without --dry-run this is schema version 3\n"},
    };
    CANNED_ROWS(rows);
}

static void a_schema_that_says_the_same_changes_nothing(void **state)
{
    (void)state;
    static const struct canned_row rows[] = {
        {"schema put second.json --dry-run", CANNED(served), EX_OK, NULL, "no field changes\n",
         "icp schema put: nothing was put: without --dry-run this is schema version 3\n"},
        {"schema put second.json --dry-run --json", CANNED(served), EX_OK, NULL, "[]\n", NULL},
        {"schema put second.json", CANNED(served), EX_OK, "schema-get {}\n",
         "schema version 2 says the same and is in force: nothing was stored\n", ""},
        {"schema put second.json --json", CANNED(served), EX_OK, "schema-get {}\n",
         "{\n"
         "  \"schema\": 2,\n"
         "  \"unchanged\": true\n"
         "}\n",
         ""},
    };
    CANNED_ROWS(rows);
}

static void what_is_no_schema_is_refused(void **state)
{
    (void)state;
    static const struct canned spoilt[] = {
        {PROTO_OP_SCHEMA_GET, "{'schema':1,'document':'{'}", PROTO_OK}};
    static const struct canned_row rows[] = {
        {"schema put --dry-run", NULL, 0, EX_USAGE, "", "",
         "icp schema put: FILE.json is missing; 'icp help schema put' has examples\n"},
        {"schema put absent.json --dry-run", NULL, 0, EX_NOINPUT, "", "",
         "icp schema put: cannot open absent.json: No such file or directory\n"},
        {"schema put cut.json --dry-run", NULL, 0, EX_DATAERR, "", "",
         "icp schema put: cut.json: line 1, column 11: not valid JSON: ']' expected near end of "
         "file\n"},
        {"schema put type.json --dry-run", NULL, 0, EX_DATAERR, "", "",
         "icp schema put: type.json: fields[0].type: number, category, tags, flag, vector or date "
         "is wanted here, not \"numbr\"\n"},
        {"schema put none.json --dry-run", NULL, 0, EX_DATAERR, "", "",
         "icp schema put: none.json: fields: a schema needs a field\n"},
        {"schema put second.json --dry-run", CANNED(spoilt), EX_DATAERR, NULL, "",
         "icp schema put: line 1, column 1: not valid JSON: string or '}' expected near end of "
         "file\n"},
    };
    CANNED_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_there_is_no_schema_each_field_is_new),
        cmocka_unit_test(what_changes_is_told_with_whom_it_meets),
        cmocka_unit_test(a_schema_that_says_the_same_changes_nothing),
        cmocka_unit_test(what_is_no_schema_is_refused),
    };
    return cmocka_run_group_tests(tests, files_make, files_remove);
}
