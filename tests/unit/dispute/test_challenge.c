/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges: the arithmetic against worked examples, verdicts against their definition, and claims
 * on a base whose outcomes are known: what is right stands, what was made wrong is found (and, with
 * the same claim, not where it was not), of a handful nothing is said. What is kept is read back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "server/dispute/challenge_record.h"
#include "server/engine/walk.h"
#include "server/math/random.h"
#include "tests/unit/engine/engine_fixture.h"

enum { ACCOUNTS = 1500, PLANTED = 400 };

static struct engine_fixture fixture;
static struct engine_worker *worker;
static struct dispute *dispute;

static void opened(void)
{
    struct proto_fault fault = {0};
    worker = engine_fixture_worker(&fixture);
    dispute = dispute_create(fixture.engine, &fault);
    assert_non_null(dispute);
}

static void closed(void)
{
    dispute_destroy(dispute);
    engine_worker_destroy(worker);
}

static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, ACCOUNTS);
    assert_int_equal(engine_fixture_learn(&fixture), 1);
    opened();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    closed();
    engine_fixture_close(&fixture);
    return 0;
}

/* Newcombe 1998: a rate of 81 in 263 (method 3), and 56 in 70 less 48 in 80 (method 10). */
static void intervals_are_newcombes(void **state)
{
    (void)state;
    const struct dispute_side one = {263, 81, 0};
    const struct dispute_side with = {70, 56, 0};
    const struct dispute_side without = {80, 48, 0};
    double low;
    double high;
    dispute_wilson(&one, DISPUTE_NORMAL_95, &low, &high);
    assert_true(fabs(low - 0.2553) < 5e-5 && fabs(high - 0.3662) < 5e-5);
    struct dispute_gap gap =
        dispute_gap_of(&with, &without, DISPUTE_NORMAL_95, DISPUTE_EITHER, 0.05);
    assert_true(fabs(gap.gap - 0.2) < 1e-12);
    assert_true(fabs(gap.low - 0.0524) < 5e-5 && fabs(gap.high - 0.3339) < 5e-5);
}

static void verdicts_follow_their_definition(void **state)
{
    (void)state;
    static const struct {
        struct dispute_side with, without;
        enum dispute_verdict in, out, either;
    } cases[] = {
        /* ten points more than the version says, in many */
        {{1000, 600, .5}, {1000, 400, .4}, DISPUTE_HOLDS, DISPUTE_HOLDS_NOT, DISPUTE_HOLDS},
        {{1000, 400, .5}, {1000, 400, .4}, DISPUTE_HOLDS_NOT, DISPUTE_HOLDS, DISPUTE_HOLDS},
        /* half a point, in many: what matters is ruled out */
        {{1000, 505, .5}, {1000, 500, .5}, DISPUTE_HOLDS_NOT, DISPUTE_HOLDS_NOT, DISPUTE_HOLDS_NOT},
        /* sure, and too small to matter */
        {{90000, 47000, .5},
         {90000, 45000, .5},
         DISPUTE_HOLDS_NOT,
         DISPUTE_HOLDS_NOT,
         DISPUTE_HOLDS_NOT},
        /* six points, in few */
        {{100, 56, .5}, {1000, 500, .5}, DISPUTE_TOO_FEW, DISPUTE_HOLDS_NOT, DISPUTE_TOO_FEW},
        {{19, 19, .1}, {1000, 500, .5}, DISPUTE_TOO_FEW, DISPUTE_TOO_FEW, DISPUTE_TOO_FEW},
        {{100, 4, .5}, {1000, 0, .5}, DISPUTE_TOO_FEW, DISPUTE_TOO_FEW, DISPUTE_TOO_FEW},
        {{0, 0, 0}, {1000, 500, .5}, DISPUTE_TOO_FEW, DISPUTE_TOO_FEW, DISPUTE_TOO_FEW},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const enum dispute_verdict verdicts[] = {cases[i].either, cases[i].in, cases[i].out};
        for (int claimed = DISPUTE_EITHER; claimed <= DISPUTE_LESS; claimed++) {
            struct dispute_gap gap =
                dispute_gap_of(&cases[i].with, &cases[i].without, DISPUTE_NORMAL_95,
                               (enum dispute_claimed)claimed, 0.05);
            assert_int_equal(gap.verdict, verdicts[claimed]);
            assert_true(gap.verdict == DISPUTE_TOO_FEW || gap.needed == 0);
        }
    }
}

