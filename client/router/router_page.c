/* SPDX-License-Identifier: Apache-2.0 */
/* Two tables: what was done, and who gets what. Names come from the rules and are escaped. */
#include "client/router/router_page.h"

#include <stdio.h>
#include <stdlib.h>

static void text_put(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

static void people_put(FILE *out, const struct router_work *work)
{
    const struct router_rules *rules = work->rules;
    fputs("<table><caption>Turns</caption><tr><th>rule<th>person<th>weight<th>today<th>capacity"
          "<th>owed</tr>\n",
          out);
    for (size_t r = 0; r < rules->rule_count; r++) {
        const struct router_rule *rule = &rules->rules[r];
        for (size_t i = 0; i < rule->person_count; i++) {
            const struct router_person *person = &rules->people[rule->people[i]];
            fputs("<tr><td>", out);
            text_put(out, rule->name);
            fputs("<td>", out);
            text_put(out, person->name);
            fprintf(out, "%s<td class=n>%g<td class=n>%u<td class=n>",
                    person->active ? "" : " (inactive)", person->weight,
                    router_state_today(work->state, rule->people[i]));
            if (person->capacity > 0) {
                fprintf(out, "%u", person->capacity);
            }
            fprintf(out, "<td class=n>%+.3f</tr>\n", router_state_owed(work->state, r, i));
        }
    }
    fputs("</table>\n", out);
}

char *router_page_make(const struct router_work *work)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL) {
        return NULL;
    }
    fputs("<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=1>"
          "<meta name=viewport content='width=device-width'><title>icp-router</title>"
          "<style>body{font:16px/1.4 system-ui,sans-serif;margin:2rem;max-width:60rem;"
          "color-scheme:light dark}table{border-collapse:collapse;margin:1rem 0}"
          "th,td{text-align:left;padding:.15rem .8rem .15rem 0;border-bottom:1px solid #8884}"
          ".n{text-align:right;font-variant-numeric:tabular-nums}caption{text-align:left;"
          "font-weight:600}</style><h1>icp-router</h1>\n",
          out);
    fprintf(out, "<p>Answered in %.2f ms (half of the leads) and %.2f ms (99 of 100); ",
            (double)router_stats_percentile(&work->stats, .5) / 1000,
            (double)router_stats_percentile(&work->stats, .99) / 1000);
    fprintf(out, "%zu decisions wait for icpd.\n",
            work->spool == NULL ? 0 : router_spool_count(work->spool));
    fputs("<table><caption>Since the start</caption>\n", out);
#define X(name, what)                                                                              \
    fprintf(out, "<tr><td>%s<td class=n>%llu</tr>\n", what, (unsigned long long)work->stats.name);
    ROUTER_COUNTERS(X)
#undef X
    fputs("</table>\n", out);
    people_put(out, work);
    fputs("</html>\n", out);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
