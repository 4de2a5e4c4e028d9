/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are read in order by the word that they begin with; people must stand before who names
 * them, so that a name that is nobody's is told where it stands. Owners are sorted at the end. The
 * first slip ends the reading, and nothing is left of the rules. */
#include "client/router/router_rules.h"

#include <stdlib.h>
#include <string.h>

#include "client/router/router_reading.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static char *value_of(const struct router_reading *reading, size_t word)
{
    return reading->line->words[word].value;
}

static bool default_p_take(const struct router_reading *reading, size_t word, void *into)
{
    struct router_rules *rules = into;
    return router_number_read(reading, word, 0, 1, &rules->default_p);
}

static bool default_grade_take(const struct router_reading *reading, size_t word, void *into)
{
    struct router_rules *rules = into;
    const char *value = value_of(reading, word);
    rules->default_grade = value[0];
    return (strlen(value) == 1 && strchr("ABCD", value[0]) != NULL) ||
           router_refuse_word(reading, word, "a grade is A, B, C or D, not '%.64s'", value);
}

static bool default_read(const struct router_reading *reading)
{
    static const struct router_option options[] = {{"grade", default_grade_take},
                                                   {"p", default_p_take}};
    return router_line_options(reading, 1, options, COUNT(options), reading->rules);
}

static bool member_territory_take(const struct router_reading *reading, size_t word, void *into)
{
    struct router_rules *rules = into;
    return router_text_put(reading, &rules->territory_member, value_of(reading, word));
}

static bool member_segment_take(const struct router_reading *reading, size_t word, void *into)
{
    struct router_rules *rules = into;
    return router_text_put(reading, &rules->segment_member, value_of(reading, word));
}

static bool member_read(const struct router_reading *reading)
{
    static const struct router_option options[] = {{"territory", member_territory_take},
                                                   {"segment", member_segment_take}};
    return router_line_options(reading, 1, options, COUNT(options), reading->rules);
}

static bool deadline_read(const struct router_reading *reading)
{
    if (reading->line->count != 2 || reading->line->words[1].value != NULL) {
        return router_refuse_word(reading, 1, "one number of ms is wanted");
    }
    return router_whole_read(reading, 1, 1, 60000, &reading->rules->deadline_ms);
}

static bool weight_take(const struct router_reading *reading, size_t word, void *into)
{
    struct router_person *person = into;
    return router_number_read(reading, word, 0.001, 1e6, &person->weight);
}

static bool capacity_take(const struct router_reading *reading, size_t word, void *into)
{
    struct router_person *person = into;
    return router_whole_read(reading, word, 0, 1000000000, &person->capacity);
}

static bool person_territory_take(const struct router_reading *reading, size_t word, void *into)
{
    struct router_person *person = into;
    return router_texts_read(reading, word, &person->territories);
}

static bool team_take(const struct router_reading *reading, size_t word, void *into)
{
    struct router_person *person = into;
    return router_text_put(reading, &person->team, value_of(reading, word));
}

static bool active_take(const struct router_reading *reading, size_t word, void *into)
{
    struct router_person *person = into;
    const char *value = value_of(reading, word);
    person->active = strcmp(value, "no") != 0;
    return !person->active || strcmp(value, "yes") == 0 ||
           router_refuse_word(reading, word, "must be yes or no, not '%.64s'", value);
}

static bool person_read(const struct router_reading *reading)
{
    static const struct router_option options[] = {{"weight", weight_take},
                                                   {"capacity", capacity_take},
                                                   {"territory", person_territory_take},
                                                   {"team", team_take},
                                                   {"active", active_take}};
    struct router_rules *rules = reading->rules;
    const char *name = NULL;
    if (!router_name_read(reading, 1, &name)) {
        return false;
    }
    if (router_person_find(rules, name) < rules->person_count) {
        return router_refuse_word(reading, 1, "there is a person of this name already");
    }
    if (rules->person_count == ROUTER_PEOPLE_MAX) {
        return router_refuse_word(reading, 1, "more than %d people", ROUTER_PEOPLE_MAX);
    }
    struct router_person *people = router_grown(reading, rules->people, rules->person_count,
                                                &rules->person_room, sizeof *rules->people);
    if (people == NULL) {
        return false;
    }
    rules->people = people;
    struct router_person *person = &people[rules->person_count++];
    *person = (struct router_person){.weight = 1, .active = true};
    return router_text_put(reading, &person->name, name) &&
           router_text_put(reading, &person->team, "") &&
           router_line_options(reading, 2, options, COUNT(options), person);
}

