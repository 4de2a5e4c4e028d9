/* SPDX-License-Identifier: Apache-2.0 */
/* A decision is one block: the struct, its text, and what is told, each with a zero behind it. */
#include "client/router/router_told.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_ROOM = 1024 };

void router_told_candidate(struct router_told *told, const char *name)
{
    size_t room = sizeof told->candidates - told->candidate_bytes;
    int bytes = snprintf(told->candidates + told->candidate_bytes, room, " %s", name);
    told->candidate_bytes += (size_t)bytes < room ? (size_t)bytes : room - 1;
}

/* Bytes of the label, cut between characters. */
static size_t label_make(const struct router_told *told, char label[LABEL_ROOM])
{
    int used = snprintf(
        label, LABEL_ROOM, "%.100s, %s; p %.6f fit %.1f grade %s icp %lld%s%s%.60s; by %s; of%s",
        told->rule, told->way, told->p, told->fit, told->grade, (long long)told->icp,
        told->is_default ? " default" : "", told->segment[0] != '\0' ? "; segment " : "",
        told->segment, told->matched, told->candidates);
    size_t bytes = (size_t)used;
    if (bytes > ROUTER_LABEL_BYTES_MAX) {
        bytes = ROUTER_LABEL_BYTES_MAX;
        while (bytes > 0 && ((unsigned char)label[bytes] & 0xc0) == 0x80) {
            bytes--;
        }
    }
    label[bytes] = '\0';
    return bytes;
}

static const char *put(char **at, const char *text, size_t bytes)
{
    char *begin = *at;
    memcpy(begin, text, bytes);
    begin[bytes] = '\0';
    *at = begin + bytes + 1;
    return begin;
}

struct router_decision *router_told_keep(const struct router_told *told, const char *text,
                                         size_t bytes)
{
    char label[LABEL_ROOM];
    size_t label_bytes = label_make(told, label);
    size_t id = strlen(told->id);
    size_t person = strlen(told->person);
    size_t account = strlen(told->account);
    size_t key = strlen(told->key);
    struct router_decision *decision =
        malloc(sizeof *decision + bytes + label_bytes + id + person + account + key + 6);
    if (decision == NULL) {
        return NULL;
    }
    char *at = (char *)(decision + 1);
    *decision = (struct router_decision){.holders = 1,
                                         .bytes = (uint32_t)bytes,
                                         .at_ms = told->at_ms,
                                         .p_thousandths = (int64_t)floor(told->p * 1000 + 0.5)};
    decision->text = put(&at, text, bytes);
    decision->id = put(&at, told->id, id);
    decision->person = put(&at, told->person, person);
    decision->account = put(&at, told->account, account);
    decision->key = put(&at, told->key, key);
    decision->label = put(&at, label, label_bytes);
    return decision;
}

static const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text == NULL ? "" : text;
}

struct router_decision *router_decision_read(const json_t *json, const char *text, size_t bytes)
{
    struct router_told told = {
        .id = text_of(json, "id"),
        .person = text_of(json, "person"),
        .account = text_of(json, "account"),
        .key = text_of(json, "key"),
        .rule = text_of(json, "rule"),
        .way = text_of(json, "way"),
        .segment = text_of(json, "segment"),
        .matched = text_of(json, "matched"),
        .grade = {text_of(json, "grade")[0], '\0'},
        .p = json_number_value(json_object_get(json, "p")),
        .fit = json_number_value(json_object_get(json, "fit")),
        .at_ms = json_integer_value(json_object_get(json, "at_ms")),
        .icp = json_integer_value(json_object_get(json, "icp")),
        .is_default = json_is_true(json_object_get(json, "default")),
    };
    const json_t *candidates = json_object_get(json, "candidates");
    const json_t *one;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)candidates, i, one)
    {
        router_told_candidate(&told, json_is_string(one) ? json_string_value(one) : "");
    }
    return told.id[0] != '\0' ? router_told_keep(&told, text, bytes) : NULL;
}

struct router_decision *router_decision_hold(struct router_decision *decision)
{
    decision->holders++;
    return decision;
}

void router_decision_drop(struct router_decision *decision)
{
    if (decision != NULL && --decision->holders == 0) {
        free(decision);
    }
}
