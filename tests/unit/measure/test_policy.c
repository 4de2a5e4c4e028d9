/* SPDX-License-Identifier: Apache-2.0 */
/* What cases come to, at the edges: ends of windows, maturity, several opportunities, ties, what
 * never happens; the same as a plain reading day by day; and what a document is refused for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdlib.h>

#include "server/math/random.h"
#include "server/measure/policy.h"

#define DAY MEASURE_DAY_MS
#define OPEN SIZE_MAX

#define WON_180                                                                                    \
    "{\"policy\": 1, \"name\": \"won\", \"case\": \"subject\", \"moment\": \"stage:created\","     \
    " \"archetypes\": [{\"name\": \"good\", \"when\": [{\"event\": \"outcome:won\", \"within\": "  \
    "\"180 days\"}]}, {\"name\": \"poor\", \"when\": [{\"event\": \"outcome:won\", \"within\": "   \
    "\"180 days\", \"not\": true}]}]}"

static struct event tell(enum event_type type, const char *kind, const char *subject, int64_t day)
{
    return (struct event){.type = type,
                          .time_ms = day * DAY,
                          .kind = proto_span_text(kind),
                          .subject = proto_span_text(subject),
                          .source = proto_span_text("crm")};
}

static struct measure_policy *policy_of(const char *text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_policy *policy = measure_policy_read(proto_span_text(text), &fault);
    if (policy == NULL) {
        print_error("%s: %s\n", fault.field, fault.message);
    }
    assert_non_null(policy);
    return policy;
}

/* Cases of one account with these events. */
static void judge(const struct measure_policy *policy, const struct event *events, size_t count,
                  const struct measure_spells *spells, struct measure_cases *cases)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_event items[64];
    assert_true(count <= 64);
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct measure_event){0, &events[i]};
    }
    struct measure_story story = {items, count, spells, MEASURE_NEVER};
    assert_true(measure_policy_cases(policy, &story, cases, &fault));
}

static size_t seen_at(const struct measure_case *one, int64_t ms)
{
    return one->settled_ms <= ms ? one->archetype : OPEN;
}

static void a_case_is_open_until_it_is_mature_however_early_it_was_won(void **state)
{
    (void)state;
    struct measure_policy *policy = policy_of(WON_180);
    struct measure_cases cases = {.count = 0};
    struct event events[] = {tell(EVENT_STAGE, "created", "o1", 100),
                             tell(EVENT_OUTCOME, "won", "o1", 110)};
    judge(policy, events, 2, NULL, &cases);
    assert_int_equal(cases.count, 1);
    assert_int_equal(cases.items[0].moment_ms, 100 * DAY);
    assert_int_equal(seen_at(&cases.items[0], 110 * DAY), OPEN);
    assert_int_equal(seen_at(&cases.items[0], 280 * DAY - 1), OPEN);
    assert_int_equal(seen_at(&cases.items[0], 280 * DAY), 0);
    measure_cases_fini(&cases);
    measure_policy_destroy(policy);
}

static void the_last_day_of_a_window_is_within_it(void **state)
{
    (void)state;
    struct measure_policy *policy = policy_of(WON_180);
    struct measure_cases cases = {.count = 0};
    struct event events[] = {tell(EVENT_STAGE, "created", "o1", 0),
                             tell(EVENT_OUTCOME, "won", "o1", 180)};
    judge(policy, events, 2, NULL, &cases);
    assert_int_equal(seen_at(&cases.items[0], 180 * DAY), 0);
    events[1].time_ms++;
    judge(policy, events, 2, NULL, &cases);
    assert_int_equal(seen_at(&cases.items[0], 180 * DAY), OPEN);
    assert_int_equal(seen_at(&cases.items[0], 180 * DAY + 1), 1);
    judge(policy, events, 1, NULL, &cases); /* never won */
    assert_int_equal(seen_at(&cases.items[0], 180 * DAY), OPEN);
    assert_int_equal(seen_at(&cases.items[0], 180 * DAY + 1), 1);
    measure_cases_fini(&cases);
    measure_policy_destroy(policy);
}

#define BY_STAGE                                                                                   \
    "{\"policy\": 1, \"name\": \"won\", \"case\": \"stage\", \"moment\": \"stage\","               \
    " \"stage_field\": \"deal_stage\", \"archetypes\": [{\"name\": \"good\", \"when\": "           \
    "[{\"event\": \"outcome:won\", \"within\": \"90 days\"}]}]}"

