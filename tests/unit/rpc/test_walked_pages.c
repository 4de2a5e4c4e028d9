/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that are read page by page: whatever the pages' size, they are the list that comes in one
 * piece, nothing twice and nothing left out; the last page says that it is the last, and what lies
 * behind the end is empty. Pages of one sequence do not see what is written between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>

#include "tests/unit/rpc/rpc_fixture.h"
#include "tests/unit/rpc/rpc_request.h"

enum { ACCOUNTS = 12, STEPS = 7, ALL = 100, REQUEST_BYTES = 1024 };

static struct rpc_fixture fixture;
static struct proto_writer request;

static void ask(enum proto_op op, const char *text, struct proto_arg *args)
{
    rpc_fixture_ask(&fixture, (uint8_t)op, rpc_request_json(&request, text), args);
}

/* How a list is asked for from a place on. */
enum how { BY_NUMBER, BY_TEXT, BY_COUNT };

struct paged {
    enum proto_op op;
    const char *asked; /* members of the request but size and place */
    const char *place; /* member of the request */
    int list;          /* of the reply */
    int next;          /* of the reply: where to go on; BY_COUNT: how many there are */
    enum how how;
    size_t count; /* of the whole list */
};

#define POLICY                                                                                     \
    "{\\\"policy\\\":1,\\\"name\\\":\\\"won\\\",\\\"case\\\":\\\"subject\\\","                     \
    "\\\"moment\\\":\\\"stage:created\\\",\\\"archetypes\\\":["                                    \
    "{\\\"name\\\":\\\"good\\\",\\\"when\\\":[{\\\"event\\\":\\\"outcome:won\\\","                 \
    "\\\"within\\\":\\\"1 days\\\"}]}]}"

static const struct paged lists[] = {
    {PROTO_OP_FILTER, "\"filter\":\"employees > 0\"", "after", PROTO_A_FILTER_IDS,
     PROTO_A_FILTER_NEXT, BY_TEXT, ACCOUNTS},
    {PROTO_OP_FILTER, "\"filter\":\"employees > 0\",\"sort\":\"fit\"", "after", PROTO_A_FILTER_IDS,
     PROTO_A_FILTER_NEXT, BY_TEXT, ACCOUNTS},
    {PROTO_OP_ACCOUNT_HISTORY, "\"id\":\"a1\"", "skip", PROTO_A_ACCOUNT_HISTORY_CHANGES,
     PROTO_A_ACCOUNT_HISTORY_NEXT, BY_NUMBER, STEPS},
    {PROTO_OP_TIMELINE, "\"id\":\"a1\"", "skip", PROTO_A_TIMELINE_EVENTS, PROTO_A_TIMELINE_NEXT,
     BY_NUMBER, STEPS},
    {PROTO_OP_TIMELINE, "\"id\":\"a1\",\"newest\":true", "skip", PROTO_A_TIMELINE_EVENTS,
     PROTO_A_TIMELINE_NEXT, BY_NUMBER, STEPS},
    {PROTO_OP_IDENTITY_LIST, "\"names\":false", "before", PROTO_A_IDENTITY_LIST_ENTRIES,
     PROTO_A_IDENTITY_LIST_NEXT, BY_NUMBER, STEPS},
    {PROTO_OP_LABEL, "\"policy\":\"" POLICY "\",\"at\":900000000", "skip", PROTO_A_LABEL_LIST,
     PROTO_A_LABEL_NEXT, BY_NUMBER, STEPS},
    {PROTO_OP_TAL_GET, "\"name\":\"all\"", "offset", PROTO_A_TAL_GET_ENTRIES, PROTO_A_TAL_GET_COUNT,
     BY_COUNT, ACCOUNTS},
};

