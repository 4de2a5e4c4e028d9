/* SPDX-License-Identifier: Apache-2.0 */
/* What a file of rules came to, once it is read: who and what is looked for by name, and all of it
 * is let go of at the end. What is not there is told by the count, never by a fault. */
#include "client/router/router_rules.h"

#include <stdlib.h>
#include <string.h>

void router_texts_free(struct router_texts *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->texts[i]);
    }
    free(list->texts);
    *list = (struct router_texts){.count = 0};
}

void router_rules_destroy(struct router_rules *rules)
{
    if (rules == NULL) {
        return;
    }
    for (size_t i = 0; i < rules->person_count; i++) {
        free(rules->people[i].name);
        free(rules->people[i].team);
        router_texts_free(&rules->people[i].territories);
        router_texts_free(&rules->people[i].conflicts);
    }
    for (size_t i = 0; i < rules->rule_count; i++) {
        free(rules->rules[i].name);
        free(rules->rules[i].people);
        router_texts_free(&rules->rules[i].territories);
        router_texts_free(&rules->rules[i].segments);
    }
    for (size_t i = 0; i < rules->owner_count; i++) {
        free(rules->owners[i].account);
    }
    free(rules->people);
    free(rules->rules);
    free(rules->owners);
    free(rules->territory_member);
    free(rules->segment_member);
    free(rules);
}

size_t router_person_find(const struct router_rules *rules, const char *name)
{
    size_t i = 0;
    while (i < rules->person_count && strcmp(rules->people[i].name, name) != 0) {
        i++;
    }
    return i;
}

size_t router_owner_find(const struct router_rules *rules, const char *account)
{
    size_t low = 0;
    size_t high = rules->owner_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(rules->owners[middle].account, account);
        if (order == 0) {
            return rules->owners[middle].person;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return rules->person_count;
}

bool router_texts_have(const struct router_texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (strcmp(texts->texts[i], text) == 0) {
            return true;
        }
    }
    return false;
}
