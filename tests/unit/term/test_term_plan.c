/* SPDX-License-Identifier: Apache-2.0 */
/* A plan goes through its states in order and no other; what is not allowed, or is not signed as it
 * must be, is refused by name and leaves the plan as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/reader.h"
#include "tests/unit/term/term_story.h"

/* The entry is refused with that code, and the message holds the words. */
static void refuse_json(struct term_plan *plan, const char *act, const json_t *body,
                        enum proto_error code, const char *words)
{
    struct proto_fault fault = {0};
    size_t bytes = 0;
    uint32_t entries = plan->entries;
    enum term_state state = plan->state;
    char *line = term_plan_add(plan, act, plan->at_ms, proto_span_text(""), body, &bytes, &fault);
    assert_null(line);
    assert_int_equal(fault.code, code);
    if (strstr(fault.message, words) == NULL) {
        assert_string_equal(fault.message, words);
    }
    assert_int_equal(plan->entries, entries);
    assert_int_equal(plan->state, state);
}

static void refuse(struct term_plan *plan, const char *act, const char *body, enum proto_error code,
                   const char *words)
{
    json_t *json = json_loads(body, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    refuse_json(plan, act, json, code, words);
    json_decref(json);
}

static void a_plan_goes_through_its_states(void **state)
{
    static const struct {
        const char *act, *word;
    } stops[] = {{"list", "list"}, {"sign", "signed"}, {"commit", "committed"}, {"next", "next"}};
    (void)state;
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        struct term_story story;
        term_story_begin(&story);
        term_story_tell(&story, stops[i].act);
        assert_string_equal(term_state_word(story.plan.state), stops[i].word);
        term_story_end(&story);
    }
}

static void lines_fold_to_the_plan_that_wrote_them(void **state)
{
    struct term_story story;
    struct term_plan again;
    struct proto_fault fault = {0};
    (void)state;
    term_story_begin(&story);
    term_story_tell(&story, "next");
    assert_true(term_plan_init(&again, proto_span_text("2027"), &fault));
    for (size_t i = 0; i < story.count; i++) {
        struct proto_span line = proto_span_text(story.lines[i]);
        assert_true(term_line_of(line, proto_span_text("2027")));
        assert_false(term_line_of(line, proto_span_text("027")));
        assert_false(term_line_of(line, proto_span_text("12027")));
        assert_true(term_plan_take(&again, line, &fault));
    }
    assert_true(json_equal(again.terms, story.plan.terms));
    assert_true(json_equal(again.signed_by, story.plan.signed_by));
    assert_true(term_hash_equal(&again.head, &story.plan.head));
    assert_string_equal(json_string_value(term_plan_at(&again, "to")), "2028-03-31");
    term_plan_fini(&again);
    term_story_end(&story);
}

static void what_has_no_owner_is_named_and_blocks_the_commitment(void **state)
{
    struct term_story story;
    char text[128];
    (void)state;
    term_story_begin(&story);
    term_story_tell(&story, "sign");
    /* The rules judge what there is, so take two owners away. */
    json_object_set_new(json_object_get(story.plan.terms, "layers"), "routing", json_null());
    json_object_set_new(json_object_get(story.plan.terms, "stages"), "renewal", json_null());
    assert_int_equal(term_plan_ownerless(&story.plan, text, sizeof text), 2);
    assert_string_equal(text, "layer routing, stage renewal");
    refuse(&story.plan, "commit", "{}", PROTO_CONFLICT,
           "2 of the plan's layers and stages have no owner: layer routing, stage renewal");
    term_story_end(&story);
}

/* Names of many bytes a character, into rooms of every size. */
static void names_without_an_owner_are_told_whole_or_not_at_all(void **state)
{
    struct term_plan plan;
    struct proto_fault fault = {0};
    char text[64];
    (void)state;
    assert_true(term_plan_init(&plan, proto_span_text("a"), &fault));
    json_object_set_new(plan.terms, "layers", json_pack("{s:n, s:n}", "größe", "ïïï"));
    json_object_set_new(plan.terms, "stages", json_pack("{s:n}", "日本語"));
    for (size_t room = 16; room <= sizeof text; room++) {
        assert_int_equal(term_plan_ownerless(&plan, text, room), 3);
        assert_true(strlen(text) < room);
        assert_true(proto_utf8_valid(proto_span_text(text)));
        const char *more = strstr(text, "…");
        assert_true(more != NULL ? more[strlen("…")] == '\0' : strstr(text, "日本語") != NULL);
    }
    term_plan_fini(&plan);
}

