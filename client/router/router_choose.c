/* SPDX-License-Identifier: Apache-2.0 */
/* Everybody whom a rule names is looked at once; then the owner, then the turn. */
#include "client/router/router_choose.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 24 * 60 * 60 * 1000 };

struct router_state {
    const struct router_rules *rules;
    double **owed;         /* by rule and place in it */
    enum router_bar *bars; /* of the last lead, by place */
    unsigned *today;       /* leads by person … */
    int64_t day;           /* … on this day since 1970 */
};

#define X(NAME, word) word,
const char *router_bar_word(enum router_bar bar)
{
    static const char *const words[] = {ROUTER_BARS(X)};
    return words[bar];
}

const char *router_way_word(enum router_way way)
{
    static const char *const words[] = {ROUTER_WAYS(X)};
    return words[way];
}
#undef X

void router_state_destroy(struct router_state *state)
{
    if (state == NULL) {
        return;
    }
    for (size_t i = 0; state->owed != NULL && i < state->rules->rule_count; i++) {
        free(state->owed[i]);
    }
    free(state->owed);
    free(state->bars);
    free(state->today);
    free(state);
}

static bool state_alloc(struct router_state *state)
{
    const struct router_rules *rules = state->rules;
    state->owed = calloc(rules->rule_count + 1, sizeof *state->owed);
    state->today = calloc(rules->person_count + 1, sizeof *state->today);
    state->bars = calloc(rules->person_count + 1, sizeof *state->bars);
    bool good = state->owed != NULL && state->today != NULL && state->bars != NULL;
    for (size_t i = 0; good && i < rules->rule_count; i++) {
        state->owed[i] = calloc(rules->rules[i].person_count + 1, sizeof **state->owed);
        good = state->owed[i] != NULL;
    }
    return good;
}

/* What was owed to the person under a rule of that name. */
static double owed_before(const struct router_state *before, const char *rule, const char *person)
{
    for (size_t r = 0; r < before->rules->rule_count; r++) {
        const struct router_rule *old = &before->rules->rules[r];
        for (size_t i = 0; strcmp(old->name, rule) == 0 && i < old->person_count; i++) {
            if (strcmp(before->rules->people[old->people[i]].name, person) == 0) {
                return before->owed[r][i];
            }
        }
    }
    return 0;
}

struct router_state *router_state_create(const struct router_rules *rules,
                                         const struct router_state *before)
{
    struct router_state *state = calloc(1, sizeof *state);
    if (state == NULL) {
        return NULL;
    }
    state->rules = rules;
    if (!state_alloc(state)) {
        router_state_destroy(state);
        return NULL;
    }
    if (before == NULL) {
        return state;
    }
    state->day = before->day;
    for (size_t p = 0; p < rules->person_count; p++) {
        size_t old = router_person_find(before->rules, rules->people[p].name);
        state->today[p] = old < before->rules->person_count ? before->today[old] : 0;
    }
    for (size_t r = 0; r < rules->rule_count; r++) {
        const struct router_rule *rule = &rules->rules[r];
        for (size_t i = 0; i < rule->person_count; i++) {
            state->owed[r][i] =
                owed_before(before, rule->name, rules->people[rule->people[i]].name);
        }
    }
    return state;
}

static bool within(const struct router_texts *texts, const char *text)
{
    return texts->count == 0 || router_texts_have(texts, text);
}

static enum router_bar bar_of(const struct router_state *state, size_t place,
                              const struct router_asked *asked)
{
    const struct router_person *person = &state->rules->people[place];
    const struct router_texts *conflicts = &person->conflicts;
    if (!person->active) {
        return ROUTER_BAR_INACTIVE;
    }
    if (!within(&person->territories, asked->territory)) {
        return ROUTER_BAR_TERRITORY;
    }
    if (person->capacity > 0 && state->today[place] >= person->capacity) {
        return ROUTER_BAR_CAPACITY;
    }
    return conflicts->count > 0 && (router_texts_have(conflicts, asked->account) ||
                                    router_texts_have(conflicts, asked->key) ||
                                    router_texts_have(conflicts, asked->domain))
               ? ROUTER_BAR_CONFLICT
               : ROUTER_BAR_FREE;
}

static size_t rule_find(const struct router_rules *rules, const struct router_asked *asked)
{
    size_t i = 0;
    for (; i < rules->rule_count; i++) {
        const struct router_rule *rule = &rules->rules[i];
        if ((rule->grades[0] == '\0' || strchr(rule->grades, asked->grade) != NULL) &&
            asked->fit >= rule->fit_min && within(&rule->territories, asked->territory) &&
            within(&rule->segments, asked->segment)) {
            break;
        }
    }
    return i;
}

