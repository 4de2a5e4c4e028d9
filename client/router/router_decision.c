/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of the lead is put together for the choice, and then everything into one object, in
 * the order in which people read it. */
#include "client/router/router_decision.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>

enum { PEOPLE_TOLD = 32 }; /* of those who were free, and of those who were not */

static int64_t now_ms(void)
{
    struct timeval now;
    (void)gettimeofday(&now, NULL);
    return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

/* How the lead found its account. Where icpd did not answer nobody knows whether it is there, and
 * what the lead says is believed. */
static const char *matched_word(const struct router_lead *lead, const struct icp_score *score)
{
    if (!score->found && !score->is_default) {
        return "none";
    }
    return lead->account != NULL ? "account"
           : lead->key != NULL   ? "key"
           : lead->email != NULL ? "domain"
                                 : "none";
}

/* Sets the member; a value that is NULL, for no memory, fails at the end. */
static void put(json_t *json, const char *name, json_t *value, bool *good)
{
    *good = json_object_set_new(json, name, value) == 0 && *good;
}

static void people_put(json_t *json, const struct router_rules *rules,
                       const struct router_state *state, const struct router_choice *choice,
                       bool *good)
{
    json_t *free_people = json_array();
    json_t *barred = json_object();
    const struct router_rule *rule =
        choice->rule < rules->rule_count ? &rules->rules[choice->rule] : NULL;
    for (size_t i = 0; rule != NULL && i < rule->person_count; i++) {
        const char *name = rules->people[rule->people[i]].name;
        enum router_bar bar = router_choose_bar(state, i);
        if (bar == ROUTER_BAR_FREE && json_array_size(free_people) < PEOPLE_TOLD) {
            *good = json_array_append_new(free_people, json_string(name)) == 0 && *good;
        } else if (bar != ROUTER_BAR_FREE && json_object_size(barred) < PEOPLE_TOLD) {
            put(barred, name, json_string(router_bar_word(bar)), good);
        }
    }
    put(json, "candidates", free_people, good);
    put(json, "barred", barred, good);
}

static void score_put(json_t *json, const struct icp_score *score, const char *why_default,
                      bool *good)
{
    const char grade[2] = {score->grade, '\0'};
    put(json, "p", json_real(score->p), good);
    put(json, "fit", json_real(score->fit), good);
    put(json, "grade", json_string(grade), good);
    put(json, "icp", json_integer((json_int_t)score->icp), good);
    put(json, "tal", json_boolean(score->tal), good);
    put(json, "default", json_boolean(score->is_default), good);
    if (why_default != NULL) {
        put(json, "why_default", json_string(why_default), good);
    }
}

static void account_put(json_t *json, const struct router_lead *lead,
                        const struct router_asked *asked, const struct icp_score *score, bool *good)
{
    const char *matched = matched_word(lead, score);
    bool known = strcmp(matched, "none") != 0;
    char domain_key[300];
    (void)snprintf(domain_key, sizeof domain_key, "domain:%s", lead->domain);
    put(json, "account",
        asked->account[0] != '\0' && known ? json_string(asked->account) : json_null(), good);
    put(json, "key",
        lead->key != NULL         ? json_string(lead->key)
        : lead->domain[0] != '\0' ? json_string(domain_key)
                                  : json_null(),
        good);
    put(json, "matched", json_string(matched), good);
    if (!known) { /* its event is told of nobody's account */
        put(json, "account", json_null(), good);
        put(json, "key", json_null(), good);
    }
}

json_t *router_decision_make(const struct router_rules *rules, struct router_state *state,
                             const struct router_lead *lead, const struct icp_score *score,
                             const char *why_default, bool keep, struct router_choice *choice)
{
    char account[256] = "";
    bool good = true;
    json_t *json = json_object();
    if (score->found && score->id.bytes > 0 && score->id.bytes < sizeof account) {
        memcpy(account, score->id.data, score->id.bytes);
        account[score->id.bytes] = '\0';
    } else if (lead->account != NULL) {
        (void)snprintf(account, sizeof account, "%s", lead->account);
    }
    const struct router_asked asked = {.account = account,
                                       .key = or_empty(lead->key),
                                       .domain = lead->domain,
                                       .owner = or_empty(lead->owner),
                                       .territory =
                                           router_lead_value(lead, rules->territory_member),
                                       .segment = router_lead_value(lead, rules->segment_member),
                                       .grade = score->grade,
                                       .fit = score->fit,
                                       .now_ms = now_ms()};
    router_choose(state, &asked, keep, choice);
    bool somebody = choice->person < rules->person_count;
    put(json, "id", json_string(lead->id), &good);
    put(json, "at_ms", json_integer(asked.now_ms), &good);
    put(json, "person", somebody ? json_string(rules->people[choice->person].name) : json_null(),
        &good);
    put(json, "team", json_string(somebody ? rules->people[choice->person].team : ""), &good);
    put(json, "way", json_string(router_way_word(choice->way)), &good);
    put(json, "rule",
        json_string(choice->rule < rules->rule_count ? rules->rules[choice->rule].name : ""),
        &good);
    account_put(json, lead, &asked, score, &good);
    score_put(json, score, why_default, &good);
    put(json, "segment", json_string(asked.segment), &good);
    put(json, "territory", json_string(asked.territory), &good);
    people_put(json, rules, state, choice, &good);
    if (!good) {
        json_decref(json);
        return NULL;
    }
    return json;
}
