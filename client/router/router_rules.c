/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are read in order by the word that they begin with; people must stand before who names
 * them, so that a name that is nobody's is told where it stands. Owners are sorted at the end. */
#include "client/router/router_rules.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/router/router_words.h"

struct reading {
    struct router_rules *rules;
    struct router_line *line;
    struct router_fault *fault;
};

static bool refuse_at(const struct reading *reading, size_t word, const char *what)
{
    const struct router_line *line = reading->line;
    size_t column = word < line->count ? line->words[word].column : line->bytes + 1;
    return router_refuse(reading->fault, line->number, column, "%s", what);
}

static bool memory_out(const struct reading *reading)
{
    return router_refuse(reading->fault, 0, 0, "no memory for the rules");
}

/* Room for one more; NULL with *fault. */
static void *grown(const struct reading *reading, void *items, size_t count, size_t *room,
                   size_t bytes)
{
    if (count < *room) {
        return items;
    }
    size_t wanted = 2 * *room + 8;
    void *more = realloc(items, wanted * bytes);
    if (more == NULL) {
        (void)memory_out(reading);
        return NULL;
    }
    *room = wanted;
    return more;
}

static bool text_add(const struct reading *reading, struct router_texts *list, const char *text)
{
    assert(list != NULL);
    char **texts = grown(reading, list->texts, list->count, &list->room, sizeof *list->texts);
    if (texts == NULL) {
        return false;
    }
    list->texts = texts;
    texts[list->count] = strdup(text);
    return texts[list->count++] != NULL || memory_out(reading);
}

static bool text_put(const struct reading *reading, char **place, const char *text)
{
    free(*place);
    *place = strdup(text);
    return *place != NULL || memory_out(reading);
}

