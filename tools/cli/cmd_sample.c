/* SPDX-License-Identifier: Apache-2.0 */
/* icp sample: a folder with a synthetic company's accounts, its inbound leads, the schema of both,
 * and planted.json, which says how the outcomes were drawn. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "server/math/auc.h"
#include "server/math/order.h"
#include "server/math/random.h"
#include "tools/cli/cmd.h"
#include "tools/cli/sample_plan.h"

/* Numbers of unknown companies start here, beyond every account of a sample. */
#define STRANGERS_FROM ((uint64_t)1 << 40)

struct sample {
    const struct cli *cli;
    const char *folder;
    uint64_t accounts;
    uint64_t leads;
    uint64_t seed;
    double *logits; /* of closed accounts, with their outcomes: what can be known at best */
    uint8_t *won;
    size_t closed;
};

static int file_open(const struct sample *sample, const char *name, struct out_file *output)
{
    char path[4096];
    int bytes = snprintf(path, sizeof path, "%s/%s", sample->folder, name);
    if (bytes < 0 || (size_t)bytes >= sizeof path) {
        return cli_fail(sample->cli, EX_USAGE, "--out: the path is too long");
    }
    return cli_file_begin(sample->cli, path, output);
}

static void write_technologies(FILE *out, const struct plan_account *account)
{
    bool first = true;
    for (unsigned i = 0; i < PLAN_TECHNOLOGIES_MAX; i++) {
        if (!plan_has(account, i)) {
            continue;
        }
        fprintf(out, "%s%s", first ? "" : ";", plan_technologies[i]);
        first = false;
    }
}

/* The words for missing are as mixed as in the files of real companies. */
static void write_firmographics(FILE *out, const struct plan_account *account)
{
    unsigned hidden = account->hidden;
    fprintf(out, "%s,",
            hidden & PLAN_HIDE_INDUSTRY ? "Select" : plan_industries[account->industry]);
    if (hidden & PLAN_HIDE_EMPLOYEES) {
        fputs("N/A,", out);
    } else {
        fprintf(out, "%u,", account->employees);
    }
    if (hidden & PLAN_HIDE_REVENUE) {
        fputc(',', out);
    } else {
        fprintf(out, "%.2f,", account->revenue_musd);
    }
    fprintf(out, "%s,%s,", hidden & PLAN_HIDE_COUNTRY ? "" : plan_countries[account->country],
            plan_fundings[account->funding]);
    fprintf(out, "%u,", account->founded);
    if (!(hidden & PLAN_HIDE_GROWTH)) {
        fprintf(out, "%d", account->growth_pct);
    }
    fputc(',', out);
}

static void write_account(FILE *out, const struct plan_account *account)
{
    static const char *const stages[] = {"Open", "Lost", "Won"};
    fprintf(out, "acct-%06llu,%s,https://www.%s/,0015%08llu,", (unsigned long long)account->number,
            account->name, account->domain, (unsigned long long)account->number * 7919 % 100000000);
    write_firmographics(out, account);
    if (!(account->hidden & PLAN_HIDE_TECHNOLOGIES)) {
        write_technologies(out, account);
    }
    fprintf(out, ",%s,%s,%u,%u,%s,",
            account->hidden & PLAN_HIDE_CRM ? ""
            : account->uses_crm             ? "Yes"
                                            : "No",
            account->demo_requested ? "Yes" : "No", account->web_visits, account->office_floor,
            plan_colors[account->brand_color]);
    for (unsigned i = 0; i < PLAN_PROFILE_DIMS; i++) {
        fprintf(out, "%s%.3f", i > 0 ? " " : "", account->profile[i]);
    }
    fprintf(out, ",%u,%s\n", account->first_seen_day, stages[account->stage]);
}

