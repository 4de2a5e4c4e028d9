/* SPDX-License-Identifier: Apache-2.0 */
/* A history that was altered by one byte, lost an entry, has two in another order, or was rewritten
 * with all hashes behind, is found and the entry named: every entry, and some of the bytes and
 * pairs here, a thousand bytes and every pair with ICP_LONG=1. The control is what nothing can
 * find: entries behind the newest signature, rewritten whole, pass; with the head that was written
 * down they do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/term/term_audit.h"
#include "server/term/term_json.h"
#include "tests/unit/term/term_story.h"

struct audited {
    struct term_story story;
    char *text;
    size_t bytes;
    uint64_t seed;
    unsigned rounds;
};

static uint64_t random_below(struct audited *audited, uint64_t below)
{
    audited->seed = audited->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (audited->seed >> 33) % below;
}

static int open_story(void **state)
{
    struct audited *audited = calloc(1, sizeof *audited);
    const char *wanted = getenv("ICP_LONG");
    assert_non_null(audited);
    audited->seed = 11;
    audited->rounds = wanted != NULL && wanted[0] == '1' ? 1000 : 100;
    term_story_begin(&audited->story);
    term_story_tell(&audited->story, "next");
    audited->text = term_story_export(audited->story.lines, audited->story.count, "2027");
    audited->bytes = strlen(audited->text);
    *state = audited;
    return 0;
}

static int close_story(void **state)
{
    struct audited *audited = *state;
    term_story_end(&audited->story);
    free(audited->text);
    free(audited);
    return 0;
}

static struct term_finding look(const char *text, size_t bytes, const struct term_hash *head)
{
    struct proto_fault fault = {0};
    struct term_plan plan;
    struct term_finding finding;
    assert_true(term_audit((struct proto_span){(const uint8_t *)text, bytes}, head, &plan, &finding,
                           &fault));
    term_plan_fini(&plan);
    return finding;
}

static void expect(struct term_finding finding, enum term_wrong wrong, uint32_t entry)
{
    if (finding.wrong != wrong || finding.entry != entry) {
        fail_msg("%s, entry %u, wanted; found: %s, entry %u: %s", term_wrong_word(wrong), entry,
                 term_wrong_word(finding.wrong), finding.entry, finding.message);
    }
}

static void a_history_that_nobody_touched_is_sound(void **state)
{
    const struct audited *audited = *state;
    expect(look(audited->text, audited->bytes, NULL), TERM_SOUND, 0);
    expect(look(audited->text, audited->bytes, &audited->story.plan.head), TERM_SOUND, 0);
}

static void every_altered_byte_is_found_and_its_entry_named(void **state)
{
    struct audited *audited = *state;
    for (unsigned round = 0; round < audited->rounds; round++) {
        size_t at = (size_t)random_below(audited, audited->bytes);
        char before = audited->text[at];
        size_t line = 1;
        for (size_t i = 0; i < at; i++) {
            line += audited->text[i] == '\n';
        }
        do {
            audited->text[at] = (char)random_below(audited, 256);
        } while (audited->text[at] == before);
        struct term_finding finding = look(audited->text, audited->bytes, NULL);
        bool entry = line > 1 && line <= audited->story.count + 1;
        if (finding.wrong != TERM_ALTERED || finding.line != line ||
            (entry && finding.entry != line - 1)) {
            fail_msg("byte %zu of line %zu, %02x to %02x: %s, line %zu, entry %u: %s", at, line,
                     (unsigned char)before, (unsigned char)audited->text[at],
                     term_wrong_word(finding.wrong), finding.line, finding.entry, finding.message);
        }
        audited->text[at] = before;
    }
}

/* The export of other lines, looked at. */
static struct term_finding look_at(char *const *lines, size_t count, const struct term_hash *head)
{
    char *text = term_story_export(lines, count, "2027");
    struct term_finding finding = look(text, strlen(text), head);
    free(text);
    return finding;
}

/* The frame of the whole story around other lines: who drops or swaps lines leaves the last as it
 * is. */