static void each_stage_that_an_open_opportunity_enters_is_a_case(void **state)
{
    (void)state;
    struct measure_policy *policy = policy_of(BY_STAGE);
    struct measure_cases cases = {.count = 0};
    struct event events[] = {
        tell(EVENT_OUTCOME, "won", "o1", 100),    tell(EVENT_STAGE, "demo", "o1", 20),
        tell(EVENT_STAGE, "created", "o1", 0),    tell(EVENT_STAGE, "demo", "o1", 60), /* again */
        tell(EVENT_STAGE, "closed", "o1", 100),   /* at the end */
        tell(EVENT_STAGE, "invoiced", "o1", 101), /* and behind it */
        tell(EVENT_STAGE, "created", "o2", 5),    tell(EVENT_STAGE, "", "o2", 6),
        tell(EVENT_STAGE, "created", "", 7),      tell(EVENT_OUTCOME, "lost", "o2", 9),
        tell(EVENT_STAGE, "reopened", "o2", 10), /* it had ended */
    };
    judge(policy, events, sizeof events / sizeof *events, NULL, &cases);
    assert_int_equal(cases.count, 3);
    assert_int_equal(cases.ended, 3);
    const struct {
        const char *subject, *stage;
        int64_t day;
        size_t archetype;
    } wanted[] = {{"o1", "created", 0, 1}, {"o1", "demo", 20, 0}, {"o2", "created", 5, 1}};
    for (size_t i = 0; i < 3; i++) {
        assert_true(proto_span_is(cases.items[i].subject, wanted[i].subject));
        assert_true(proto_span_is(cases.items[i].stage, wanted[i].stage));
        assert_int_equal(cases.items[i].moment_ms, wanted[i].day * DAY);
        assert_int_equal(seen_at(&cases.items[i], 1000 * DAY), wanted[i].archetype);
    }
    /* From the demo on it is won in time, from its creation it is not. */
    assert_int_equal(seen_at(&cases.items[1], 110 * DAY - 1), OPEN);
    assert_int_equal(seen_at(&cases.items[1], 110 * DAY), 0);
    measure_cases_fini(&cases);
    measure_policy_destroy(policy);
}

static void each_opportunity_is_a_case_of_its_own(void **state)
{
    (void)state;
    struct measure_policy *policy = policy_of(WON_180);
    struct measure_cases cases = {.count = 0};
    struct event events[] = {
        tell(EVENT_OUTCOME, "won", "o2", 20),    tell(EVENT_STAGE, "created", "o1", 0),
        tell(EVENT_STAGE, "created", "o2", 10),  tell(EVENT_STAGE, "created", "o1", 50),
        tell(EVENT_OUTCOME, "lost", "o1", 5),    tell(EVENT_STAGE, "created", "o3", 400),
        tell(EVENT_OUTCOME, "won", "o3", 399),   tell(EVENT_STAGE, "created", "", 7),
        tell(EVENT_OUTCOME, "won", "orphan", 1),
    };
    judge(policy, events, sizeof events / sizeof *events, NULL, &cases);
    assert_int_equal(cases.count, 3); /* the one without a subject is nobody's */
    assert_true(proto_span_is(cases.items[0].subject, "o1"));
    assert_int_equal(cases.items[0].moment_ms, 0); /* the first of two */
    assert_int_equal(seen_at(&cases.items[0], 1000 * DAY), 1);
    assert_int_equal(seen_at(&cases.items[1], 1000 * DAY), 0);
    assert_int_equal(seen_at(&cases.items[2], 1000 * DAY), 1); /* won before it was created */
    measure_cases_fini(&cases);
    measure_policy_destroy(policy);
}

