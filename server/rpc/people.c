/* SPDX-License-Identifier: Apache-2.0 */
/* A list under a lock and two rings. A ring is written by whoever answered a request and read from
 * a position on; who reads too seldom sees a gap between the position asked for and the first one
 * that is given. */
#include "server/rpc/people.h"

#include <stdio.h>
#include <stdlib.h>

bool rpc_people_init(struct rpc_people *people)
{
    /* 0 asks to begin now, so no position to go on from may be 0. */
    *people = (struct rpc_people){
        .slow.room = PEOPLE_SLOW, .seen.room = PEOPLE_MONITOR, .seen.written = 1};
    people->slow.records = calloc(PEOPLE_SLOW, sizeof *people->slow.records);
    people->seen.records = calloc(PEOPLE_MONITOR, sizeof *people->seen.records);
    people->left = calloc(PEOPLE_LEFT, sizeof *people->left);
    if (people->slow.records && people->seen.records && people->left &&
        pthread_mutex_init(&people->lock, NULL) == 0) {
        return true;
    }
    free(people->slow.records);
    free(people->seen.records);
    free(people->left);
    *people = (struct rpc_people){0};
    return false;
}

void rpc_people_fini(struct rpc_people *people)
{
    if (people->slow.room == 0) {
        return;
    }
    free(people->slow.records);
    free(people->seen.records);
    free(people->left);
    pthread_mutex_destroy(&people->lock);
}

struct rpc_person *rpc_person_create(struct rpc_people *people, const char *address, int64_t now_ms)
{
    struct rpc_person *person = calloc(1, sizeof *person);
    if (!person) {
        return NULL;
    }
    person->people = people;
    person->since_ms = now_ms;
    size_t bytes = strnlen(address, sizeof person->address - 1);
    memcpy(person->address, address, bytes);
    pthread_mutex_lock(&people->lock);
    person->number = ++people->numbers;
    person->next = people->first;
    if (person->next) {
        person->next->previous = person;
    }
    people->first = person;
    people->count++;
    pthread_mutex_unlock(&people->lock);
    return person;
}

void rpc_person_destroy(struct rpc_person *person)
{
    if (!person) {
        return;
    }
    struct rpc_people *people = person->people;
    pthread_mutex_lock(&people->lock);
    if (person->previous) {
        person->previous->next = person->next;
    } else {
        people->first = person->next;
    }
    if (person->next) {
        person->next->previous = person->previous;
    }
    people->count--;
    if (person->names.client[0] != '\0' || person->names.token[0] != '\0') {
        struct rpc_left *left = &people->left[people->left_count++ % PEOPLE_LEFT];
        left->number = person->number;
        left->names = person->names;
    }
    pthread_mutex_unlock(&people->lock);
    free(person);
}

void rpc_person_name(struct rpc_person *person, const char *client, const char *token,
                     enum proto_role role)
{
    if (!person) {
        return;
    }
    pthread_mutex_lock(&person->people->lock);
    size_t bytes = strnlen(client, sizeof person->names.client - 1);
    memcpy(person->names.client, client, bytes);
    person->names.client[bytes] = '\0';
    bytes = strnlen(token, sizeof person->names.token - 1);
    memcpy(person->names.token, token, bytes);
    person->names.token[bytes] = '\0';
    pthread_mutex_unlock(&person->people->lock);
    atomic_store_explicit(&person->role, (uint8_t)role, memory_order_relaxed);
}

void rpc_person_author(const struct rpc_person *person, char *out, size_t out_bytes)
{
    if (!person) {
        out[0] = '\0';
        return;
    }
    /* What the client chose comes first, so that it cannot pass for what is known of it. */
    const char *between = person->names.token[0] != '\0' ? ", token " : "";
    if (person->names.client[0] == '\0') {
        snprintf(out, out_bytes, "%s%s%s", person->address, between, person->names.token);
    } else {
        snprintf(out, out_bytes, "%s (%s%s%s)", person->names.client, person->address, between,
                 person->names.token);
    }
}

static void ring_write(struct rpc_ring *ring, const struct rpc_record *record)
{
    struct rpc_record *at = &ring->records[ring->written++ % ring->room];
    *at = *record;
    at->position = ring->written;
}

void rpc_people_record(struct rpc_people *people, const struct rpc_record *record, bool slow)
{
    pthread_mutex_lock(&people->lock);
    ring_write(&people->seen, record);
    if (slow) {
        ring_write(&people->slow, record);
    }
    pthread_mutex_unlock(&people->lock);
}

size_t rpc_people_read(struct rpc_people *people, struct rpc_ring *ring, uint64_t after,
                       struct rpc_record *out, size_t room, uint64_t *last)
{
    size_t count = 0;
    pthread_mutex_lock(&people->lock);
    uint64_t oldest = ring->written > ring->room ? ring->written - ring->room : 0;
    /* A position from before a restart lies beyond the end: begin anew. */
    uint64_t at = after > ring->written || after < oldest ? oldest : after;
    for (; at < ring->written && count < room; at++) {
        out[count++] = ring->records[at % ring->room];
    }
    *last = ring->written;
    pthread_mutex_unlock(&people->lock);
    return count;
}

/* Under the lock; NULL: not there. */
static const struct rpc_names *person_find(const struct rpc_people *people, uint64_t connection)
{
    for (const struct rpc_person *person = people->first; person; person = person->next) {
        if (person->number == connection) {
            return &person->names;
        }
    }
    return NULL;
}

static const struct rpc_names *left_find(const struct rpc_people *people, uint64_t connection)
{
    uint64_t count = people->left_count < PEOPLE_LEFT ? people->left_count : PEOPLE_LEFT;
    for (uint64_t i = 0; i < count; i++) {
        if (people->left[i].number == connection) {
            return &people->left[i].names;
        }
    }
    return NULL;
}

void rpc_people_names(struct rpc_people *people, uint64_t connection, struct rpc_names *out)
{
    *out = (struct rpc_names){0};
    pthread_mutex_lock(&people->lock);
    const struct rpc_names *found = person_find(people, connection);
    found = found ? found : left_find(people, connection);
    if (found) {
        *out = *found;
    }
    pthread_mutex_unlock(&people->lock);
}
