/* SPDX-License-Identifier: Apache-2.0 */
/* Everything about account n follows from the seed and n, so that accounts can be made in any order
 * and the same seed makes the same company. */
#include "tools/cli/sample_plan.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>

#include "server/math/random.h"

const char *const plan_industries[] = {
    "Software",  "Fintech",       "Healthcare", "Manufacturing", "Retail",
    "Logistics", "Media",         "Education",  "Construction",  "Hospitality",
    "Energy",    "Public Sector", NULL};
const char *const plan_countries[] = {
    "United States", "Germany", "United Kingdom", "France", "India", "Canada",
    "Netherlands",   "Brazil",  "Sweden",         "Japan",  NULL};
const char *const plan_fundings[] = {"Bootstrapped", "Seed",   "Series A", "Series B",
                                     "Series C+",    "Public", NULL};
const char *const plan_technologies[] = {
    "Salesforce", "HubSpot", "Slack",     "Kubernetes", "Snowflake", "SAP",
    "Zendesk",    "Shopify", "WordPress", "Stripe",     "Jira",      "Mainframe",
    "Tableau",    "Oracle",  "Marketo",   "Segment",    NULL};
const char *const plan_colors[] = {"red", "blue", "green", "yellow", "black", "white", NULL};

static const struct plan_effect effects[] = {
#define P(field, condition, holds, logits) {field, condition, logits},
#include "tools/cli/planted.def"
#undef P
};

const struct plan_effect *plan_effects(size_t *count)
{
    *count = sizeof effects / sizeof *effects;
    return effects;
}

static bool holds_at(size_t effect, const struct plan_account *a)
{
    size_t at = 0;
#define P(field, condition, holds, logits)                                                         \
    if (effect == at++)                                                                            \
        return holds;
#include "tools/cli/planted.def"
#undef P
    return false;
}

bool plan_effect_holds(size_t effect, const struct plan_account *account)
{
    return holds_at(effect, account);
}

double plan_p(double logit)
{
    return 1 / (1 + exp(-logit));
}

static unsigned below(struct math_random *random, unsigned bound)
{
    return (unsigned)math_random_below(random, bound);
}

static bool chance(struct math_random *random, double p)
{
    return math_random_unit(random) < p;
}

/* Few categories are common and many are rare, as in every real list. */
static unsigned category(struct math_random *random, unsigned count)
{
    double at = math_random_unit(random);
    return (unsigned)((double)count * at * sqrt(at));
}

static void names_make(struct math_random *random, struct plan_account *account)
{
    static const char *const parts[] = {"ve",  "lo",  "ra",  "mi",  "tan", "dor", "ka",  "zen",
                                        "bri", "sol", "nex", "pal", "qui", "fer", "gal", "hut"};
    char name[24] = "";
    size_t used = 0;
    unsigned count = 2 + below(random, 2);
    for (unsigned i = 0; i < count; i++) {
        used += (size_t)snprintf(name + used, sizeof name - used, "%s", parts[below(random, 16)]);
    }
    /* The number keeps domains apart; .example belongs to nobody (RFC 2606). */
    snprintf(account->domain, sizeof account->domain, "%s%llu.example", name,
             (unsigned long long)account->number);
    name[0] = (char)toupper((unsigned char)name[0]);
    snprintf(account->name, sizeof account->name, "%s %llu", name,
             (unsigned long long)(account->number % 10000));
}

static void firmographics_make(struct math_random *random, struct plan_account *account)
{
    account->industry = category(random, 12);
    account->country = category(random, 10);
    account->employees = 1 + (unsigned)exp(4 + 1.6 * math_random_normal(random));
    double revenue = account->employees * 0.15 * exp(0.5 * math_random_normal(random));
    account->revenue_musd = round(revenue * 100) / 100;
    account->founded = 2024 - below(random, 15) - category(random, 60);
    double funding = 1.2 * math_random_unit(random) + log10(account->employees) / 4;
    account->funding = funding >= 1.8 ? 5 : (unsigned)(funding / 0.36);
    account->growth_pct = (int)(15 + 25 * math_random_normal(random));
}

static void behaviour_make(struct math_random *random, struct plan_account *account)
{
    for (unsigned i = 0; i < PLAN_TECHNOLOGIES_MAX; i++) {
        double share = 0.35 / (1 + i * 0.25) + (i == 11 ? 0.05 : 0);
        account->technologies |= (uint32_t)chance(random, share) << i;
    }
    account->uses_crm = plan_has(account, 0) || plan_has(account, 1) || chance(random, 0.3);
    account->demo_requested = chance(random, 0.08);
    double visits = exp(0.9 + 1.2 * math_random_normal(random)) - 1;
    account->web_visits = visits > 0 ? (unsigned)visits : 0;
    account->office_floor = below(random, 30);
    account->brand_color = below(random, 6);
    account->first_seen_day = 18262 + below(random, 1461); /* 2020 to 2023 */
    for (unsigned i = 0; i < PLAN_PROFILE_DIMS; i++) {
        double center = (account->industry >> (i % 4) & 1) != 0 ? 0.8 : -0.8;
        account->profile[i] = round((center + 0.5 * math_random_normal(random)) * 1000) / 1000;
    }
}

static void hidden_make(struct math_random *random, struct plan_account *account)
{
    static const struct {
        enum plan_hidden bit;
        double share;
    } shares[] = {{PLAN_HIDE_INDUSTRY, 0.06},    {PLAN_HIDE_EMPLOYEES, 0.05},
                  {PLAN_HIDE_REVENUE, 0.35},     {PLAN_HIDE_COUNTRY, 0.03},
                  {PLAN_HIDE_CRM, 0.20},         {PLAN_HIDE_GROWTH, 0.15},
                  {PLAN_HIDE_TECHNOLOGIES, 0.10}};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        account->hidden |= chance(random, shares[i].share) ? (unsigned)shares[i].bit : 0;
    }
}

void plan_account_make(uint64_t seed, uint64_t number, struct plan_account *account)
{
    struct math_random random;
    math_random_init_part(&random, seed, number);
    *account = (struct plan_account){.number = number, .logit = PLAN_INTERCEPT};
    names_make(&random, account);
    firmographics_make(&random, account);
    behaviour_make(&random, account);
    hidden_make(&random, account);
    for (size_t i = 0; i < sizeof effects / sizeof *effects; i++) {
        account->logit += holds_at(i, account) ? effects[i].logits : 0;
    }
    bool won = chance(&random, plan_p(account->logit));
    bool open = chance(&random, 0.2);
    account->stage = open ? PLAN_OPEN : won ? PLAN_WON : PLAN_LOST;
}