static void an_account_is_one_case_from_its_first_moment_on(void **state)
{
    (void)state;
    struct measure_policy *policy =
        policy_of("{\"policy\": 1, \"name\": \"n\", \"moment\": \"touch\", \"archetypes\": ["
                  "{\"name\": \"busy\", \"when\": [{\"event\": \"touch:call\", \"at_least\": 2, "
                  "\"within\": \"1 week\", \"person\": \"ann\"}]}], \"positive\": [\"busy\"]}");
    struct measure_cases cases = {.count = 0};
    struct event events[] = {tell(EVENT_TOUCH, "email", "", 3), tell(EVENT_TOUCH, "call", "x", 4),
                             tell(EVENT_TOUCH, "call", "y", 10),
                             tell(EVENT_TOUCH, "call", "y", 11)};
    for (int i = 0; i < 4; i++) {
        events[i].person = proto_span_text("ann");
    }
    judge(policy, events, 4, NULL, &cases);
    assert_int_equal(cases.count, 1);
    assert_int_equal(seen_at(&cases.items[0], 10 * DAY), 0);
    events[1].person = proto_span_text("bob");
    judge(policy, events, 4, NULL, &cases);
    assert_int_equal(seen_at(&cases.items[0], 10 * DAY + 1), 1); /* none of them */
    assert_int_equal(policy->positive, 1);
    assert_int_equal(policy->negative, 2);
    judge(policy, NULL, 0, NULL, &cases);
    assert_int_equal(cases.count, 0);
    measure_cases_fini(&cases);
    measure_policy_destroy(policy);
}

static void spells_make(struct measure_spells *spells, const struct measure_subscription *s,
                        size_t count)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules rules;
    measure_rules_default(&rules);
    assert_true(measure_rules_set_text(&rules, "currency=USD", &fault));
    assert_true(measure_spells_make(s, count, 1, &rules, spells, &fault));
}

static const char retained[] =
    "{\"policy\": 1, \"name\": \"n\", \"case\": \"subject\", \"moment\": \"stage:created\","
    "\"maturity\": \"6 months\", \"archetypes\": ["
    "{\"name\": \"outstanding\", \"when\": [{\"event\": \"outcome:won\", \"within\": \"180 days\"},"
    "  {\"measure\": \"nrr\", \"from\": \"customer\", \"after\": \"12 months\", \"above\": 1.1}]},"
    "{\"name\": \"good\", \"when\": [{\"event\": \"outcome:won\", \"within\": \"180 days\"},"
    "  {\"measure\": \"customer\", \"from\": \"customer\", \"after\": \"12 months\"}]},"
    "{\"name\": \"poor\", \"when\": [{\"event\": \"outcome:won\", \"within\": \"180 days\","
    "  \"not\": true}]}]}";

static void measures_wait_for_their_moment(void **state)
{
    (void)state;
    struct measure_policy *policy = policy_of(retained);
    struct measure_cases cases = {.count = 0};
    struct measure_spells spells;
    struct event events[] = {tell(EVENT_STAGE, "created", "o", 0),
                             tell(EVENT_OUTCOME, "won", "o", 100)};
    assert_true(policy->reads_revenue);
    struct measure_subscription s[2] = {measure_subscription_open(0, 110 * DAY, 1000, 1),
                                        measure_subscription_open(0, 300 * DAY, 101, 1)};
    spells_make(&spells, s, 2); /* 1101 of 1000: above 1.1 */
    judge(policy, events, 2, &spells, &cases);
    assert_int_equal(seen_at(&cases.items[0], (110 + 365) * DAY - 1), OPEN);
    assert_int_equal(seen_at(&cases.items[0], (110 + 365) * DAY), 0);
    measure_spells_fini(&spells);
    s[1].amount = 100; /* 1.1 is not above 1.1 */
    spells_make(&spells, s, 2);
    judge(policy, events, 2, &spells, &cases);
    assert_int_equal(seen_at(&cases.items[0], (110 + 365) * DAY), 1);
    measure_spells_fini(&spells);
    s[0].end_ms = s[1].end_ms = 400 * DAY; /* won, and gone within the year: neither */
    spells_make(&spells, s, 2);
    judge(policy, events, 2, &spells, &cases);
    assert_int_equal(seen_at(&cases.items[0], (110 + 365) * DAY), 3);
    judge(policy, events, 1, &spells, &cases); /* never won: no need to wait for a year */
    assert_int_equal(seen_at(&cases.items[0], 181 * DAY), 2);
    measure_spells_fini(&spells);
    measure_cases_fini(&cases);
    measure_policy_destroy(policy);
}