static void a_plan_that_was_not_begun_is_as_before(void **state)
{
    struct term_plan plan;
    struct proto_fault fault = {0};
    (void)state;
    assert_true(term_plan_init(&plan, proto_span_text("a"), &fault));
    refuse(&plan, "create",
           "{\"from\":\"2027-01-01\",\"to\":\"2027-12-31\",\"icp\":{\"version\":3,\"sha256\":"
           "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"},"
           "\"layers\":[\"profile\"],\"stages\":[]}",
           PROTO_BAD_FIELD, "\"stages\" must name");
    assert_int_equal(json_object_size(plan.terms), 0);
    term_plan_fini(&plan);
}

static void an_entry_is_never_older_than_the_one_before(void **state)
{
    struct term_story story;
    struct proto_fault fault = {0};
    size_t bytes = 0;
    (void)state;
    term_story_begin(&story);
    term_story_tell(&story, "list");
    json_t *body = json_pack("{s:s}", "evidence", "x");
    assert_null(term_plan_add(&story.plan, "validate", story.plan.at_ms - 1, proto_span_text(""),
                              body, &bytes, &fault));
    assert_int_equal(fault.code, PROTO_CONFLICT);
    assert_string_equal(fault.field, "at_ms");
    char *line = term_plan_add(&story.plan, "validate", story.plan.at_ms, proto_span_text(""), body,
                               &bytes, &fault);
    assert_non_null(line);
    free(line);
    json_decref(body);
    term_story_end(&story);
}

static void a_change_makes_signatures_void(void **state)
{
    struct term_story story;
    (void)state;
    term_story_begin(&story);
    term_story_tell(&story, "sign");
    term_story_add(&story, "validate", "{\"evidence\":\"another\"}");
    assert_int_equal(story.plan.state, TERM_STATE_LIST);
    assert_int_equal(json_object_size(story.plan.signed_by), 0);
    refuse(&story.plan, "commit", "{}", PROTO_CONFLICT, "the plan is list");
    term_story_end(&story);
}

static void a_signature_of_another_key_history_or_function_is_refused(void **state)
{
    struct term_story story;
    (void)state;
    term_story_begin(&story);
    term_story_tell(&story, "list");
    json_t *body = term_story_body(&story.plan, "sign", "{}", 0, 1);
    refuse_json(&story.plan, "sign", body, PROTO_DENIED, "the signature is not that of \"sales\"");
    json_decref(body);
    body = term_story_body(&story.plan, "sign", "{}", 0, 0);
    json_t *other = json_copy(body);
    json_object_set_new(other, "function", json_string("success"));
    refuse_json(&story.plan, "sign", other, PROTO_DENIED, "the signature is not that of");
    json_object_set_new(other, "function", json_string("nobody"));
    refuse_json(&story.plan, "sign", other, PROTO_NOT_FOUND, "no signatory for \"nobody\"");
    json_decref(other);
    term_story_sign(&story, "sign", "{}", 1);
    refuse_json(&story.plan, "sign", body, PROTO_CONFLICT, "covers another history");
    json_decref(body);
    body = term_story_body(&story.plan, "sign", "{}", 1, 1);
    refuse_json(&story.plan, "sign", body, PROTO_CONFLICT, "\"marketing\" has signed already");
    json_decref(body);
    term_story_end(&story);
}