static bool conflict_read(const struct router_reading *reading)
{
    uint32_t person;
    const char *name = NULL;
    const char *with = NULL;
    return router_name_read(reading, 1, &name) && router_name_read(reading, 2, &with) &&
           router_line_done(reading, 3) && router_person_named(reading, 1, name, &person) &&
           router_text_add(reading, &reading->rules->people[person].conflicts, with);
}

static bool owner_read(const struct router_reading *reading)
{
    struct router_rules *rules = reading->rules;
    uint32_t person;
    const char *account = NULL;
    const char *name = NULL;
    if (!router_name_read(reading, 1, &account) || !router_name_read(reading, 2, &name) ||
        !router_line_done(reading, 3) || !router_person_named(reading, 2, name, &person)) {
        return false;
    }
    if (rules->owner_count == ROUTER_OWNERS_MAX) {
        return router_refuse_word(reading, 1, "more than %d owners", ROUTER_OWNERS_MAX);
    }
    struct router_owner *owners = router_grown(reading, rules->owners, rules->owner_count,
                                               &rules->owner_room, sizeof *rules->owners);
    if (owners == NULL) {
        return false;
    }
    rules->owners = owners;
    owners[rules->owner_count] = (struct router_owner){strdup(account), person};
    return owners[rules->owner_count++].account != NULL || router_memory_out(reading);
}

static bool grade_take(const struct router_reading *reading, size_t word, void *into)
{
    struct router_rule *rule = into;
    const char *value = value_of(reading, word);
    size_t count = 0;
    for (size_t i = 0; value[i] != '\0'; i += value[i + 1] == ',' ? 2 : 1) {
        if (strchr("ABCD", value[i]) == NULL || count == 4 ||
            (value[i + 1] != '\0' && value[i + 1] != ',')) {
            return router_refuse_word(reading, word,
                                      "grades are A, B, C and D, with commas between");
        }
        rule->grades[count++] = value[i];
    }
    return count > 0 || router_refuse_word(reading, word, "a grade is missing");
}

static bool fit_take(const struct router_reading *reading, size_t word, void *into)
{
    struct router_rule *rule = into;
    return router_number_read(reading, word, 0, 100, &rule->fit_min);
}

static bool rule_territory_take(const struct router_reading *reading, size_t word, void *into)
{
    struct router_rule *rule = into;
    return router_texts_read(reading, word, &rule->territories);
}

static bool rule_segment_take(const struct router_reading *reading, size_t word, void *into)
{
    struct router_rule *rule = into;
    return router_texts_read(reading, word, &rule->segments);
}

static bool people_add(const struct router_reading *reading, size_t word,
                       const struct router_texts *names, struct router_rule *rule)
{
    bool good = true;
    rule->people = calloc(names->count + 1, sizeof *rule->people);
    if (rule->people == NULL) {
        return router_memory_out(reading);
    }
    for (size_t i = 0; good && i < names->count; i++) {
        good = router_person_named(reading, word, names->texts[i], &rule->people[i]);
        for (size_t j = 0; good && j < i; j++) {
            good = rule->people[j] != rule->people[i] ||
                   router_refuse_word(reading, word, "names one person twice");
        }
        rule->person_count += good;
    }
    return good;
}

static bool to_take(const struct router_reading *reading, size_t word, void *into)
{
    struct router_rule *rule = into;
    struct router_texts names = {.count = 0};
    if (rule->people != NULL) {
        return router_refuse_word(reading, word, "stands twice");
    }
    bool good = router_texts_read(reading, word, &names) && people_add(reading, word, &names, rule);
    router_texts_free(&names);
    return good;
}