static void what_it_counts_from_never_happens_and_neither_side_holds(void **state)
{
    (void)state;
    struct measure_policy *policy = policy_of(
        "{\"policy\": 1, \"name\": \"n\", \"moment\": \"customer\", \"maturity\": \"30 days\","
        "\"archetypes\": [{\"name\": \"a\", \"when\": [{\"event\": \"touch\", \"from\": "
        "\"outcome:won\", \"within\": \"5 days\"}]}, {\"name\": \"b\", \"when\": [{\"event\": "
        "\"touch\", \"from\": \"outcome:won\", \"within\": \"5 days\", \"not\": true}]},"
        "{\"name\": \"c\", \"when\": [{\"measure\": \"nps\", \"at_least\": 9, \"after\": "
        "\"20 days\"}]}, {\"name\": \"d\", \"when\": [{\"measure\": \"nps\", \"below\": 9, "
        "\"not\": true, \"after\": \"20 days\"}]}], \"positive\": [\"a\", \"c\"], \"negative\": "
        "[\"none\"]}");
    struct measure_cases cases = {.count = 0};
    struct measure_spells spells;
    struct measure_subscription s = measure_subscription_open(0, 10 * DAY, 1000, 1);
    struct event events[] = {tell(EVENT_TOUCH, "call", "", 12), tell(EVENT_OUTCOME, "nps", "", 5),
                             tell(EVENT_OUTCOME, "nps", "", 31)};
    events[0].quantity = 0;
    events[1].quantity = 9000;
    events[2].quantity = 1000;
    spells_make(&spells, &s, 1);
    judge(policy, events, 1, &spells, &cases); /* no answer is neither below 9 nor not */
    assert_int_equal(cases.items[0].moment_ms, 10 * DAY);
    assert_int_equal(seen_at(&cases.items[0], 40 * DAY), OPEN);
    assert_int_equal(seen_at(&cases.items[0], 40 * DAY + 1), 4);
    judge(policy, events, 3, &spells, &cases); /* of the two answers the one known by day 30 */
    assert_int_equal(seen_at(&cases.items[0], 40 * DAY + 1), 2);
    assert_int_equal(policy->positive, 1 | 4);
    assert_int_equal(policy->negative, 16);
    measure_spells_fini(&spells);
    measure_cases_fini(&cases);
    measure_policy_destroy(policy);
}

/* A plain reading with three values: -1 not known yet. */
static int plainly(const struct measure_condition *c, const struct measure_policy *policy,
                   const struct event *events, size_t count, int64_t moment, int64_t now)
{
    int64_t mature = measure_wait_later(policy->maturity, moment);
    int64_t from = moment;
    if (c->anchor == MEASURE_FROM_EVENT) {
        from = INT64_MAX;
        for (size_t i = 0; i < count; i++) {
            bool is = proto_span_equal(events[i].kind, policy->matches[c->anchor_match].kind);
            int64_t at = events[i].time_ms;
            from = is && at >= moment && at <= now && at < from ? at : from;
        }
        if (from == INT64_MAX || from > mature) {
            return now > mature ? 0 : -1;
        }
    }
    int64_t until = c->waits ? measure_wait_later(c->wait, from) : mature;
    uint32_t happened = 0;
    for (size_t i = 0; i < count; i++) {
        bool is = proto_span_equal(events[i].kind, policy->matches[c->match].kind);
        int64_t at = events[i].time_ms;
        happened += is && at >= from && at <= until && at <= now;
    }
    return happened >= c->least ? !c->negated : now > until ? c->negated : -1;
}

static size_t plain_case(const struct measure_policy *policy, const struct event *events,
                         size_t count, int64_t moment, int64_t now)
{
    if (now < measure_wait_later(policy->maturity, moment)) {
        return OPEN;
    }
    for (size_t a = 0; a < policy->archetype_count; a++) {
        int all = 1;
        for (size_t i = 0; i < policy->archetypes[a].condition_count; i++) {
            int one =
                plainly(&policy->archetypes[a].conditions[i], policy, events, count, moment, now);
            all = one == 0 || all == 0 ? 0 : one == -1 ? -1 : all;
        }
        if (all != 0) {
            return all == 1 ? a : OPEN;
        }
    }
    return policy->archetype_count;
}

