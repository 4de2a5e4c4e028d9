/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/term/term_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/term/term_audit.h"
#include "server/term/term_key.h"

const char *const term_story_functions[TERM_STORY_SIGNATORIES] = {"sales", "marketing", "success"};

static struct term_key *key_of(unsigned who)
{
    struct proto_fault fault = {0};
    uint8_t seed[TERM_KEY_BYTES] = {(uint8_t)(who + 1)};
    struct term_key *key = term_key_of(seed, &fault);
    assert_non_null(key);
    return key;
}

static void keep(struct term_story *story, const char *act, const json_t *body)
{
    struct proto_fault fault = {0};
    size_t bytes = 0;
    assert_true(story->count < TERM_STORY_LINES_MAX);
    char *line = term_plan_add(&story->plan, act, 1798761600000 + (int64_t)story->count * 1000,
                               proto_span_text("ann from 127.0.0.1"), body, &bytes, &fault);
    assert_string_equal(fault.message, "");
    assert_non_null(line);
    assert_int_equal(bytes, strlen(line));
    story->lines[story->count++] = line;
}

void term_story_add(struct term_story *story, const char *act, const char *body)
{
    json_t *json = json_loads(body, 0, NULL);
    assert_non_null(json);
    keep(story, act, json);
    json_decref(json);
}

json_t *term_story_body(const struct term_plan *plan, const char *act, const char *body,
                        unsigned who, unsigned key)
{
    char hex[2 * TERM_SIGNATURE_BYTES + 1];
    uint8_t signature[TERM_SIGNATURE_BYTES];
    size_t bytes = 0;
    struct proto_fault fault = {0};
    json_t *json = json_loads(body, 0, NULL);
    assert_non_null(json);
    term_hex_print(plan->head.bytes, TERM_HASH_BYTES, hex);
    json_object_set_new(json, "function", json_string(term_story_functions[who]));
    json_object_set_new(json, "covers", json_string(hex));
    char *text = term_statement(plan->name, act, json, &bytes, &fault);
    assert_non_null(text);
    struct term_key *pair = key_of(key);
    assert_true(
        term_key_sign(pair, (struct proto_span){(const uint8_t *)text, bytes}, signature, &fault));
    term_key_destroy(pair);
    free(text);
    term_hex_print(signature, sizeof signature, hex);
    json_object_set_new(json, "signature", json_string(hex));
    return json;
}

void term_story_sign(struct term_story *story, const char *act, const char *body, unsigned who)
{
    json_t *json = term_story_body(&story->plan, act, body, who, who);
    keep(story, act, json);
    json_decref(json);
    story->last_signed = story->count;
}

void term_story_begin(struct term_story *story)
{
    struct proto_fault fault = {0};
    *story = (struct term_story){.count = 0};
    assert_true(term_plan_init(&story->plan, proto_span_text("2027"), &fault));
}

static void registry_tell(struct term_story *story)
{
    static const char *const places[][2] = {
        {"layer", "profile"}, {"layer", "routing"}, {"stage", "acquisition"}, {"stage", "renewal"}};
    char body[256];
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(body, sizeof body,
                 "{\"kind\":\"%s\",\"name\":\"%s\",\"owner\":\"Ines\",\"budget\":\"1 EUR\","
                 "\"metric\":\"NRR\"}",
                 places[i][0], places[i][1]);
        term_story_add(story, "owner", body);
    }
    for (unsigned i = 0; i < TERM_STORY_SIGNATORIES; i++) {
        struct proto_fault fault = {0};
        uint8_t public[TERM_KEY_BYTES];
        char hex[2 * TERM_KEY_BYTES + 1];
        struct term_key *key = key_of(i);
        assert_true(term_key_public(key, public, &fault));
        term_key_destroy(key);
        term_hex_print(public, sizeof public, hex);
        snprintf(body, sizeof body, "{\"function\":\"%s\",\"person\":\"Ann\",\"key\":\"%s\"}",
                 term_story_functions[i], hex);
        term_story_add(story, "signatory", body);
    }
}

void term_story_tell(struct term_story *story, const char *last_act)
{
    static const char root[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char body[512];
    snprintf(
        body, sizeof body,
        "{\"from\":\"2027-01-01\",\"to\":\"2027-12-31\",\"icp\":{\"version\":3,\"sha256\":"
        "\"%s\"},\"layers\":[\"profile\",\"routing\"],\"stages\":[\"acquisition\",\"renewal\"]}",
        root);
    term_story_add(story, "create", body);
    registry_tell(story);
    term_story_add(story, "validate", "{\"evidence\":\"held-out AUC 0.78\"}");
    snprintf(body, sizeof body,
             "{\"tal\":\"2027-q1\",\"digest\":\"d8f36422eb17b5e7\",\"icp\":3,\"count\":500,"
             "\"root\":\"%s\"}",
             root);
    term_story_add(story, "list", body);
    if (strcmp(last_act, "list") == 0) {
        return;
    }
    for (unsigned i = 0; i < TERM_STORY_SIGNATORIES; i++) {
        term_story_sign(story, "sign", "{}", i);
    }
    if (strcmp(last_act, "sign") == 0) {
        return;
    }
    term_story_add(story, "commit", "{}");
    if (strcmp(last_act, "commit") == 0) {
        return;
    }
    term_story_sign(story, "amend",
                    "{\"path\":\"to\",\"before\":\"2027-12-31\",\"after\":\"2028-03-31\","
                    "\"reason\":\"one quarter more\"}",
                    1);
    term_story_add(story, "verdict", "{\"verdict\":\"supported\",\"because\":\"bound 1.2\"}");
    term_story_add(story, "next", "{\"next\":\"2028\"}");
}

void term_story_end(struct term_story *story)
{
    for (size_t i = 0; i < story->count; i++) {
        free(story->lines[i]);
    }
    term_plan_fini(&story->plan);
}

char *term_story_export(char *const *lines, size_t count, const char *name)
{
    struct proto_fault fault = {0};
    struct term_hash head = {{0}};
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    char *first = term_export_head(name);
    assert_non_null(out);
    fprintf(out, "%s\n", first);
    free(first);
    for (size_t i = 0; i < count; i++) {
        struct term_line opened;
        fprintf(out, "%s\n", lines[i]);
        assert_true(term_line_open(proto_span_text(lines[i]), &opened, &fault));
        head = opened.hash;
        term_line_fini(&opened);
    }
    char *last = term_export_end((uint32_t)count, &head);
    fprintf(out, "%s\n", last);
    free(last);
    fclose(out);
    return text;
}
