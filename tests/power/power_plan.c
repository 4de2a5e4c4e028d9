/* SPDX-License-Identifier: Apache-2.0 */
/* Entries are made by the same functions as the server's, of bodies as a client sends them. */
#include "tests/power/power_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/term/term_key.h"
#include "server/term/term_plan.h"

enum { SIGNATORIES = 3, BODY_BYTES = 600 };

static const char *const functions[SIGNATORIES] = {"sales", "marketing", "success"};
static const char digits[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct power_plan {
    struct term_plan plan;
    char *lines[POWER_PLAN_ENTRIES];
    size_t bytes[POWER_PLAN_ENTRIES];
    uint32_t count;
};

struct power_chain {
    struct term_plan plan;
};

static _Noreturn void broken(const char *what, const struct proto_fault *fault)
{
    fprintf(stderr, "power: %s: %s\n", what, fault->message);
    abort();
}

static struct term_key *key_of(unsigned who)
{
    struct proto_fault fault;
    uint8_t seed[TERM_KEY_BYTES] = {(uint8_t)(who + 1)};
    struct term_key *key = term_key_of(seed, &fault);
    if (key == NULL) {
        broken("a key", &fault);
    }
    return key;
}

static json_t *body_of(const char *text)
{
    json_t *body = json_loads(text, 0, NULL);
    if (body == NULL) {
        abort();
    }
    return body;
}

/* Takes the body. */
static void add(struct power_plan *made, const char *act, json_t *body)
{
    struct proto_fault fault;
    uint32_t at = made->count++;
    made->lines[at] =
        term_plan_add(&made->plan, act, 1798761600000 + (int64_t)at * 1000,
                      proto_span_text("ann from 127.0.0.1"), body, &made->bytes[at], &fault);
    json_decref(body);
    if (made->lines[at] == NULL) {
        broken(act, &fault);
    }
}

static void hex_set(json_t *body, const char *name, const uint8_t *bytes, size_t count)
{
    char hex[2 * TERM_SIGNATURE_BYTES + 1];
    term_hex_print(bytes, count, hex);
    (void)json_object_set_new(body, name, json_string(hex));
}

static void add_signed(struct power_plan *made, const char *act, json_t *body, unsigned who)
{
    struct proto_fault fault;
    uint8_t signature[TERM_SIGNATURE_BYTES];
    size_t bytes = 0;
    struct term_key *key = key_of(who);
    (void)json_object_set_new(body, "function", json_string(functions[who]));
    hex_set(body, "covers", made->plan.head.bytes, TERM_HASH_BYTES);
    char *text = term_statement(made->plan.name, act, body, &bytes, &fault);
    if (text == NULL ||
        !term_key_sign(key, (struct proto_span){(const uint8_t *)text, bytes}, signature, &fault)) {
        broken("a signature", &fault);
    }
    term_key_destroy(key);
    free(text);
    hex_set(body, "signature", signature, sizeof signature);
    add(made, act, body);
}

static void signatory_add(struct power_plan *made, unsigned who)
{
    struct proto_fault fault;
    uint8_t public[TERM_KEY_BYTES];
    struct term_key *key = key_of(who);
    if (!term_key_public(key, public, &fault)) {
        broken("a public key", &fault);
    }
    term_key_destroy(key);
    json_t *body = json_pack("{s:s, s:s}", "function", functions[who], "person", "Ann");
    hex_set(body, "key", public, sizeof public);
    add(made, "signatory", body);
}

static void terms_add(struct power_plan *made)
{
    char text[BODY_BYTES];
    snprintf(text, sizeof text,
             "{\"from\":\"2027-01-01\",\"to\":\"2027-12-31\",\"icp\":{\"version\":3,\"sha256\":"
             "\"%s\"},\"layers\":[\"profile\"],\"stages\":[\"renewal\"]}",
             digits);
    add(made, "create", body_of(text));
    add(made, "owner",
        body_of("{\"kind\":\"layer\",\"name\":\"profile\",\"owner\":\"Ines\",\"budget\":\"1 EUR\","
                "\"metric\":\"AUC\"}"));
    add(made, "owner",
        body_of("{\"kind\":\"stage\",\"name\":\"renewal\",\"owner\":\"Ines\",\"budget\":\"1 EUR\","
                "\"metric\":\"NRR\"}"));
    for (unsigned who = 0; who < SIGNATORIES; who++) {
        signatory_add(made, who);
    }
    add(made, "validate", body_of("{\"evidence\":\"held-out AUC 0.78\"}"));
    snprintf(text, sizeof text,
             "{\"tal\":\"2027-q1\",\"digest\":\"d8f36422eb17b5e7\",\"icp\":3,\"count\":500,"
             "\"root\":\"%s\"}",
             digits);
    add(made, "list", body_of(text));
}

struct power_plan *power_plan_create(void)
{
    struct proto_fault fault;
    struct power_plan *made = calloc(1, sizeof *made);
    if (made == NULL || !term_plan_init(&made->plan, proto_span_text("2027"), &fault)) {
        abort();
    }
    terms_add(made);
    for (unsigned who = 0; who < SIGNATORIES; who++) {
        add_signed(made, "sign", json_object(), who);
    }
    add(made, "commit", json_object());
    for (unsigned turn = 0; made->count < POWER_PLAN_ENTRIES; turn++) {
        json_t *body = json_pack("{s:s, s:s}", "path", "share", "reason", "one more look");
        json_t *before = (json_t *)(uintptr_t)term_plan_at(&made->plan, "share");
        (void)json_object_set_new(body, "before",
                                  before == NULL ? json_null() : json_incref(before));
        (void)json_object_set_new(body, "after", json_real((1 + turn % 98) / 128.0));
        add_signed(made, "amend", body, turn % SIGNATORIES);
    }
    return made;
}

void power_plan_destroy(struct power_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        free(plan->lines[i]);
    }
    term_plan_fini(&plan->plan);
    free(plan);
}

struct proto_span power_plan_line(const struct power_plan *plan, uint32_t number)
{
    return (struct proto_span){(const uint8_t *)plan->lines[number - 1], plan->bytes[number - 1]};
}

struct power_chain *power_chain_begin(void)
{
    struct proto_fault fault;
    struct power_chain *chain = calloc(1, sizeof *chain);
    if (chain == NULL || !term_plan_init(&chain->plan, proto_span_text("2027"), &fault)) {
        abort();
    }
    return chain;
}

bool power_chain_take(struct power_chain *chain, struct proto_span line, struct proto_fault *fault)
{
    return term_plan_take(&chain->plan, line, fault);
}

void power_chain_end(struct power_chain *chain)
{
    term_plan_fini(&chain->plan);
    free(chain);
}