static void settled_cases_are_those_of_a_plain_reading_day_by_day(void **state)
{
    (void)state;
    static const char *const kinds[] = {"won", "lost", "renewed", "created"};
    struct measure_policy *policy = policy_of(
        "{\"policy\": 1, \"name\": \"n\", \"moment\": \"outcome:created\", \"maturity\": \"12 "
        "days\", \"archetypes\": [{\"name\": \"a\", \"when\": [{\"event\": \"outcome:won\", "
        "\"within\": \"8 days\", \"at_least\": 2}, {\"event\": \"outcome:lost\", \"not\": true, "
        "\"within\": \"4 days\"}]}, {\"name\": \"b\", \"when\": [{\"event\": \"outcome:renewed\", "
        "\"from\": \"outcome:won\", \"within\": \"6 days\"}]}, {\"name\": \"c\", \"when\": "
        "[{\"event\": \"outcome:lost\"}, {\"event\": \"outcome:renewed\", \"from\": "
        "\"outcome:won\", \"within\": \"9 days\", \"not\": true}]}], \"positive\": [\"a\"]}");
    struct measure_cases cases = {.count = 0};
    struct math_random random;
    size_t met[5] = {0};
    math_random_init(&random, 8);
    for (int round = 0; round < 3000; round++) {
        struct event events[9] = {tell(EVENT_OUTCOME, "created", "", 3)};
        size_t count = 1 + math_random_below(&random, 8);
        for (size_t i = 1; i < count; i++) {
            events[i] = tell(EVENT_OUTCOME, kinds[math_random_below(&random, 3)], "",
                             (int64_t)math_random_below(&random, 26));
        }
        judge(policy, events, count, NULL, &cases);
        assert_int_equal(cases.count, 1);
        for (int64_t half = 0; half < 64; half++) {
            int64_t now = half * DAY / 2;
            size_t plain = plain_case(policy, events, count, 3 * DAY, now);
            assert_int_equal(seen_at(&cases.items[0], now), plain);
            met[plain == OPEN ? 4 : plain]++;
        }
    }
    for (size_t i = 0; i < 5; i++) {
        assert_true(met[i] > 1000); /* the control: every answer was given */
    }
    measure_cases_fini(&cases);
    measure_policy_destroy(policy);
}

#define HEAD "{\"policy\": 1, \"name\": \"n\",\n \"moment\": \"stage:created\",\n "
#define GOOD                                                                                       \
    "{\"name\": \"good\", \"when\": [{\"event\": \"outcome:won\", \"within\": \"9 days\"}]}"
static const struct {
    const char *text;
    const char *field;
    const char *message;
} bad_documents[] = {
    {"{\"policy\": 1,\n \"nam\": \"n\"}", "nam", "line 2, column 2: no member"},
    {"{\"policy\": 1,\n oops", "", "line 2, column"},
    {"[]", "", "line 1, column 1: a policy is an object"},
    {"{\"policy\": 2, \"name\": \"n\"}", "policy", "line 1, column 2: the format"},
    {HEAD "\"archetypes\": []}", "archetypes", "line 3, column 2: a list of 1 to 16"},
    {HEAD "\"archetypes\": [" GOOD ",\n  {\"name\": \"poor\",\n   \"when\": [{\"event\": "
          "\"outcme\"}]}]}",
     "archetypes[1].when[0].event",
     "line 5, column 14: \"outcme\" is no type of event; there are touch"},
    {HEAD "\"archetypes\": [{\"name\": \"x\", \"when\": [{\"event\": \"touch\", \"within\": "
          "\"9 moons\"}]}]}",
     "archetypes[0].when[0].within", "line 3, column 59: '9 moons' is no time to wait"},
    {HEAD "\"archetypes\": [{\"name\": \"x\", \"when\": [{\"measure\": \"churn\"}]}]}",
     "archetypes[0].when[0].measure",
     "line 3, column 41: there is no measure 'churn'; there "
     "are customer, mrr, nrr, grr, nps"},
    {HEAD "\"archetypes\": [{\"name\": \"x\", \"when\": [{\"measure\": \"nrr\"}]}]}",
     "archetypes[0].when[0].measure", "line 3, column 41: it needs one of above"},
    {HEAD "\"archetypes\": [{\"name\": \"x\", \"when\": [{\"measure\": \"mrr\", \"above\": "
          "1}]}]}",
     "archetypes[0].when[0].measure", "line 3, column 41: an amount is of a currency"},
    {HEAD "\"archetypes\": [{\"name\": \"x\", \"when\": [{\"event\": \"touch\", \"above\": "
          "1}]}]}",
     "archetypes[0].when[0].above", "line 3, column 59: no member"},
    {HEAD "\"archetypes\": [{\"name\": \"x\", \"when\": [{}]}]}", "archetypes[0].when[0]",
     "line 3, column 40: a condition is of an event or of a measure"},
    {HEAD "\"archetypes\": [{\"name\": \"x\", \"when\": [{\"event\": \"touch\"}]}],\n "
          "\"positive\": [\"x\"]}",
     "maturity", "line 1, column 1: it is needed"},
    {HEAD "\"archetypes\": [" GOOD "],\n \"maturity\": \"8 days\"}", "maturity",
     "line 4, column 2: a case matures when"},
    {HEAD "\"archetypes\": [" GOOD "],\n \"positive\": [\"good\", \"gut\"]}", "positive[1]",
     "line 4, column 23: there is no archetype 'gut' here; there are good, none"},
    {HEAD "\"archetypes\": [" GOOD "],\n \"negative\": [\"good\"]}", "negative",
     "line 4, column 2: an archetype is positive or negative, not both"},
    {HEAD "\"archetypes\": [" GOOD ", " GOOD "]}", "archetypes[1].name",
     "line 3, column 92: an archetype of this name"},
    {HEAD "\"archetypes\": [{\"name\": \"x\", \"when\": [{\"event\": \"touch\", \"within\": "
          "\"9 days\"}]}]}",
     "positive", "line 1, column 1: it names the archetypes"},
    {HEAD "\"archetypes\": [" GOOD "], \"case\": \"deal\"}", "case", "line 3, column"},
    {HEAD "\"archetypes\": [" GOOD "], \"rules\": {\"churn-at\": \"never\"}}", "rules.churn-at",
     "line 3, column"},
    {"{\"policy\": 1, \"name\": \"n\", \"case\": \"subject\", \"moment\": \"customer\"}", "moment",
     "line 1, column 47: cases by subject begin with an event"},
    {"{\"policy\": 1, \"name\": \"n\", \"case\": \"stage\", \"moment\": \"stage\"}", "stage_field",
     "line 1, column 1: cases by stage need it"},
    {HEAD "\"archetypes\": [" GOOD "], \"stage_field\": \"stage\"}", "stage_field",
     "line 3, column 92: it goes with \"case\": \"stage\""},
    {"{\"policy\": 1, \"name\": \"n\", \"case\": \"stage\", \"stage_field\": \"s\", "
     "\"moment\": \"outcome:won\"}",
     "moment", "line 1, column 65: cases by stage begin with \"stage\""},
};

