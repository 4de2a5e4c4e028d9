/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lookalike/lookalike_case.h"

#include <stdio.h>
#include <string.h>

struct lookalike_contender *lookalike_contender_add(struct lookalike_case *what, const char *name)
{
    if (what->count == LOOKALIKE_CONTENDERS_MAX) {
        return NULL;
    }
    struct lookalike_contender *contender = &what->contenders[what->count++];
    *contender = (struct lookalike_contender){0};
    snprintf(contender->name, sizeof contender->name, "%s", name);
    return contender;
}

void lookalike_case_run(struct lookalike_case *what, uint32_t rounds)
{
    for (uint32_t round = 0; round < rounds && what->rounds < REPORT_RUNS_MAX; round++) {
        for (uint32_t i = 0; i < what->count; i++) {
            struct lookalike_contender *contender = &what->contenders[(round + i) % what->count];
            struct lookalike_pass pass = contender->on_pass(contender->context);
            contender->per_second[what->rounds] = pass.seconds > 0 ? pass.asked / pass.seconds : 0;
            if (what->answers > 0) {
                contender->recall = (double)pass.found / ((double)pass.asked * what->answers);
            }
        }
        what->rounds++;
    }
}

const struct lookalike_contender *lookalike_contender_find(const struct lookalike_case *what,
                                                           const char *name)
{
    for (uint32_t i = 0; i < what->count; i++) {
        if (strcmp(what->contenders[i].name, name) == 0) {
            return &what->contenders[i];
        }
    }
    return NULL;
}

struct report_spread lookalike_case_ratio(const struct lookalike_case *what,
                                          const struct lookalike_contender *a,
                                          const struct lookalike_contender *b)
{
    return report_spread_ratio(a->per_second, b->per_second, what->rounds);
}

void lookalike_case_print(const struct lookalike_case *what)
{
    printf("%s\n", what->name);
    for (uint32_t i = 0; i < what->count; i++) {
        const struct lookalike_contender *each = &what->contenders[i];
        struct report_spread rate = report_spread_of(each->per_second, what->rounds);
        char recall[16] = "";
        if (each->recall > 0) {
            snprintf(recall, sizeof recall, "recall %.4f", each->recall);
        }
        printf("  %-48s %-14s %-28s %11.0f/s", each->name, recall, each->setting, rate.median);
        if (i > 0) {
            printf("  the first has %.2f times as many",
                   lookalike_case_ratio(what, &what->contenders[0], each).median);
        }
        printf("\n");
    }
    fflush(stdout);
}

json_t *lookalike_case_json(const struct lookalike_case *what)
{
    json_t *contenders = json_array();
    for (uint32_t i = 0; i < what->count; i++) {
        const struct lookalike_contender *each = &what->contenders[i];
        json_t *runs = json_array();
        for (uint32_t round = 0; round < what->rounds; round++) {
            json_array_append_new(runs, json_real(each->per_second[round]));
        }
        json_array_append_new(contenders,
                              json_pack("{s:s, s:s, s:f, s:o}", "contender", each->name, "setting",
                                        each->setting, "recall", each->recall, "per_second", runs));
    }
    return json_pack("{s:s, s:o}", "case", what->name, "contenders", contenders);
}