static void an_amendment_says_what_was_and_is_signed(void **state)
{
    static const struct {
        const char *body;
        enum proto_error code;
        const char *words;
    } cases[] = {
        {"{\"path\":\"to\",\"before\":\"2027-12-30\",\"after\":\"2028-03-31\",\"reason\":\"x\"}",
         PROTO_CONFLICT, "another now"},
        {"{\"path\":\"to\",\"before\":\"2027-12-31\",\"after\":\"2026-03-31\",\"reason\":\"x\"}",
         PROTO_BAD_FIELD, "a day after"},
        {"{\"path\":\"to\",\"before\":\"2027-12-31\",\"after\":\"2028-03-31\"}", PROTO_BAD_FIELD,
         "\"reason\""},
        {"{\"path\":\"layers/none\",\"before\":null,\"after\":{\"owner\":\"a\",\"budget\":\"b\","
         "\"metric\":\"c\"},\"reason\":\"x\"}",
         PROTO_NOT_FOUND, "no term \"layers/none\""},
        {"{\"path\":\"layers/routing\",\"before\":{\"owner\":\"Ines\",\"budget\":\"1 EUR\","
         "\"metric\":\"NRR\"},\"after\":{\"owner\":\"\"},\"reason\":\"x\"}",
         PROTO_BAD_FIELD, "\"owner\" must be a text"},
    };
    struct term_story story;
    (void)state;
    term_story_begin(&story);
    term_story_tell(&story, "commit");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *body = term_story_body(&story.plan, "amend", cases[i].body, 0, 0);
        refuse_json(&story.plan, "amend", body, cases[i].code, cases[i].words);
        json_decref(body);
    }
    static const char person[] =
        "{\"person\":\"Jo\",\"key\":\"d75a980182b10ab7d54bfed3c964073a0ee172f3"
        "daa62325af021a68f707511a\"}";
    char text[512];
    snprintf(text, sizeof text,
             "{\"path\":\"signatories/\",\"before\":null,\"after\":%s,\"reason\":\"x\"}", person);
    json_t *body = term_story_body(&story.plan, "amend", text, 0, 0);
    refuse_json(&story.plan, "amend", body, PROTO_BAD_FIELD, "must name a function");
    json_decref(body);
    term_story_sign(
        &story, "amend",
        "{\"path\":\"signatories/finance\",\"before\":null,\"after\":{\"person\":\"Jo\","
        "\"key\":\"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\"},"
        "\"reason\":\"finance signs too\"}",
        2);
    assert_int_equal(story.plan.state, TERM_STATE_AMENDED);
    for (unsigned i = 4; i < 64; i++) {
        snprintf(text, sizeof text,
                 "{\"path\":\"signatories/%u\",\"before\":null,\"after\":%s,\"reason\":\"x\"}", i,
                 person);
        json_t *more = term_story_body(&story.plan, "amend", text, 0, 0);
        size_t bytes = 0;
        struct proto_fault fault = {0};
        char *line = term_plan_add(&story.plan, "amend", story.plan.at_ms, proto_span_text(""),
                                   more, &bytes, &fault);
        assert_non_null(line);
        free(line);
        json_decref(more);
    }
    body = term_story_body(&story.plan, "amend",
                           "{\"path\":\"signatories/one more\",\"before\":null,\"after\":{},"
                           "\"reason\":\"x\"}",
                           0, 0);
    refuse_json(&story.plan, "amend", body, PROTO_LIMIT, "64 signatories, its limit");
    json_decref(body);
    term_story_end(&story);
}

static void share_is(const struct term_plan *plan, double share)
{
    const json_t *told = json_object_get(plan->terms, "share");
    assert_true(json_is_real(told));
    assert_true(json_number_value(told) > share - 1e-12 && json_number_value(told) < share + 1e-12);
}

/* A plan whose first entry has that share; one that is no share is refused. */
static void begun_with(struct term_story *story, const char *share)
{
    static const char digits[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char body[400];
    struct proto_fault fault = {0};
    snprintf(body, sizeof body,
             "{\"from\":\"2027-01-01\",\"to\":\"2027-12-31\",\"layers\":[\"a\"],\"stages\":[\"b\"],"
             "\"icp\":{\"version\":1,\"sha256\":\"%s\"},\"share\":%s}",
             digits, share);
    assert_true(term_plan_init(&story->plan, proto_span_text("2027"), &fault));
    if (share[0] == '0' && share[1] == '.') {
        term_story_add(story, "create", body);
    } else {
        refuse(&story->plan, "create", body, PROTO_BAD_FIELD, "\"share\" must be a number between");
    }
}

static void a_share_is_committed_and_amended(void **state)
{
    static const char *const wrong[] = {"1", "0", "-0.1", "\"60%\"", "null", "1.5"};
    struct term_story story = {.count = 0};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        begun_with(&story, wrong[i]);
        assert_int_equal(json_object_size(story.plan.terms), 0);
        term_plan_fini(&story.plan);
    }
    begun_with(&story, "0.6");
    share_is(&story.plan, 0.6);
    term_story_end(&story);

    /* One without a share may get one later. */
    term_story_begin(&story);
    term_story_tell(&story, "commit");
    assert_null(json_object_get(story.plan.terms, "share"));
    json_t *body =
        term_story_body(&story.plan, "amend",
                        "{\"path\":\"share\",\"before\":null,\"after\":1,\"reason\":\"x\"}", 0, 0);
    refuse_json(&story.plan, "amend", body, PROTO_BAD_FIELD, "between 0 and 1");
    json_decref(body);
    term_story_sign(&story, "amend",
                    "{\"path\":\"share\",\"before\":null,\"after\":0.6,\"reason\":\"x\"}", 0);
    share_is(&story.plan, 0.6);
    term_story_sign(&story, "amend",
                    "{\"path\":\"share\",\"before\":0.6,\"after\":0.5,\"reason\":\"x\"}", 0);
    share_is(&story.plan, 0.5);
    term_story_end(&story);
}