/* person_count: nobody owns it. */
static size_t owner_find(const struct router_rules *rules, const struct router_asked *asked)
{
    const char *names[] = {asked->account, asked->key, asked->domain};
    size_t owner = router_person_find(rules, asked->owner);
    for (size_t i = 0; owner == rules->person_count && i < sizeof names / sizeof *names; i++) {
        owner = names[i][0] != '\0' ? router_owner_find(rules, names[i]) : owner;
    }
    return owner;
}

/* Whose turn it is, by place in the rule; someone is free. */
static size_t turn_find(const struct router_state *state, const struct router_rule *rule,
                        const double *owed, size_t free_count, double weights)
{
    const double least = free_count > 1 ? 1 / (2 * (double)free_count - 2) : 0;
    const double hair = 1e-9; /* what is owed is a sum of fractions */
    size_t best = rule->person_count;
    size_t most = rule->person_count;
    double soonest = 0;
    for (size_t i = 0; i < rule->person_count; i++) {
        const struct router_person *person = &state->rules->people[rule->people[i]];
        if (state->bars[i] != ROUTER_BAR_FREE) {
            continue;
        }
        double share = person->weight / weights;
        double now = owed[i] + share;
        double due = (1 - least - now) / share;
        if (most == rule->person_count ||
            now > owed[most] + state->rules->people[rule->people[most]].weight / weights) {
            most = i;
        }
        if (now < least - hair) {
            continue;
        }
        if (best == rule->person_count || due < soonest - hair ||
            (due < soonest + hair &&
             strcmp(person->name, state->rules->people[rule->people[best]].name) < 0)) {
            best = i;
            soonest = due;
        }
    }
    return best < rule->person_count ? best : most;
}

static void turn_keep(struct router_state *state, const struct router_rule *rule, double *owed,
                      size_t turn, double weights)
{
    for (size_t i = 0; i < rule->person_count; i++) {
        if (state->bars[i] == ROUTER_BAR_FREE) {
            owed[i] += state->rules->people[rule->people[i]].weight / weights;
        }
    }
    owed[turn] -= 1;
}

static void turn_take(struct router_state *state, const struct router_asked *asked, bool keep,
                      struct router_choice *choice)
{
    const struct router_rule *rule = &state->rules->rules[choice->rule];
    double weights = 0;
    choice->free_count = 0;
    for (size_t i = 0; i < rule->person_count; i++) {
        state->bars[i] = bar_of(state, rule->people[i], asked);
        if (state->bars[i] == ROUTER_BAR_FREE) {
            weights += state->rules->people[rule->people[i]].weight;
            choice->free_count++;
        }
    }
    if (choice->way == ROUTER_WAY_OWNER || choice->free_count == 0) {
        return;
    }
    size_t turn = turn_find(state, rule, state->owed[choice->rule], choice->free_count, weights);
    choice->person = rule->people[turn];
    choice->way = ROUTER_WAY_TURN;
    if (keep) {
        turn_keep(state, rule, state->owed[choice->rule], turn, weights);
    }
}

void router_choose(struct router_state *state, const struct router_asked *asked, bool keep,
                   struct router_choice *choice)
{
    const struct router_rules *rules = state->rules;
    int64_t day = asked->now_ms / DAY_MS;
    if (day > state->day) { /* a clock that was put back gives nobody their leads again */
        state->day = day;
        memset(state->today, 0, rules->person_count * sizeof *state->today);
    }
    *choice = (struct router_choice){.way = ROUTER_WAY_ALL_BARRED,
                                     .rule = rule_find(rules, asked),
                                     .person = rules->person_count};
    size_t owner = owner_find(rules, asked);
    if (owner < rules->person_count && bar_of(state, owner, asked) == ROUTER_BAR_FREE) {
        choice->person = owner;
        choice->way = ROUTER_WAY_OWNER;
    }
    if (choice->rule < rules->rule_count) {
        turn_take(state, asked, keep, choice);
    } else if (choice->way != ROUTER_WAY_OWNER) {
        choice->way = ROUTER_WAY_NO_RULE;
    }
    if (keep && choice->person < rules->person_count) {
        state->today[choice->person]++;
    }
}

enum router_bar router_choose_bar(const struct router_state *state, size_t place)
{
    return state->bars[place];
}

double router_state_owed(const struct router_state *state, size_t rule, size_t place)
{
    return state->owed[rule][place];
}

unsigned router_state_today(const struct router_state *state, size_t person)
{
    return state->today[person];
}