/* So many more of the same, and it is settled; with half of them it is not. */
static void what_would_do_does(void **state)
{
    (void)state;
    static const struct dispute_side sides[][2] = {{{100, 56, .5}, {1000, 500, .5}},
                                                   {{60, 34, .5}, {4000, 2000, .5}},
                                                   {{80, 41, .5}, {900, 450, .5}},
                                                   {{300, 33, .1}, {300, 30, .1}}};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        struct dispute_gap gap =
            dispute_gap_of(&sides[i][0], &sides[i][1], DISPUTE_NORMAL_95, DISPUTE_EITHER, 0.05);
        assert_int_equal(gap.verdict, DISPUTE_TOO_FEW);
        assert_true(gap.needed > sides[i][0].accounts);
        for (int half = 0; half < 2; half++) {
            double times = (double)gap.needed / (double)sides[i][0].accounts * (half ? 0.5 : 1.1);
            struct dispute_side more[2];
            for (int s = 0; s < 2; s++) {
                more[s] = sides[i][s];
                more[s].accounts = (uint64_t)llround((double)more[s].accounts * times);
                more[s].outcomes = (uint64_t)llround((double)more[s].outcomes * times);
            }
            struct dispute_gap then =
                dispute_gap_of(&more[0], &more[1], DISPUTE_NORMAL_95, DISPUTE_EITHER, 0.05);
            assert_int_equal(then.verdict == DISPUTE_TOO_FEW, half);
        }
    }
}

/* A claim of version 1; NULL: none of that. */
static struct dispute_claim claim_of(const char *condition, const char *field, const char *slice)
{
    struct dispute_claim claim = {.icp = 1, .margin = DISPUTE_MARGIN};
    claim.condition = condition ? engine_fixture_span(condition) : claim.condition;
    claim.field = field ? engine_fixture_span(field) : claim.field;
    claim.slice = slice ? engine_fixture_span(slice) : claim.slice;
    return claim;
}

static void challenge_by(struct dispute *by, const struct dispute_claim *claim,
                         struct dispute_finding *finding)
{
    struct proto_fault fault = {0};
    assert_true(engine_worker_refresh(worker, &fault));
    assert_true(dispute_challenge(by, worker, NULL, claim, finding, &fault));
}

static enum dispute_verdict challenge(const char *condition, const char *field, const char *slice,
                                      struct dispute_finding *finding)
{
    struct dispute_claim claim = claim_of(condition, field, slice);
    challenge_by(dispute, &claim, finding);
    return finding->verdict;
}

static const struct feature_value *value(const char *name)
{
    const struct feature_schema *schema = worker->state->schema;
    return &worker->values[feature_schema_find(schema, engine_fixture_span(name))->id];
}

static bool is_software(void)
{
    return value("industry")->present && proto_span_is(value("industry")->text, "Software");
}

/* The sides, and the AUC over all, counted account by account and pair by pair. */
struct counted {
    struct dispute_side sides[2];
    int64_t raws[ACCOUNTS];
    bool won[ACCOUNTS];
    size_t count;
};

static void count_by_hand(struct counted *counted)
{
    struct proto_fault fault = {0};
    const struct learn_document *document = engine_state_document(worker->state, 1, &fault);
    *counted = (struct counted){0};
    for (uint32_t slot = 0; slot < store_view_slots(worker->view); slot++) {
        int64_t raw;
        struct proto_fault gone = {0};
        if (!engine_values(worker, slot, NULL, &gone) || !value("won")->present) {
            continue;
        }
        assert_true(engine_values_raw(worker, document, &raw, &fault));
        struct dispute_side *side = &counted->sides[!is_software()];
        side->accounts++;
        side->outcomes += value("won")->flag;
        side->expected += model_p(document->scorecard, raw);
        assert_true(counted->count < ACCOUNTS);
        counted->raws[counted->count] = raw;
        counted->won[counted->count++] = value("won")->flag;
    }
}

