/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a router: who there is, which leads go to whom, who owns what. A file of lines, each
 * a word and what belongs to it; what stands behind # is for people.
 *
 *     default grade=C p=0.10                 what a lead is worth while icpd is slow or away
 *     deadline 200                           ms within which each lead is answered
 *     member territory=country segment=industry   values of a lead that say these
 *     person ann weight=3 capacity=40 territory=DE,AT team=emea
 *     person bo active=no
 *     conflict ann acme.com                  an account id, a key or a domain that she must not get
 *     owner acme ann                         an account that is somebody's already, by the same
 *     rule enterprise grade=A,B fit=70 territory=DE,AT segment=Bank to=ann,bo
 *     rule rest to=ann,bo
 *
 * The first rule that a lead fits decides who may get it. A value with blanks stands in double
 * quotes. Capacity is leads a day of UTC; left out or 0, there is no bound; weight left out is 1.
 *
 * Ownership: router_rules_destroy. Errors: NULL with *fault: line, column, what would be right; an
 * unknown word names those there are. Threads: pure. Cost: some 200 ns a word. */
#ifndef ROUTER_RULES_H
#define ROUTER_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ROUTER_PEOPLE_MAX = 1000, /* and rules: each lead looks at all of a rule */
    ROUTER_OWNERS_MAX = 1000000,
    ROUTER_NAME_BYTES_MAX = 127 /* icpd's for a person of an event */
};

struct router_fault {
    size_t line, column; /* from 1; 0: of the whole file */
    char message[256];
};

/* Texts in the order in which they came. */
struct router_texts {
    char **texts;
    size_t count, room;
};

struct router_person {
    char *name, *team;
    double weight;
    unsigned capacity; /* leads a day; 0: any */
    bool active;
    struct router_texts territories; /* empty: everywhere */
    struct router_texts conflicts;
};

struct router_rule {
    char *name;
    char grades[5]; /* of ABCD; empty: any */
    double fit_min;
    struct router_texts territories, segments; /* empty: any */
    uint32_t *people;
    size_t person_count;
};

struct router_owner {
    char *account; /* an id, a key or a domain */
    uint32_t person;
};

struct router_rules {
    struct router_person *people;
    size_t person_count, person_room;
    struct router_rule *rules;
    size_t rule_count, rule_room;
    struct router_owner *owners; /* sorted by account */
    size_t owner_count, owner_room;
    char default_grade;
    double default_p;
    unsigned deadline_ms;
    char *territory_member, *segment_member;
};

struct router_rules *router_rules_read(const char *text, size_t bytes, struct router_fault *fault);
void router_rules_destroy(struct router_rules *rules); /* NULL is fine */

/* Places, or the counts where there is none. */
size_t router_person_find(const struct router_rules *rules, const char *name);
/* The person who owns it; person_count: nobody. */
size_t router_owner_find(const struct router_rules *rules, const char *account);
bool router_texts_have(const struct router_texts *texts, const char *text);
void router_texts_free(struct router_texts *list);

#endif