static bool rule_read(const struct router_reading *reading)
{
    static const struct router_option options[] = {{"grade", grade_take},
                                                   {"fit", fit_take},
                                                   {"territory", rule_territory_take},
                                                   {"segment", rule_segment_take},
                                                   {"to", to_take}};
    struct router_rules *rules = reading->rules;
    const char *name = NULL;
    if (!router_name_read(reading, 1, &name)) {
        return false;
    }
    for (size_t i = 0; i < rules->rule_count; i++) {
        if (strcmp(rules->rules[i].name, name) == 0) {
            return router_refuse_word(reading, 1, "there is a rule of this name already");
        }
    }
    if (rules->rule_count == ROUTER_PEOPLE_MAX) {
        return router_refuse_word(reading, 1, "more than %d rules", ROUTER_PEOPLE_MAX);
    }
    struct router_rule *more = router_grown(reading, rules->rules, rules->rule_count,
                                            &rules->rule_room, sizeof *rules->rules);
    if (more == NULL) {
        return false;
    }
    rules->rules = more;
    struct router_rule *rule = &more[rules->rule_count++];
    *rule = (struct router_rule){.name = NULL};
    return router_text_put(reading, &rule->name, name) &&
           router_line_options(reading, 2, options, COUNT(options), rule) &&
           (rule->person_count > 0 || router_refuse_word(reading, reading->line->count,
                                                         "'to=' is missing: who gets its leads"));
}

static bool line_read(const struct router_reading *reading)
{
    static const struct {
        const char *word;
        bool (*read)(const struct router_reading *reading);
    } lines[] = {{"default", default_read}, {"deadline", deadline_read}, {"member", member_read},
                 {"person", person_read},   {"conflict", conflict_read}, {"owner", owner_read},
                 {"rule", rule_read}};
    const struct router_word *word = &reading->line->words[0];
    for (size_t i = 0; i < COUNT(lines); i++) {
        if (strcmp(word->name, lines[i].word) == 0) {
            return word->value == NULL ? lines[i].read(reading)
                                       : router_refuse_word(reading, 0, "a blank follows it, no =");
        }
    }
    return router_refuse(
        reading->fault, reading->line->number, word->column,
        "'%.64s' is none of default, deadline, member, person, conflict, owner and rule",
        word->name);
}

static int owners_compare(const void *a, const void *b)
{
    return strcmp(((const struct router_owner *)a)->account,
                  ((const struct router_owner *)b)->account);
}

/* What only the whole file can say. */
static bool whole_check(const struct router_reading *reading)
{
    struct router_rules *rules = reading->rules;
    if (rules->rule_count == 0) {
        return router_refuse(reading->fault, 0, 0, "there is no rule: who gets a lead?");
    }
    if (rules->owner_count > 1) {
        qsort(rules->owners, rules->owner_count, sizeof *rules->owners, owners_compare);
    }
    for (size_t i = 1; i < rules->owner_count; i++) {
        if (strcmp(rules->owners[i].account, rules->owners[i - 1].account) == 0) {
            return router_refuse(reading->fault, 0, 0, "'%.100s' has two lines of owner",
                                 rules->owners[i].account);
        }
    }
    return true;
}

struct router_rules *router_rules_read(const char *text, size_t bytes, struct router_fault *fault)
{
    struct router_lines lines = {.at = text, .end = text + bytes};
    struct router_rules *rules = calloc(1, sizeof *rules);
    struct router_line *line = malloc(sizeof *line);
    struct router_reading reading = {.rules = rules, .line = line, .fault = fault};
    bool good = rules != NULL && line != NULL;
    *fault = (struct router_fault){.line = 0};
    if (!good) {
        (void)router_memory_out(&reading);
    } else {
        rules->default_grade = 'D';
        rules->deadline_ms = 200;
        good = router_text_put(&reading, &rules->territory_member, "country") &&
               router_text_put(&reading, &rules->segment_member, "industry");
    }
    while (good && router_line_next(&lines, line, fault)) {
        good = line_read(&reading);
    }
    good = good && fault->message[0] == '\0' && whole_check(&reading);
    free(line);
    if (!good) {
        router_rules_destroy(rules);
        return NULL;
    }
    return rules;
}