static double auc_by_hand(const struct counted *counted)
{
    double above = 0;
    double pairs = 0;
    for (size_t i = 0; i < counted->count; i++) {
        for (size_t j = 0; counted->won[i] && j < counted->count; j++) {
            pairs += !counted->won[j];
            above += counted->won[j]                        ? 0
                     : counted->raws[i] > counted->raws[j]  ? 1
                     : counted->raws[i] == counted->raws[j] ? 0.5
                                                            : 0;
        }
    }
    return above / pairs;
}

static void what_is_right_stands(void **state)
{
    (void)state;
    static struct counted counted;
    struct dispute_finding finding;
    assert_int_not_equal(challenge("industry = 'Software'", NULL, NULL, &finding), DISPUTE_HOLDS);
    count_by_hand(&counted);
    for (int i = 0; i < 2; i++) {
        struct dispute_side *side = &counted.sides[i];
        assert_int_equal(finding.sides[i].accounts, side->accounts);
        assert_int_equal(finding.sides[i].outcomes, side->outcomes);
        assert_true(fabs(finding.sides[i].expected - side->expected / (double)side->accounts) <
                    1e-12);
    }
    assert_true(finding.gap.low < 0 && finding.gap.high > 0);
    assert_int_not_equal(challenge(NULL, "industry", NULL, &finding), DISPUTE_HOLDS);
    uint64_t accounts = 0;
    bool found = false;
    for (size_t i = 0; i < finding.part_count; i++) {
        accounts += finding.parts[i].side.accounts;
        if (strcmp(finding.parts[i].bin, "Software") == 0) {
            assert_int_equal(finding.parts[i].side.accounts, counted.sides[0].accounts);
            assert_int_equal(finding.parts[i].side.outcomes, counted.sides[0].outcomes);
            found = true;
        }
    }
    assert_int_equal(accounts, counted.count);
    assert_true(found);
    dispute_finding_fini(&finding);
    assert_int_equal(challenge(NULL, NULL, "employees > 0 or employees is missing", &finding),
                     DISPUTE_HOLDS_NOT);
    assert_true(finding.ranked && fabs(finding.auc - auc_by_hand(&counted)) < 1e-12);
    assert_true(finding.auc_low < finding.auc && finding.auc < finding.auc_high);
}

static void of_a_handful_nothing_is_said(void **state)
{
    (void)state;
    struct dispute_finding finding;
    assert_int_equal(challenge("industry = 'Software'", NULL, "employees < 10", &finding),
                     DISPUTE_TOO_FEW);
    assert_true(finding.needed > finding.sides[0].accounts);
    assert_int_equal(challenge("industry = 'Nowhere'", NULL, NULL, &finding), DISPUTE_TOO_FEW);
    assert_int_equal(finding.sides[0].accounts, 0);
    assert_true(finding.needed >= 20);
    assert_int_equal(challenge(NULL, NULL, "employees < 3", &finding), DISPUTE_TOO_FEW);
    assert_int_equal(challenge(NULL, "industry", "employees < 3", &finding), DISPUTE_TOO_FEW);
    dispute_finding_fini(&finding);
}

static void account_put(unsigned i, const char *won)
{
    char id[24];
    char employees[24];
    snprintf(id, sizeof id, "t%u", i);
    snprintf(employees, sizeof employees, "%u", 20 + i * 7 % 900);
    const char *words[] = {"industry",
                           i % 2 ? "Software" : "Retail",
                           "employees",
                           employees,
                           "parent",
                           "planted",
                           won ? "won" : NULL,
                           won,
                           NULL};
    engine_fixture_put(&fixture, id, words);
}

