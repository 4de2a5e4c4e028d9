/* SPDX-License-Identifier: Apache-2.0 */
#include "server/tal/tal_document.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "proto/table.h"

static const char opening[] = "{\"digest\":\"";
enum { OPENING_BYTES = sizeof opening - 1, COVERED_FROM = OPENING_BYTES + TAL_DIGEST_CHARS + 1 };

static void digest_work_out(struct proto_span text, char digest[TAL_DIGEST_CHARS + 1])
{
    uint64_t hash = XXH3_64bits(text.data + COVERED_FROM, text.bytes - COVERED_FROM);
    snprintf(digest, TAL_DIGEST_CHARS + 1, "%016" PRIx64, hash);
}

char *tal_document_print(const json_t *body, size_t *bytes, struct proto_fault *fault)
{
    char *text = NULL;
    char *members = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (members) {
        /* The members' own opening bracket becomes the comma behind the digest. */
        *bytes = COVERED_FROM + strlen(members);
        text = malloc(*bytes + 1);
    }
    if (!text) {
        free(members);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
        return NULL;
    }
    memcpy(text, opening, OPENING_BYTES);
    memset(text + OPENING_BYTES, '0', TAL_DIGEST_CHARS);
    text[COVERED_FROM - 1] = '"';
    memcpy(text + COVERED_FROM, members, strlen(members) + 1);
    text[COVERED_FROM] = ',';
    free(members);
    if (*bytes > PROTO_DOCUMENT_BYTES_MAX) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "k", "the list takes %zu bytes, at most %d fit",
                        *bytes, PROTO_DOCUMENT_BYTES_MAX);
        free(text);
        return NULL;
    }
    char digest[TAL_DIGEST_CHARS + 1];
    digest_work_out((struct proto_span){(const uint8_t *)text, *bytes}, digest);
    memcpy(text + OPENING_BYTES, digest, TAL_DIGEST_CHARS);
    return text;
}

void tal_document_digest(struct proto_span text, char digest[TAL_DIGEST_CHARS + 1])
{
    memcpy(digest, text.data + OPENING_BYTES, TAL_DIGEST_CHARS);
    digest[TAL_DIGEST_CHARS] = '\0';
}

bool tal_document_sound(struct proto_span text)
{
    char digest[TAL_DIGEST_CHARS + 1];
    if (text.bytes <= COVERED_FROM || memcmp(text.data, opening, OPENING_BYTES) != 0 ||
        text.data[COVERED_FROM - 1] != '"') {
        return false;
    }
    digest_work_out(text, digest);
    return memcmp(text.data + OPENING_BYTES, digest, TAL_DIGEST_CHARS) == 0;
}

static json_t *load(const char *text, size_t bytes, struct proto_fault *fault)
{
    json_error_t error;
    json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
    if (!json || !json_is_object(json) || !json_is_string(json_object_get(json, "name"))) {
        json_decref(json);
        proto_fault_set(fault, PROTO_CORRUPT, "tal", "this is not the document of a list");
        return NULL;
    }
    return json;
}

json_t *tal_document_open(struct proto_span text, struct proto_fault *fault)
{
    if (!tal_document_sound(text)) {
        proto_fault_set(fault, PROTO_CORRUPT, "tal", "the list does not match its digest");
        return NULL;
    }
    json_t *json = load((const char *)text.data, text.bytes, fault);
    if (json && !json_is_array(json_object_get(json, "entries"))) {
        json_decref(json);
        proto_fault_set(fault, PROTO_CORRUPT, "tal", "the list has no entries");
        return NULL;
    }
    return json;
}

json_t *tal_document_head(struct proto_span text, struct proto_fault *fault)
{
    /* Quotes within texts are escaped, so this stands nowhere but before the entries. */
    static const char mark[] = ",\"entries\":[";
    const uint8_t *at =
        text.bytes > 0 ? memmem(text.data, text.bytes, mark, sizeof mark - 1) : NULL;
    if (!at) {
        proto_fault_set(fault, PROTO_CORRUPT, "tal", "this is not the document of a list");
        return NULL;
    }
    size_t bytes = (size_t)(at - text.data);
    char *head = malloc(bytes + 1);
    if (!head) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
        return NULL;
    }
    memcpy(head, text.data, bytes);
    head[bytes] = '}';
    json_t *json = load(head, bytes + 1, fault);
    free(head);
    return json;
}

/* An id and where it stands. */
struct place {
    const char *id;
    int64_t at;
};

static int compare_places(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->id, ((const struct place *)b)->id);
}

static struct place *places_sorted(const json_t *entries)
{
    size_t count = json_array_size(entries);
    struct place *places = calloc(count + 1, sizeof *places);
    for (size_t i = 0; places && i < count; i++) {
        const char *id = json_string_value(json_object_get(json_array_get(entries, i), "id"));
        places[i] = (struct place){id ? id : "", (int64_t)i};
    }
    if (places) {
        qsort(places, count, sizeof *places, compare_places);
    }
    return places;
}

/* First all of a in its order, with their places on b; then those of b that a has not. */
static void pairs_fill(struct tal_difference *difference, const struct place *a, size_t a_count,
                       const struct place *b, size_t b_count)
{
    struct tal_pair *pairs = difference->pairs;
    for (size_t i = 0; i < a_count; i++) {
        const struct place *other = bsearch(&a[i], b, b_count, sizeof *b, compare_places);
        pairs[a[i].at] = (struct tal_pair){a[i].at, other ? other->at : -1};
        difference->both += other != NULL;
    }
    for (size_t i = 0; i < b_count; i++) {
        if (!bsearch(&b[i], a, a_count, sizeof *a, compare_places)) {
            /* In the order of ids for now; the caller sorts them by rank. */
            pairs[a_count + difference->only_b++] = (struct tal_pair){-1, b[i].at};
        }
    }
    difference->only_a = a_count - difference->both;
    difference->count = a_count + difference->only_b;
}

static int compare_b(const void *a, const void *b)
{
    int64_t x = ((const struct tal_pair *)a)->b;
    int64_t y = ((const struct tal_pair *)b)->b;
    return (x > y) - (x < y);
}

bool tal_compare(const json_t *a, const json_t *b, struct tal_difference *difference,
                 struct proto_fault *fault)
{
    const json_t *entries_a = json_object_get(a, "entries");
    const json_t *entries_b = json_object_get(b, "entries");
    size_t a_count = json_array_size(entries_a);
    size_t b_count = json_array_size(entries_b);
    struct place *places_a = places_sorted(entries_a);
    struct place *places_b = places_sorted(entries_b);
    *difference = (struct tal_difference){0};
    difference->pairs = calloc(a_count + b_count + 1, sizeof *difference->pairs);
    bool ok = places_a && places_b && difference->pairs;
    if (ok) {
        pairs_fill(difference, places_a, a_count, places_b, b_count);
        qsort(difference->pairs + a_count, difference->only_b, sizeof *difference->pairs,
              compare_b);
    } else {
        tal_difference_fini(difference);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to compare lists");
    }
    free(places_a);
    free(places_b);
    return ok;
}

void tal_difference_fini(struct tal_difference *difference)
{
    free(difference->pairs);
    *difference = (struct tal_difference){0};
}