/* A page; its elements, as they are encoded, behind those before. Returns how many. */
static size_t page_take(const struct paged *paged, size_t limit, const char *place,
                        struct proto_writer *elements, struct proto_arg *args)
{
    char text[REQUEST_BYTES];
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_reader reader;
    (void)snprintf(text, sizeof text, "{%s,\"limit\":%zu%s%s%s%s}", paged->asked, limit,
                   place[0] != '\0' ? ",\"" : "", place[0] != '\0' ? paged->place : "",
                   place[0] != '\0' ? "\":" : "", place);
    ask(paged->op, text, args);
    proto_reader_init(&reader, args[paged->list].value, &fault);
    size_t count = proto_read_array(&reader);
    for (size_t i = 0; i < count; i++) {
        proto_write_raw(elements, proto_read_any(&reader));
    }
    assert_true(proto_reader_ok(&reader));
    return count;
}

/* Where the next page begins, as JSON; false: there is none. */
static bool place_next(const struct paged *paged, const struct proto_arg *args, size_t taken,
                       char place[128])
{
    const struct proto_arg *next = &args[paged->next];
    if (paged->how == BY_COUNT) {
        (void)snprintf(place, 128, "%zu", taken);
        return taken < next->uint;
    }
    if (next->present && paged->how == BY_TEXT) {
        (void)snprintf(place, 128, "\"%.*s\"", (int)next->text.bytes,
                       (const char *)next->text.data);
    } else if (next->present) {
        (void)snprintf(place, 128, "%" PRIu64, next->uint);
    }
    return next->present;
}

static void walk(const struct paged *paged, size_t limit, struct proto_span whole)
{
    struct proto_writer elements;
    struct proto_arg args[PROTO_ARGS_MAX];
    const char *name = proto_op_find((uint8_t)paged->op)->name;
    char place[128] = "";
    size_t taken = 0;
    size_t pages = 0;
    bool more = true;
    proto_writer_init(&elements);
    while (more) {
        size_t count = page_take(paged, limit, place, &elements, args);
        taken += count;
        pages++;
        more = place_next(paged, args, taken, place);
        if (count > limit || (more && count < limit) || pages > paged->count + 1) {
            fail_msg("%s by %zu: page %zu has %zu", name, limit, pages, count);
        }
    }
    if (taken != paged->count || !proto_span_equal(proto_writer_span(&elements), whole)) {
        fail_msg("%s by %zu: %zu of %zu in %zu pages, or other ones", name, limit, taken,
                 paged->count, pages);
    }
    assert_int_equal(pages, (paged->count + limit - 1) / limit);
    proto_writer_fini(&elements);
}

static void pages_of_any_size_are_the_whole_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct proto_writer whole;
        struct proto_arg args[PROTO_ARGS_MAX];
        proto_writer_init(&whole);
        assert_int_equal(page_take(&lists[i], ALL, "", &whole, args), lists[i].count);
        for (size_t limit = 1; limit <= lists[i].count + 1; limit++) {
            walk(&lists[i], limit, proto_writer_span(&whole));
        }
        proto_writer_fini(&whole);
    }
}

static void behind_the_end_there_is_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct proto_writer none;
        struct proto_arg args[PROTO_ARGS_MAX];
        const struct paged *paged = &lists[i];
        bool backwards = paged->op == PROTO_OP_IDENTITY_LIST; /* before the first is the end */
        static const char *const places[] = {"7", "12", "13", "9007199254740991"};
        proto_writer_init(&none);
        for (size_t k = 0; k < sizeof places / sizeof *places && paged->how != BY_TEXT; k++) {
            bool behind = strtoull(places[k], NULL, 10) >= paged->count;
            if (behind && !backwards) {
                assert_int_equal(page_take(paged, 5, places[k], &none, args), 0);
                assert_false(paged->how == BY_NUMBER && args[paged->next].present);
            }
        }
        if (backwards) {
            assert_int_equal(page_take(paged, 5, "1", &none, args), 0);
            assert_false(args[paged->next].present);
        }
        proto_writer_fini(&none);
    }
}

/* ---- what is written between two pages ---- */

static void first_page(const struct paged *paged, int seq_at, char asked[REQUEST_BYTES],
                       struct proto_writer *elements)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    assert_int_equal(page_take(paged, 3, "", elements, args), 3);
    (void)snprintf(asked, REQUEST_BYTES, "%s,\"seq\":%" PRIu64, paged->asked, args[seq_at].uint);
}