static void a_bad_document_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_documents / sizeof *bad_documents; i++) {
        struct proto_fault fault = {.code = PROTO_OK};
        assert_null(measure_policy_read(proto_span_text(bad_documents[i].text), &fault));
        if (strncmp(fault.message, bad_documents[i].message, strlen(bad_documents[i].message)) !=
            0) {
            print_error("%zu: %s\n", i, fault.message);
        }
        assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
        assert_string_equal(fault.field, bad_documents[i].field);
        assert_int_equal(
            strncmp(fault.message, bad_documents[i].message, strlen(bad_documents[i].message)), 0);
    }
}

static void times_to_wait_are_days_or_months_of_the_calendar(void **state)
{
    (void)state;
    static const char *const bad[] = {"",        "days",       "-1 days",     "1  day", "1.5 days",
                                      "1 days ", "36526 days", "1201 months", "1day",   "9 s"};
    struct measure_wait wait = {0, 0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(measure_wait_read(proto_span_text(bad[i]), &wait));
    }
    assert_true(measure_wait_read(proto_span_text("2 weeks"), &wait));
    assert_int_equal(measure_wait_later(wait, 5), 14 * DAY + 5);
    assert_true(measure_wait_read(proto_span_text("1 month"), &wait));
    assert_int_equal(measure_wait_later(wait, 30 * DAY), 58 * DAY); /* 31 January: 28 February */
    assert_true(measure_wait_read(proto_span_text("1 year"), &wait));
    assert_int_equal(measure_wait_later(wait, 0), 365 * DAY);
    assert_int_equal(measure_wait_later(wait, EVENT_MS_MAX - 1), EVENT_MS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_is_open_until_it_is_mature_however_early_it_was_won),
        cmocka_unit_test(the_last_day_of_a_window_is_within_it),
        cmocka_unit_test(each_opportunity_is_a_case_of_its_own),
        cmocka_unit_test(each_stage_that_an_open_opportunity_enters_is_a_case),
        cmocka_unit_test(an_account_is_one_case_from_its_first_moment_on),
        cmocka_unit_test(measures_wait_for_their_moment),
        cmocka_unit_test(what_it_counts_from_never_happens_and_neither_side_holds),
        cmocka_unit_test(settled_cases_are_those_of_a_plain_reading_day_by_day),
        cmocka_unit_test(a_bad_document_is_refused_with_its_place),
        cmocka_unit_test(times_to_wait_are_days_or_months_of_the_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