/* Accounts of one parent come to win as often whatever they are: there the version is wrong, and
 * elsewhere it is as right as before. Some have no outcome yet. */
static void what_was_made_wrong_is_found(void **state)
{
    (void)state;
    struct dispute_finding finding;
    for (unsigned i = 0; i < PLANTED; i++) {
        account_put(i, i % 40 == 39 ? NULL : i / 2 % 2 ? "1" : "0");
    }
    assert_int_equal(challenge("industry = 'Software'", NULL, "parent = 'planted'", &finding),
                     DISPUTE_HOLDS);
    assert_int_equal(finding.blanks, 10);
    assert_int_equal(finding.sides[0].accounts + finding.sides[1].accounts, PLANTED - 10);
    assert_true(finding.gap.high < 0);
    assert_int_equal(challenge(NULL, "industry", "parent = 'planted'", &finding), DISPUTE_HOLDS);
    dispute_finding_fini(&finding);
    assert_int_equal(challenge(NULL, NULL, "parent = 'planted'", &finding), DISPUTE_HOLDS);
    assert_true(finding.auc_high < 0.65);
    assert_int_not_equal(challenge("industry = 'Software'", NULL, "parent is missing", &finding),
                         DISPUTE_HOLDS);
    struct dispute_claim in = claim_of("industry = 'Software'", NULL, "parent = 'planted'");
    in.claimed = DISPUTE_MORE;
    challenge_by(dispute, &in, &finding);
    assert_int_equal(finding.verdict, DISPUTE_HOLDS_NOT);
}

/* Columns that were kept up give what columns that are made anew give. */
static void what_is_kept_up_is_what_is_fresh(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 3);
    for (int round = 0; round < 12; round++) {
        struct dispute_finding kept;
        struct dispute_finding anew;
        struct proto_fault fault = {0};
        for (int i = 0; i < 9; i++) {
            unsigned at = (unsigned)math_random_below(&random, PLANTED);
            unsigned how = (unsigned)math_random_below(&random, 4);
            char id[24];
            snprintf(id, sizeof id, "t%u", at);
            if (how == 0) {
                (void)engine_fixture_delete(&fixture, id);
            } else {
                account_put(at, how == 1 ? NULL : how == 2 ? "1" : "0");
            }
        }
        struct dispute *fresh = dispute_create(fixture.engine, &fault);
        assert_non_null(fresh);
        struct dispute_claim claim = claim_of(NULL, round % 2 ? "industry" : "employees", NULL);
        challenge_by(dispute, &claim, &kept);
        challenge_by(fresh, &claim, &anew);
        assert_int_equal(kept.part_count, anew.part_count);
        assert_int_equal(kept.blanks, anew.blanks);
        for (size_t i = 0; i < kept.part_count; i++) {
            assert_string_equal(kept.parts[i].bin, anew.parts[i].bin);
            assert_memory_equal(&kept.parts[i].side, &anew.parts[i].side,
                                sizeof kept.parts[i].side);
        }
        dispute_finding_fini(&kept);
        dispute_finding_fini(&anew);
        dispute_destroy(fresh);
    }
}