static void pages_of_a_sequence_do_not_see_what_came_between(void **state)
{
    (void)state;
    static const struct {
        size_t list; /* of `lists` */
        int seq_at;
        enum proto_op op;
        const char *between;
    } rows[] = {
        {2, PROTO_A_ACCOUNT_HISTORY_SEQ, PROTO_OP_ACCOUNT_PATCH,
         "{\"accounts\":[{\"id\":\"a1\",\"values\":{\"employees\":99}}]}"},
        {3, PROTO_A_TIMELINE_SEQ, PROTO_OP_EVENT_APPEND,
         "{\"events\":[{\"account\":\"a1\",\"type\":\"touch\",\"id\":\"early\",\"time\":1}]}"},
        {6, PROTO_A_LABEL_SEQ, PROTO_OP_EVENT_APPEND,
         "{\"events\":[{\"account\":\"a1\",\"type\":\"stage\",\"kind\":\"created\",\"subject\":"
         "\"early\",\"id\":\"early2\",\"time\":1}]}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct paged paged = lists[rows[i].list];
        struct proto_writer before;
        struct proto_writer pages;
        struct proto_arg args[PROTO_ARGS_MAX];
        char asked[REQUEST_BYTES];
        proto_writer_init(&before);
        proto_writer_init(&pages);
        size_t count = page_take(&paged, ALL, "", &before, args);
        first_page(&paged, rows[i].seq_at, asked, &pages);
        ask(rows[i].op, rows[i].between, args);
        paged.asked = asked;
        assert_int_equal(page_take(&paged, ALL, "3", &pages, args), count - 3);
        assert_true(proto_span_equal(proto_writer_span(&before), proto_writer_span(&pages)));
        /* The control: without the sequence there is one more. */
        paged.asked = lists[rows[i].list].asked;
        assert_int_equal(page_take(&paged, ALL, "", &pages, args), count + 1);
        proto_writer_fini(&before);
        proto_writer_fini(&pages);
    }
}

/* ---- a list that each can be walked of ---- */

static void step_write(unsigned step)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    char text[REQUEST_BYTES];
    (void)snprintf(text, sizeof text,
                   "{\"accounts\":[{\"id\":\"a1\",\"values\":{\"employees\":%u}}]}", 2000 + step);
    ask(PROTO_OP_ACCOUNT_PATCH, text, args);
    (void)snprintf(text, sizeof text,
                   "{\"events\":[{\"account\":\"a1\",\"type\":\"stage\",\"kind\":\"created\","
                   "\"subject\":\"d%u\",\"id\":\"e%u\",\"time\":%u}]}",
                   step, step, 1000 * (step + 1));
    ask(PROTO_OP_EVENT_APPEND, text, args);
    (void)snprintf(text, sizeof text,
                   "{\"entries\":[{\"act\":\"never\",\"account\":\"a2\",\"other\":\"a%u\"}]}",
                   step + 3);
    ask(PROTO_OP_IDENTITY, text, args);
}

static int setup(void **state)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    (void)state;
    proto_writer_init(&request);
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, 400);
    rpc_fixture_learn(&fixture);
    char text[REQUEST_BYTES * 8] = "{\"ids\":[";
    size_t used = strlen(text);
    for (unsigned i = ACCOUNTS; i < 400; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\"a%u\"",
                                 i > ACCOUNTS ? "," : "", i);
    }
    (void)snprintf(text + used, sizeof text - used, "]}");
    ask(PROTO_OP_ACCOUNT_DELETE, text, args);
    for (unsigned step = 0; step < STEPS; step++) {
        step_write(step);
    }
    ask(PROTO_OP_TAL_BUILD, "{\"name\":\"all\",\"k\":100}", args);
    assert_int_equal(args[PROTO_A_TAL_BUILD_COUNT].uint, ACCOUNTS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    proto_writer_fini(&request);
    rpc_fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_any_size_are_the_whole_list),
        cmocka_unit_test(behind_the_end_there_is_nothing),
        cmocka_unit_test(pages_of_a_sequence_do_not_see_what_came_between),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