static void a_note_of_the_commitment_is_a_text(void **state)
{
    static const char *const notes[] = {"1", "{}", "\"\"", "\"\\u001b[31m\"", "null"};
    struct term_story story;
    char body[64];
    (void)state;
    term_story_begin(&story);
    term_story_tell(&story, "sign");
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        snprintf(body, sizeof body, "{\"note\":%s}", notes[i]);
        refuse(&story.plan, "commit", body, PROTO_BAD_FIELD, "\"note\" must be a text");
    }
    term_story_add(&story, "commit", "{\"note\":\"agreed\\nby all\"}");
    refuse(&story.plan, "verdict", "{\"verdict\":\"supported\",\"because\":\"x\",\"figures\":[]}",
           PROTO_BAD_FIELD, "\"figures\" must be an object");
    term_story_end(&story);
}

static void what_an_act_does_not_have_is_refused_by_name(void **state)
{
    static const struct {
        const char *act, *body;
        enum proto_error code;
        const char *words;
    } cases[] = {
        {"create", "{}", PROTO_CONFLICT, "a plan of this name already"},
        {"erase", "{}", PROTO_BAD_FIELD, "'erase' is none of create"},
        {"validate", "[]", PROTO_BAD_FIELD, "must be an object"},
        {"validate", "{\"evidence\":\"x\",\"extra\":1}", PROTO_BAD_FIELD, "no member of that name"},
        {"owner",
         "{\"kind\":\"floor\",\"name\":\"x\",\"owner\":\"a\",\"budget\":\"b\",\"metric\":\"c\"}",
         PROTO_BAD_FIELD, "must be layer or stage"},
        {"owner",
         "{\"kind\":\"layer\",\"name\":\"x\",\"owner\":\"a\",\"budget\":\"b\",\"metric\":\"c\"}",
         PROTO_NOT_FOUND, "no layer \"x\""},
        {"signatory", "{\"function\":\"f\",\"person\":\"p\",\"key\":\"00\"}", PROTO_BAD_FIELD,
         "64 hexadecimal digits"},
        {"list", "{\"tal\":\"x\",\"icp\":2}", PROTO_CONFLICT, "ICP version 3"},
        {"commit", "{}", PROTO_CONFLICT, "the plan is list; 'commit' is for one that is signed"},
        {"next", "{\"next\":\"x\"}", PROTO_CONFLICT, "for one that is verdict"},
        {"verdict", "{}", PROTO_CONFLICT, "for one that is committed, amended or verdict"},
    };
    struct term_story story;
    struct term_plan empty;
    struct proto_fault fault = {0};
    (void)state;
    term_story_begin(&story);
    term_story_tell(&story, "list");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        refuse(&story.plan, cases[i].act, cases[i].body, cases[i].code, cases[i].words);
    }
    term_story_end(&story);
    assert_true(term_plan_init(&empty, proto_span_text("none"), &fault));
    refuse(&empty, "commit", "{}", PROTO_NOT_FOUND, "there is no plan \"none\"");
    term_plan_fini(&empty);
    assert_false(term_name_check(proto_span_text(""), &fault));
    assert_false(term_name_check(proto_span_text("a\nb"), &fault));
    assert_false(term_name_check(proto_span_text("\xc3\x28"), &fault));
    assert_false(term_name_check((struct proto_span){(const uint8_t *)"a\0b", 3}, &fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_goes_through_its_states),
        cmocka_unit_test(lines_fold_to_the_plan_that_wrote_them),
        cmocka_unit_test(what_has_no_owner_is_named_and_blocks_the_commitment),
        cmocka_unit_test(names_without_an_owner_are_told_whole_or_not_at_all),
        cmocka_unit_test(a_plan_that_was_not_begun_is_as_before),
        cmocka_unit_test(an_entry_is_never_older_than_the_one_before),
        cmocka_unit_test(a_share_is_committed_and_amended),
        cmocka_unit_test(a_note_of_the_commitment_is_a_text),
        cmocka_unit_test(a_change_makes_signatures_void),
        cmocka_unit_test(a_signature_of_another_key_history_or_function_is_refused),
        cmocka_unit_test(an_amendment_says_what_was_and_is_signed),
        cmocka_unit_test(what_an_act_does_not_have_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