static int accounts_write(struct sample *sample)
{
    struct out_file output = {0};
    int status = file_open(sample, "accounts.csv", &output);
    if (status != EX_OK) {
        return status;
    }
    fputs("account_id,name,website,crm_id,industry,employees,revenue_musd,country,funding,founded,"
          "growth_pct,technologies,uses_crm,demo_requested,web_visits_90d,office_floor,brand_color,"
          "profile,first_seen_day,stage\n",
          output.file);
    for (uint64_t number = 1; number <= sample->accounts; number++) {
        struct plan_account account;
        plan_account_make(sample->seed, number, &account);
        write_account(output.file, &account);
        if (account.stage != PLAN_OPEN) {
            sample->logits[sample->closed] = account.logit;
            sample->won[sample->closed++] = account.stage == PLAN_WON;
        }
    }
    return cli_file_commit(sample->cli, &output);
}

/* A lead is a person at an account, at a company that is not stored, or behind a free-mail address.
 * What the form asked for is laid over what is stored. */
static void write_lead(FILE *out, const struct sample *sample, uint64_t number)
{
    static const char *const first_names[] = {"ann", "ben",  "cem", "dia",
                                              "eva", "finn", "gia", "hal"};
    static const char *const kinds[] = {"known", "unknown", "free-mail"};
    struct math_random random;
    struct plan_account account;
    math_random_init_part(&random, sample->seed ^ 0x1ead, number);
    unsigned draw = (unsigned)math_random_below(&random, 100);
    unsigned kind = draw < 60 ? 0 : draw < 90 ? 1 : 2;
    uint64_t who =
        kind == 0 ? 1 + math_random_below(&random, sample->accounts) : STRANGERS_FROM + number;
    plan_account_make(sample->seed, who, &account);
    const char *name = first_names[math_random_below(&random, 8)];
    fprintf(out, "lead-%06llu,%s%u@%s,", (unsigned long long)number, name,
            (unsigned)math_random_below(&random, 1000), kind == 2 ? "gmail.com" : account.domain);
    /* Known companies are asked for nothing; strangers fill in the form. */
    if (kind == 0) {
        fputs(",,,,", out);
    } else {
        fprintf(out, "%s,%u,%s,%d,", plan_industries[account.industry], account.employees,
                plan_countries[account.country], account.growth_pct);
    }
    if (kind != 0) {
        write_technologies(out, &account);
    }
    bool won = math_random_unit(&random) < plan_p(account.logit);
    fprintf(out, ",%u,%s,%s,%s\n", account.web_visits, account.demo_requested ? "Yes" : "No",
            kinds[kind], won ? "Won" : "Lost");
}

static int leads_write(const struct sample *sample)
{
    struct out_file output = {0};
    int status = file_open(sample, "leads.csv", &output);
    if (status != EX_OK) {
        return status;
    }
    fputs("lead_id,email,industry,employees,country,growth_pct,technologies,web_visits_90d,"
          "demo_requested,kind,became\n",
          output.file);
    for (uint64_t number = 1; number <= sample->leads; number++) {
        write_lead(output.file, sample, number);
    }
    return cli_file_commit(sample->cli, &output);
}

static int schema_write(const struct sample *sample)
{
    struct out_file output = {0};
    int status = file_open(sample, "schema.json", &output);
    if (status != EX_OK) {
        return status;
    }
#define FIELD(name, type, family, more)                                                            \
    "    {\"name\": \"" name "\", \"type\": \"" type "\", \"family\": \"" family "\"" more "},\n"
    fputs("{\n  \"id\": \"account_id\",\n  \"keys\": {\"domain\": \"website\", \"crm\": "
          "\"crm_id\"},\n  \"missing\": [\"\", \"Select\", \"N/A\"],\n  \"fields\": [\n" //
          FIELD("industry", "category", "firmographic", "")                              //
          FIELD("employees", "number", "firmographic", ", \"transform\": \"log\"")       //
          FIELD("revenue_musd", "number", "firmographic", ", \"transform\": \"log\"")    //
          FIELD("country", "category", "firmographic", "")                               //
          FIELD("funding", "category", "firmographic", "")                               //
          FIELD("founded", "number", "firmographic", "")                                 //
          FIELD("growth_pct", "number", "firmographic", "")                              //
          FIELD("technologies", "tags", "technographic", "")                             //
          FIELD("uses_crm", "flag", "technographic", "")                                 //
          FIELD("demo_requested", "flag", "behavioural", "")                             //
          FIELD("web_visits_90d", "number", "behavioural", "")                           //
          FIELD("office_floor", "number", "firmographic", "")                            //
          FIELD("brand_color", "category", "firmographic", "")                           //
          FIELD("profile", "vector", "firmographic", ", \"dims\": 8")                    //
          FIELD("first_seen_day", "number", "lifecycle", "")                             //
          "    {\"name\": \"stage\", \"type\": \"category\", \"family\": \"lifecycle\"}\n  ]\n}\n",
          output.file);
#undef FIELD
    return cli_file_commit(sample->cli, &output);
}

