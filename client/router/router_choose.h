/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets a lead: hard filters first (active, territory, capacity, conflict), then who owns the
 * account already, then turns by weight among those whom the first rule that fits names.
 *
 * Turns: at each lead everybody who may get it is owed its share, weight over the sum of weights;
 * of those who are owed 1/(2n-2) at least, the one gets it who would soonest be owed more than
 * 1 - 1/(2n-2), ties by name; and owes one then. With one set of people nobody is ever further than
 * 1 - 1/(2n-2) of a lead from the share, which no rule can do better; taking who is owed most, as
 * is usual, leaves that bound with many people. Source: Tijdeman 1980, The chairman assignment
 * problem, Discrete Mathematics 32. Where people are barred now and then, the set changes and with
 * it what is owed; that is kept. Leads that go to an owner are no turn.
 *
 * Ownership: a state is router_state_destroy'ed; rules must outlive it. Errors: NULL is no memory.
 * Threads: one a state. Cost: some 10 ns a person of the rule. */
#ifndef ROUTER_CHOOSE_H
#define ROUTER_CHOOSE_H

#include "client/router/router_rules.h"

/* Why somebody does not get a lead: X(BAR, "word"). */
#define ROUTER_BARS(X)                                                                             \
    X(FREE, "free")                                                                                \
    X(INACTIVE, "inactive")                                                                        \
    X(TERRITORY, "territory")                                                                      \
    X(CAPACITY, "capacity")                                                                        \
    X(CONFLICT, "conflict")

/* How it was decided: X(WAY, "word"). */
#define ROUTER_WAYS(X)                                                                             \
    X(OWNER, "owner")                                                                              \
    X(TURN, "turn")                                                                                \
    X(ALL_BARRED, "all-barred")                                                                    \
    X(NO_RULE, "no-rule")

enum router_bar {
#define X(BAR, word) ROUTER_BAR_##BAR,
    ROUTER_BARS(X)
#undef X
};
enum router_way {
#define X(WAY, word) ROUTER_WAY_##WAY,
    ROUTER_WAYS(X)
#undef X
};
const char *router_bar_word(enum router_bar bar);
const char *router_way_word(enum router_way way);

/* What is known of a lead; texts that are not known are empty. */
struct router_asked {
    const char *account, *key, *domain; /* whose, as owners and conflicts name it */
    const char *owner;                  /* said by the lead itself; goes before the file */
    const char *territory, *segment;
    char grade;
    double fit;
    int64_t now_ms;
};

struct router_choice {
    enum router_way way;
    size_t rule;       /* rule_count: none fits */
    size_t person;     /* person_count: nobody */
    size_t free_count; /* of those whom the rule names */
};

struct router_state;
/* Nobody has had a lead. before (NULL: none) with its rules: what is owed and who had how many
 * today is taken over by the names of rules and people. */
struct router_state *router_state_create(const struct router_rules *rules,
                                         const struct router_state *before);
void router_state_destroy(struct router_state *state);

/* keep: the choice counts; else it is a trial and changes nothing. */
void router_choose(struct router_state *state, const struct router_asked *asked, bool keep,
                   struct router_choice *choice);
/* Why each of the rule's people may or may not get the lead that was asked for last, by their place
 * in the rule. */
enum router_bar router_choose_bar(const struct router_state *state, size_t place);
/* What a person is owed of a rule's turns, in leads; and leads that they had today. */
double router_state_owed(const struct router_state *state, size_t rule, size_t place);
unsigned router_state_today(const struct router_state *state, size_t person);

#endif
