/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of the lead is put together for the choice, and then everything is written as one
 * object, in the order in which people read it, and once more as what icpd is told. */
#include "client/router/router_decision.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "client/router/router_told.h"

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

static void member(struct router_text *text, const char *name, const char *value)
{
    router_text_name(text, name);
    router_text_string(text, value);
}

static void people_put(struct router_text *text, const struct router_case *made,
                       const struct router_choice *choice, struct router_told *told)
{
    const struct router_rules *rules = made->rules;
    const struct router_rule *rule =
        choice->rule < rules->rule_count ? &rules->rules[choice->rule] : NULL;
    size_t count = rule == NULL ? 0 : rule->person_count;
    size_t said[2] = {0, 0};
    router_text_name(text, "candidates");
    router_text_open(text, '[');
    for (size_t i = 0; i < count && said[0] < PEOPLE_TOLD; i++) {
        if (router_choose_bar(made->state, i) == ROUTER_BAR_FREE) {
            said[0]++;
            router_text_string(text, rules->people[rule->people[i]].name);
            router_told_candidate(told, rules->people[rule->people[i]].name);
        }
    }
    router_text_close(text, ']');
    router_text_name(text, "barred");
    router_text_open(text, '{');
    for (size_t i = 0; i < count && said[1] < PEOPLE_TOLD; i++) {
        enum router_bar bar = router_choose_bar(made->state, i);
        if (bar != ROUTER_BAR_FREE) {
            said[1]++;
            member(text, rules->people[rule->people[i]].name, router_bar_word(bar));
        }
    }
    router_text_close(text, '}');
}

static void score_put(struct router_text *text, const struct router_case *made)
{
    const struct icp_score *score = made->score;
    const char grade[2] = {score->grade, '\0'};
    router_text_name(text, "p");
    router_text_real(text, score->p);
    router_text_name(text, "fit");
    router_text_real(text, score->fit);
    member(text, "grade", grade);
    router_text_name(text, "icp");
    router_text_int(text, (int64_t)score->icp);
    router_text_name(text, "tal");
    router_text_flag(text, score->tal);
    router_text_name(text, "default");
    router_text_flag(text, score->is_default);
    if (made->why_default != NULL) {
        member(text, "why_default", made->why_default);
    }
}

/* The account that icpd found, or that the lead says. */
static void account_take(const struct router_case *made, char account[256])
{
    const struct icp_score *score = made->score;
    account[0] = '\0';
    if (score->found && score->id.bytes > 0 && score->id.bytes < 256) {
        memcpy(account, score->id.data, score->id.bytes);
        account[score->id.bytes] = '\0';
    } else if (made->lead->account != NULL) {
        (void)snprintf(account, 256, "%s", made->lead->account);
    }
}

/* The event of a lead of nobody's account is told of none. */
static void told_take(const struct router_case *made, const char *account, struct router_told *told,
                      char domain_key[300])
{
    const struct router_lead *lead = made->lead;
    told->matched = matched_word(lead, made->score);
    bool known = strcmp(told->matched, "none") != 0;
    (void)snprintf(domain_key, 300, "domain:%s", lead->domain);
    told->account = known ? account : "";
    told->key = !known                    ? ""
                : lead->key != NULL       ? lead->key
                : lead->domain[0] != '\0' ? domain_key
                                          : "";
    told->id = lead->id;
    told->p = made->score->p;
    told->fit = made->score->fit;
    told->grade[0] = made->score->grade;
    told->icp = (int64_t)made->score->icp;
    told->is_default = made->score->is_default;
}

static void choice_take(const struct router_case *made, const struct router_choice *choice,
                        struct router_told *told)
{
    const struct router_rules *rules = made->rules;
    told->person = choice->person < rules->person_count ? rules->people[choice->person].name : "";
    told->rule = choice->rule < rules->rule_count ? rules->rules[choice->rule].name : "";
    told->way = router_way_word(choice->way);
}

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

struct router_decision *router_decision_make(const struct router_case *made,
                                             struct router_text *scratch,
                                             struct router_choice *choice)
{
    char account[256];
    char domain_key[300];
    const struct router_lead *lead = made->lead;
    struct router_told told = {.at_ms = now_ms()};
    account_take(made, account);
    told_take(made, account, &told, domain_key);
    const struct router_asked asked = {
        .account = account,
        .key = or_empty(lead->key),
        .domain = lead->domain,
        .owner = or_empty(lead->owner),
        .territory = router_lead_value(lead, made->rules->territory_member),
        .segment = router_lead_value(lead, made->rules->segment_member),
        .grade = made->score->grade,
        .fit = made->score->fit,
        .now_ms = told.at_ms};
    router_choose(made->state, &asked, made->keep, choice);
    choice_take(made, choice, &told);
    told.segment = asked.segment;
    bool somebody = choice->person < made->rules->person_count;
    router_text_reset(scratch);
    router_text_open(scratch, '{');
    member(scratch, "id", lead->id);
    router_text_name(scratch, "at_ms");
    router_text_int(scratch, told.at_ms);
    member(scratch, "person", or_null(told.person));
    member(scratch, "team", somebody ? made->rules->people[choice->person].team : "");
    member(scratch, "way", told.way);
    member(scratch, "rule", told.rule);
    member(scratch, "account", or_null(told.account));
    member(scratch, "key", or_null(told.key));
    member(scratch, "matched", told.matched);
    score_put(scratch, made);
    member(scratch, "segment", told.segment);
    member(scratch, "territory", asked.territory);
    people_put(scratch, made, choice, &told);
    router_text_name(scratch, "took_us");
    router_text_int(scratch, (int64_t)made->took_us);
    router_text_close(scratch, '}');
    return scratch->failed ? NULL : router_told_keep(&told, scratch->data, scratch->bytes);
}