/* "a,b" as a list. */
static bool texts_read(const struct reading *reading, size_t word, struct router_texts *list)
{
    char *at = reading->line->words[word].value;
    char *rest = NULL;
    for (char *one = strtok_r(at, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
        if (!text_add(reading, list, one)) {
            return false;
        }
    }
    return list->count > 0 || refuse_at(reading, word, "a list with commas between is missing");
}

static bool number_read(const struct reading *reading, size_t word, double low, double high,
                        double *number)
{
    const char *text = reading->line->words[word].value;
    char *end = NULL;
    errno = 0;
    *number = strtod(text, &end);
    if (errno == 0 && end != text && *end == '\0' && *number >= low && *number <= high) {
        return true;
    }
    char what[96];
    (void)snprintf(what, sizeof what, "must be a number of %g to %g", low, high);
    return refuse_at(reading, word, what);
}

static bool name_sound(const struct reading *reading, size_t word)
{
    const struct router_line *line = reading->line;
    if (word >= line->count || line->words[word].value != NULL) {
        return refuse_at(reading, word, "a name is missing");
    }
    size_t bytes = strlen(line->words[word].name);
    return (bytes > 0 && bytes <= ROUTER_NAME_BYTES_MAX) ||
           refuse_at(reading, word, "a name has 1 to 127 bytes");
}

static bool person_named(const struct reading *reading, size_t word, const char *name,
                         uint32_t *person)
{
    size_t place = router_person_find(reading->rules, name);
    assert(person != NULL);
    *person = (uint32_t)place;
    if (place < reading->rules->person_count) {
        return true;
    }
    char what[224];
    (void)snprintf(what, sizeof what, "'%.100s' is nobody: a line 'person %.60s' must stand before",
                   name, name);
    return refuse_at(reading, word, what);
}

/* The option is one of a line's; whoever reads it says what is wrong with its value. */
typedef bool (*option_take)(const struct reading *reading, size_t word, const char *name,
                            void *into, bool *known);

static bool options_read(const struct reading *reading, size_t from, const char *there,
                         option_take take, void *into)
{
    for (size_t i = from; i < reading->line->count; i++) {
        const struct router_word *word = &reading->line->words[i];
        bool known = word->value != NULL;
        if (known && !take(reading, i, word->name, into, &known)) {
            return false;
        }
        if (!known) {
            return router_refuse(reading->fault, reading->line->number, word->column,
                                 "'%.64s' is none of %s", word->name, there);
        }
    }
    return true;
}

static bool default_take(const struct reading *reading, size_t word, const char *name, void *into,
                         bool *known)
{
    struct router_rules *rules = into;
    const char *value = reading->line->words[word].value;
    if (strcmp(name, "p") == 0) {
        return number_read(reading, word, 0, 1, &rules->default_p);
    }
    *known = strcmp(name, "grade") == 0;
    if (*known && (strlen(value) != 1 || strchr("ABCD", value[0]) == NULL)) {
        return refuse_at(reading, word, "a grade is A, B, C or D");
    }
    rules->default_grade = *known ? value[0] : rules->default_grade;
    return true;
}

static bool member_take(const struct reading *reading, size_t word, const char *name, void *into,
                        bool *known)
{
    struct router_rules *rules = into;
    bool territory = strcmp(name, "territory") == 0;
    *known = territory || strcmp(name, "segment") == 0;
    return !*known ||
           text_put(reading, territory ? &rules->territory_member : &rules->segment_member,
                    reading->line->words[word].value);
}

static bool person_take(const struct reading *reading, size_t word, const char *name, void *into,
                        bool *known)
{
    struct router_person *person = into;
    const char *value = reading->line->words[word].value;
    double number = 0;
    if (strcmp(name, "weight") == 0) {
        return number_read(reading, word, 0.001, 1e6, &person->weight);
    }
    if (strcmp(name, "capacity") == 0) {
        bool good = number_read(reading, word, 0, 1e9, &number) &&
                    (number == floor(number) || refuse_at(reading, word, "must be a whole number"));
        person->capacity = good ? (unsigned)number : 0;
        return good;
    }
    if (strcmp(name, "territory") == 0) {
        return texts_read(reading, word, &person->territories);
    }
    if (strcmp(name, "team") == 0) {
        return text_put(reading, &person->team, value);
    }
    *known = strcmp(name, "active") == 0;
    person->active = strcmp(value, "no") != 0;
    return !*known || strcmp(value, "no") == 0 || strcmp(value, "yes") == 0 ||
           refuse_at(reading, word, "must be yes or no");
}

static bool person_read(const struct reading *reading)
{
    struct router_rules *rules = reading->rules;
    if (!name_sound(reading, 1)) {
        return false;
    }
    const char *name = reading->line->words[1].name;
    if (router_person_find(rules, name) < rules->person_count) {
        return refuse_at(reading, 1, "there is a person of this name already");
    }
    if (rules->person_count == ROUTER_PEOPLE_MAX) {
        return refuse_at(reading, 1, "more than 1000 people");
    }
    struct router_person *people = grown(reading, rules->people, rules->person_count,
                                         &rules->person_room, sizeof *rules->people);
    if (people == NULL) {
        return false;
    }
    rules->people = people;
    struct router_person *person = &people[rules->person_count++];
    *person = (struct router_person){.weight = 1, .active = true};
    return text_put(reading, &person->name, name) && text_put(reading, &person->team, "") &&
           options_read(reading, 2, "weight, capacity, territory, team and active", person_take,
                        person);
}

static bool rule_people_read(const struct reading *reading, size_t word, struct router_rule *rule)
{
    struct router_texts names = {.count = 0};
    bool good = texts_read(reading, word, &names);
    rule->people = good ? calloc(names.count + 1, sizeof *rule->people) : NULL;
    good = good && (rule->people != NULL || memory_out(reading));
    for (size_t i = 0; good && i < names.count; i++) {
        good = person_named(reading, word, names.texts[i], &rule->people[i]);
        for (size_t j = 0; good && j < i; j++) {
            good = rule->people[j] != rule->people[i] ||
                   refuse_at(reading, word, "names one person twice");
        }
        rule->person_count += good;
    }
    for (size_t i = 0; i < names.count; i++) {
        free(names.texts[i]);
    }
    free(names.texts);
    return good;
}

static bool rule_take(const struct reading *reading, size_t word, const char *name, void *into,
                      bool *known)
{
    struct router_rule *rule = into;
    const char *value = reading->line->words[word].value;
    if (strcmp(name, "to") == 0) {
        return rule->people == NULL ? rule_people_read(reading, word, rule)
                                    : refuse_at(reading, word, "'to' stands twice");
    }
    if (strcmp(name, "fit") == 0) {
        return number_read(reading, word, 0, 100, &rule->fit_min);
    }
    if (strcmp(name, "territory") == 0) {
        return texts_read(reading, word, &rule->territories);
    }
    if (strcmp(name, "segment") == 0) {
        return texts_read(reading, word, &rule->segments);
    }
    *known = strcmp(name, "grade") == 0;
    size_t count = 0;
    for (size_t i = 0; *known && value[i] != '\0'; i += value[i + 1] == ',' ? 2 : 1) {
        if (strchr("ABCD", value[i]) == NULL || count == 4 ||
            (value[i + 1] != '\0' && value[i + 1] != ',')) {
            return refuse_at(reading, word, "grades are A, B, C and D, with commas between");
        }
        rule->grades[count++] = value[i];
    }
    return !*known || count > 0 || refuse_at(reading, word, "a grade is missing");
}

static bool rule_read(const struct reading *reading)
{
    struct router_rules *rules = reading->rules;
    if (!name_sound(reading, 1)) {
        return false;
    }
    const char *name = reading->line->words[1].name;
    for (size_t i = 0; i < rules->rule_count; i++) {
        if (strcmp(rules->rules[i].name, name) == 0) {
            return refuse_at(reading, 1, "there is a rule of this name already");
        }
    }
    if (rules->rule_count == ROUTER_PEOPLE_MAX) {
        return refuse_at(reading, 1, "more than 1000 rules");
    }
    struct router_rule *more =
        grown(reading, rules->rules, rules->rule_count, &rules->rule_room, sizeof *rules->rules);
    if (more == NULL) {
        return false;
    }
    rules->rules = more;
    struct router_rule *rule = &more[rules->rule_count++];
    *rule = (struct router_rule){.name = NULL};
    return text_put(reading, &rule->name, name) &&
           options_read(reading, 2, "grade, fit, territory, segment and to", rule_take, rule) &&
           (rule->person_count > 0 ||
            refuse_at(reading, reading->line->count, "'to=' is missing: who gets its leads"));
}

static bool conflict_read(const struct reading *reading)
{
    uint32_t person;
    return name_sound(reading, 1) && name_sound(reading, 2) &&
           person_named(reading, 1, reading->line->words[1].name, &person) &&
           text_add(reading, &reading->rules->people[person].conflicts,
                    reading->line->words[2].name);
}

static bool owner_read(const struct reading *reading)
{
    struct router_rules *rules = reading->rules;
    uint32_t person;
    if (!name_sound(reading, 1) || !name_sound(reading, 2) ||
        !person_named(reading, 2, reading->line->words[2].name, &person)) {
        return false;
    }
    if (rules->owner_count == ROUTER_OWNERS_MAX) {
        return refuse_at(reading, 1, "more than 1000000 owners");
    }
    struct router_owner *owners = grown(reading, rules->owners, rules->owner_count,
                                        &rules->owner_room, sizeof *rules->owners);
    if (owners == NULL) {
        return false;
    }
    rules->owners = owners;
    owners[rules->owner_count] =
        (struct router_owner){strdup(reading->line->words[1].name), person};
    return owners[rules->owner_count++].account != NULL || memory_out(reading);
}

static bool deadline_read(const struct reading *reading)
{
    double ms = 0;
    if (reading->line->count != 2 || reading->line->words[1].value != NULL) {
        return refuse_at(reading, 1, "one number of ms is wanted");
    }
    reading->line->words[1].value = reading->line->words[1].name;
    bool good = number_read(reading, 1, 1, 60000, &ms);
    reading->rules->deadline_ms = good ? (unsigned)ms : 0;
    return good;
}

static bool line_read(const struct reading *reading)
{
    const char *word = reading->line->words[0].name;
    if (strcmp(word, "person") == 0) {
        return person_read(reading);
    }
    if (strcmp(word, "rule") == 0) {
        return rule_read(reading);
    }
    if (strcmp(word, "owner") == 0) {
        return owner_read(reading);
    }
    if (strcmp(word, "conflict") == 0) {
        return conflict_read(reading);
    }
    if (strcmp(word, "deadline") == 0) {
        return deadline_read(reading);
    }
    if (strcmp(word, "default") == 0) {
        return options_read(reading, 1, "grade and p", default_take, reading->rules);
    }
    if (strcmp(word, "member") == 0) {
        return options_read(reading, 1, "territory and segment", member_take, reading->rules);
    }
    return router_refuse(
        reading->fault, reading->line->number, reading->line->words[0].column,
        "'%.64s' is none of default, deadline, member, person, conflict, owner and "
        "rule",
        word);
}

static int owners_compare(const void *a, const void *b)
{
    return strcmp(((const struct router_owner *)a)->account,
                  ((const struct router_owner *)b)->account);
}

/* What only the whole file can say. */
static bool whole_check(const struct reading *reading)
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
    struct reading reading = {.rules = rules, .line = line, .fault = fault};
    bool good = rules != NULL && line != NULL;
    *fault = (struct router_fault){.line = 0};
    if (!good) {
        (void)memory_out(&reading);
    } else {
        rules->default_grade = 'D';
        rules->deadline_ms = 200;
        good = text_put(&reading, &rules->territory_member, "country") &&
               text_put(&reading, &rules->segment_member, "industry");
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

static void texts_free(struct router_texts *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->texts[i]);
    }
    free(list->texts);
}

void router_rules_destroy(struct router_rules *rules)
{
    if (rules == NULL) {
        return;
    }
    for (size_t i = 0; i < rules->person_count; i++) {
        free(rules->people[i].name);
        free(rules->people[i].team);
        texts_free(&rules->people[i].territories);
        texts_free(&rules->people[i].conflicts);
    }
    for (size_t i = 0; i < rules->rule_count; i++) {
        free(rules->rules[i].name);
        free(rules->rules[i].people);
        texts_free(&rules->rules[i].territories);
        texts_free(&rules->rules[i].segments);
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