/* The AUC of the planted logits themselves: no model of these files can do better but by luck. */
static bool best_auc(const struct sample *sample, struct math_auc *auc)
{
    uint32_t *order = math_order_create(sample->logits, sample->closed);
    bool measured =
        order != NULL && math_auc(sample->logits, sample->won, order, sample->closed, auc);
    free(order);
    return measured;
}

static int planted_write(const struct sample *sample)
{
    size_t count = 0;
    const struct plan_effect *effects = plan_effects(&count);
    struct math_auc auc;
    if (!best_auc(sample, &auc)) {
        return cli_fail(sample->cli, EX_OSERR, "no memory");
    }
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:f}", "field", effects[i].field, "condition",
                                        effects[i].condition, "logits", effects[i].logits));
    }
    json_t *json =
        json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:f, s:o, s:[s,s], s:I, s:I, s:f}", "note",
                  "synthetic: every company, person and number here is made up by icp sample",
                  "seed", (json_int_t)sample->seed, "accounts", (json_int_t)sample->accounts,
                  "leads", (json_int_t)sample->leads, "label", "stage = 'Won'", "where",
                  "stage in ('Won','Lost')", "intercept", PLAN_INTERCEPT, "effects", list, "noise",
                  "office_floor", "brand_color", "closed", (json_int_t)sample->closed, "won",
                  (json_int_t)auc.positives, "auc_of_truth", auc.auc);
    struct out_file output = {0};
    int status = json == NULL ? cli_fail(sample->cli, EX_OSERR, "no memory")
                              : file_open(sample, "planted.json", &output);
    if (status == EX_OK) {
        json_dumpf(json, output.file, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
        fputc('\n', output.file);
        status = cli_file_commit(sample->cli, &output);
    }
    json_decref(json);
    return status;
}

int cmd_sample(struct cli *cli)
{
    struct sample sample = {.cli = cli, .folder = cli_text(cli, CLI_SAMPLE_OUT)};
    if (!cli_arguments(cli, 0, 0) ||
        !cli_number(cli, CLI_SAMPLE_ACCOUNTS, 1, 100000000, 20000, &sample.accounts) ||
        !cli_number(cli, CLI_SAMPLE_LEADS, 0, 100000000, (sample.accounts + 9) / 10,
                    &sample.leads) ||
        !cli_number(cli, CLI_SAMPLE_SEED, 0, INT64_MAX, 42, &sample.seed)) {
        return EX_USAGE;
    }
    if (sample.folder == NULL) {
        return cli_fail(cli, EX_USAGE, "--out FOLDER is needed");
    }
    if (mkdir(sample.folder, 0777) != 0 && errno != EEXIST) {
        return cli_fail(cli, EX_CANTCREAT, "--out: cannot make %s: %s", sample.folder,
                        strerror(errno));
    }
    sample.logits = calloc(sample.accounts, sizeof *sample.logits);
    sample.won = calloc(sample.accounts, 1);
    int status = sample.logits == NULL || sample.won == NULL ? cli_fail(cli, EX_OSERR, "no memory")
                                                             : accounts_write(&sample);
    if (status == EX_OK) {
        status = leads_write(&sample);
    }
    if (status == EX_OK) {
        status = schema_write(&sample);
    }
    if (status == EX_OK) {
        status = planted_write(&sample);
    }
    if (status == EX_OK) {
        cli_say(cli, "synthetic: %llu accounts, %llu leads and what was planted are in %s",
                (unsigned long long)sample.accounts, (unsigned long long)sample.leads,
                sample.folder);
    }
    free(sample.logits);
    free(sample.won);
    return status;
}