static struct term_finding look_framed(const struct audited *audited, char *const *lines,
                                       size_t count)
{
    char *text = NULL;
    size_t bytes = 0;
    const char *last = strstr(audited->text, "{\"end\"");
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    assert_non_null(last);
    fprintf(out, "%.*s\n", (int)strcspn(audited->text, "\n"), audited->text);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s\n", lines[i]);
    }
    fprintf(out, "%s", last);
    fclose(out);
    struct term_finding finding = look(text, bytes, NULL);
    free(text);
    return finding;
}

static void every_dropped_entry_is_named(void **state)
{
    struct audited *audited = *state;
    size_t count = audited->story.count;
    for (size_t k = 0; k < count; k++) {
        char *lines[TERM_STORY_LINES_MAX];
        memcpy(lines, audited->story.lines, sizeof lines);
        memmove(lines + k, lines + k + 1, (count - k - 1) * sizeof *lines);
        expect(look_framed(audited, lines, count - 1), TERM_DROPPED, (uint32_t)k + 1);
        if (k + 1 <
            count) { /* with a last line of its own: the newest is then seen by its head alone */
            expect(look_at(lines, count - 1, NULL), TERM_DROPPED, (uint32_t)k + 1);
        }
    }
    expect(look_at(audited->story.lines, count - 1, &audited->story.plan.head), TERM_FORGED,
           (uint32_t)count - 1);
}

static void every_two_entries_that_change_places_are_named(void **state)
{
    struct audited *audited = *state;
    size_t count = audited->story.count;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j += audited->rounds < 1000 ? 5 : 1) {
            char *lines[TERM_STORY_LINES_MAX];
            memcpy(lines, audited->story.lines, sizeof lines);
            lines[i] = audited->story.lines[j];
            lines[j] = audited->story.lines[i];
            expect(look_framed(audited, lines, count), TERM_REORDERED, (uint32_t)i + 1);
        }
    }
}

/* Writes all lines from `from` on anew, chained and numbered, the entry `at` by `change`. */
static void rewrite(const struct audited *audited, size_t at, void (*change)(json_t *entry),
                    char **lines)
{
    struct term_hash head = {{0}};
    for (size_t i = 0; i < audited->story.count; i++) {
        char hex[TERM_HASH_HEX + 1];
        struct proto_fault fault = {0};
        size_t bytes = 0;
        json_t *line = json_loads(audited->story.lines[i], 0, NULL);
        json_t *entry = json_object_get(line, "entry");
        if (i == at) {
            change(entry);
        }
        char *text = term_json_print(entry, &bytes, &fault);
        assert_non_null(text);
        head = term_chain_next(&head, (struct proto_span){(const uint8_t *)text, bytes});
        free(text);
        term_hex_print(head.bytes, TERM_HASH_BYTES, hex);
        json_object_set_new(line, "hash", json_string(hex));
        lines[i] = term_json_print(line, &bytes, &fault);
        assert_non_null(lines[i]);
        json_decref(line);
    }
}

static void author_change(json_t *entry)
{
    json_object_set_new(entry, "by", json_string("mallory"));
}

/* A signature that is none of the key: its first digit is another. */
static void signature_change(json_t *entry)
{
    json_t *body = json_object_get(entry, "body");
    char *text = strdup(json_string_value(json_object_get(body, "signature")));
    assert_non_null(text);
    text[0] = text[0] == '0' ? '1' : '0';
    json_object_set_new(body, "signature", json_string(text));
    free(text);
}

static bool is_signed(const struct audited *audited, size_t i)
{
    return strstr(audited->story.lines[i], "\"signature\":") != NULL;
}

static void lines_free(const struct audited *audited, char **lines)
{
    for (size_t i = 0; i < audited->story.count; i++) {
        free(lines[i]);
    }
}