static void a_claim_that_cannot_be_read_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *condition, *field, *slice, *outcome;
        enum proto_error code;
        const char *place, *says;
    } cases[] = {
        {"industry = ", NULL, NULL, NULL, PROTO_BAD_FILTER, "condition", "column 12"},
        {"industry = 'a'", NULL, "size > 3", NULL, PROTO_BAD_FILTER, "slice", "column 1"},
        {"industry = 'a'", NULL, NULL, "wonn = 1", PROTO_BAD_FILTER, "outcome", "column 1"},
        {"fit > 3", NULL, NULL, NULL, PROTO_BAD_FILTER, "condition", "column 1"},
        {NULL, "won", NULL, NULL, PROTO_BAD_FIELD, "field", "does not use"},
        {NULL, "tech", NULL, NULL, PROTO_BAD_FIELD, "field", "tags"},
        {NULL, "size", NULL, NULL, PROTO_BAD_FIELD, "field", "no field"},
        {"industry = 'a'", "industry", NULL, NULL, PROTO_BAD_FIELD, "condition", "either"},
        {NULL, NULL, NULL, NULL, PROTO_BAD_FIELD, "condition", "what is disputed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proto_fault fault = {0};
        struct dispute_finding finding;
        struct dispute_claim claim = claim_of(cases[i].condition, cases[i].field, cases[i].slice);
        claim.outcome = cases[i].outcome ? engine_fixture_span(cases[i].outcome) : claim.outcome;
        assert_false(dispute_challenge(dispute, worker, NULL, &claim, &finding, &fault));
        assert_int_equal(fault.code, cases[i].code);
        assert_string_equal(fault.field, cases[i].place);
        assert_non_null(strstr(fault.message, cases[i].says));
    }
}

static json_t *record_of(const struct dispute_claim *claim)
{
    struct dispute_finding finding;
    struct proto_fault fault = {0};
    challenge_by(dispute, claim, &finding);
    json_t *record = dispute_record_make(claim, &finding, "Ada", engine_fixture_span("why"),
                                         engine_worker_seq(worker), &fault);
    dispute_finding_fini(&finding);
    assert_non_null(record);
    return record;
}

static void must_say(const json_t *record, const char *name, const char *text)
{
    assert_string_equal(json_string_value(json_object_get(record, name)), text);
}

/* Each kind, before and after a start; there is no other one. */
static void what_is_kept_is_read_back(void **state)
{
    (void)state;
    struct dispute_claim claims[] = {claim_of("industry = 'Software'", NULL, NULL),
                                     claim_of(NULL, "industry", NULL),
                                     claim_of(NULL, NULL, "employees > 100")};
    json_t *records[3];
    claims[0].claimed = DISPUTE_LESS;
    for (uint32_t i = 0; i < 3; i++) {
        struct engine_operation operation = {.author = "Ada"};
        struct dispute_recorded recorded;
        struct proto_fault fault = {0};
        records[i] = record_of(&claims[i]);
        assert_true(dispute_record_store(worker, &records[i], &operation, &recorded, &fault));
        assert_int_equal(recorded.number, i + 1);
        assert_int_equal(json_integer_value(json_object_get(records[i], "number")), i + 1);
    }
    closed();
    engine_fixture_again(&fixture);
    opened();
    assert_int_equal(dispute_record_count(worker), 3);
    for (uint32_t i = 0; i < 3; i++) {
        struct proto_fault fault = {0};
        struct dispute_claim claim;
        json_t *record = dispute_record_read(worker, i + 1, &fault);
        assert_true(json_equal(record, records[i]));
        must_say(record, "by", "Ada");
        must_say(record, "note", "why");
        must_say(record, "claim", i == 0 ? "out" : "either");
        dispute_record_claim(record, &claim);
        assert_true(proto_span_equal(claim.condition, claims[i].condition) &&
                    proto_span_equal(claim.field, claims[i].field) &&
                    proto_span_equal(claim.slice, claims[i].slice));
        assert_int_equal(claim.claimed, claims[i].claimed);
        assert_true(claim.margin == DISPUTE_MARGIN);
        json_decref(record);
        json_decref(records[i]);
    }
    struct proto_fault fault = {0};
    assert_null(dispute_record_read(worker, 4, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_are_newcombes),
        cmocka_unit_test(verdicts_follow_their_definition),
        cmocka_unit_test(what_would_do_does),
        cmocka_unit_test(what_is_right_stands),
        cmocka_unit_test(of_a_handful_nothing_is_said),
        cmocka_unit_test(what_was_made_wrong_is_found),
        cmocka_unit_test(what_is_kept_up_is_what_is_fresh),
        cmocka_unit_test(a_claim_that_cannot_be_read_is_refused_with_its_place),
        cmocka_unit_test(what_is_kept_is_read_back),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