static void every_rewritten_history_is_found_by_the_signature_that_covers_it(void **state)
{
    struct audited *audited = *state;
    char *lines[TERM_STORY_LINES_MAX];
    size_t count = audited->story.count;
    for (size_t i = 0; i + 1 < audited->story.last_signed; i++) {
        size_t covering = i + 1;
        while (!is_signed(audited, covering)) {
            covering++;
        }
        rewrite(audited, i, author_change, lines);
        expect(look_at(lines, count, NULL), TERM_FORGED, (uint32_t)covering + 1);
        lines_free(audited, lines);
    }
    for (size_t i = 0; i < count; i++) {
        if (is_signed(audited, i)) {
            rewrite(audited, i, signature_change, lines);
            expect(look_at(lines, count, NULL), TERM_FORGED, (uint32_t)i + 1);
            lines_free(audited, lines);
        }
    }
}

static void what_is_rewritten_behind_all_signatures_needs_the_head(void **state)
{
    struct audited *audited = *state;
    char *lines[TERM_STORY_LINES_MAX];
    size_t count = audited->story.count;
    rewrite(audited, count - 1, author_change, lines);
    expect(look_at(lines, count, NULL), TERM_SOUND, 0);
    expect(look_at(lines, count, &audited->story.plan.head), TERM_FORGED, (uint32_t)count);
    lines_free(audited, lines);
}

static void time_change(json_t *entry)
{
    json_object_set_new(entry, "at_ms", json_integer(1000000000000));
}

static void an_entry_that_says_it_is_older_is_forged(void **state)
{
    struct audited *audited = *state;
    char *lines[TERM_STORY_LINES_MAX];
    size_t count = audited->story.count;
    rewrite(audited, count - 1, time_change, lines);
    expect(look_at(lines, count, NULL), TERM_FORGED, (uint32_t)count);
    lines_free(audited, lines);
}

/* As many as a store holds are read, one more are refused before any is. */
static void a_text_of_more_lines_than_a_store_has_is_no_export(void **state)
{
    const size_t lines = PROTO_PLAN_ENTRIES_MAX + 2;
    char *text = malloc(lines + 2);
    (void)state;
    assert_non_null(text);
    memset(text, '\n', lines + 2);
    struct term_finding finding = look(text, lines, NULL);
    expect(finding, TERM_ALTERED, 0);
    assert_int_equal(finding.line, 1);
    finding = look(text, lines + 1, NULL);
    expect(finding, TERM_ALTERED, 0);
    assert_int_equal(finding.line, lines + 1);
    text[lines] = 'a';
    assert_int_equal(look(text, lines + 1, NULL).line, lines + 1);
    free(text);
}

static void what_is_no_export_is_told(void **state)
{
    static const char *const texts[] = {"", "\n", "{}\n",
                                        "{\"format\":1,\"icp\":\"plan export\"}\n",
                                        "{\"format\":2,\"icp\":\"plan export\",\"plan\":\"a\"}\n"};
    struct audited *audited = *state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        expect(look(texts[i], strlen(texts[i]), NULL), TERM_ALTERED, 0);
    }
    expect(look(audited->text, audited->bytes - 1, NULL), TERM_ALTERED, 0);
    const char *last = strstr(audited->text, "{\"end\"");
    expect(look(audited->text, (size_t)(last - audited->text), NULL), TERM_DROPPED,
           (uint32_t)audited->story.count + 1);
    char *other = term_story_export(audited->story.lines, audited->story.count, "2028");
    expect(look(other, strlen(other), NULL), TERM_ALTERED, 0);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_history_that_nobody_touched_is_sound),
        cmocka_unit_test(every_altered_byte_is_found_and_its_entry_named),
        cmocka_unit_test(every_dropped_entry_is_named),
        cmocka_unit_test(every_two_entries_that_change_places_are_named),
        cmocka_unit_test(every_rewritten_history_is_found_by_the_signature_that_covers_it),
        cmocka_unit_test(what_is_rewritten_behind_all_signatures_needs_the_head),
        cmocka_unit_test(an_entry_that_says_it_is_older_is_forged),
        cmocka_unit_test(a_text_of_more_lines_than_a_store_has_is_no_export),
        cmocka_unit_test(what_is_no_export_is_told),
    };
    return cmocka_run_group_tests(tests, open_story, close_story);
}
