/* SPDX-License-Identifier: Apache-2.0 */
/* An act is looked up, then whether the plan is as far as it wants, then its body is read member by
 * member, then the terms change. A change before the commitment makes every signature void, so that
 * nobody has signed what stands there by then; after it only an amendment changes a term, says what
 * it was, and is signed by a signatory itself. */
#include "server/term/term_rule.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/feature/date_text.h"
#include "server/feature/json_text.h"
#include "server/term/term_key.h"

enum { WORDS_BYTES_MAX = 1024, PATH_BYTES_MAX = WORDS_BYTES_MAX + 16, NAMES_MAX = 64 };

struct taking {
    struct term_plan *plan;
    const char *act;
    const json_t *body;
    uint32_t number;
    struct proto_fault *fault;
};

static bool refuse(const struct taking *taking, const char *member, const char *what)
{
    return proto_fault_set(taking->fault, PROTO_BAD_FIELD, member, "\"%s\" %s", member, what);
}

static bool memory_out(const struct taking *taking)
{
    return proto_fault_set(taking->fault, PROTO_NO_MEMORY, "", "no memory for a plan");
}

/* Takes the value. */
static bool keep(const struct taking *taking, json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0 || memory_out(taking);
}

static bool words_sound(const json_t *value, size_t bytes_max)
{
    size_t bytes = json_string_length(value);
    const char *text = json_string_value(value);
    bool good = json_is_string(value) && bytes > 0 && bytes <= bytes_max;
    for (size_t i = 0; good && i < bytes; i++) {
        good = (unsigned char)text[i] >= ' ' || text[i] == '\n' || text[i] == '\t';
    }
    return good;
}

static const char *words_within(const struct taking *taking, const json_t *object, const char *name,
                                size_t bytes_max)
{
    const json_t *value = json_object_get(object, name);
    if (words_sound(value, bytes_max)) {
        return json_string_value(value);
    }
    proto_fault_set(taking->fault, PROTO_BAD_FIELD, name,
                    "\"%s\" must be a text of 1 to %zu bytes without control characters but line "
                    "ends and tabs",
                    name, bytes_max);
    return NULL;
}

/* A text for people; NULL with *fault. */
static const char *words(const struct taking *taking, const json_t *object, const char *name)
{
    return words_within(taking, object, name, WORDS_BYTES_MAX);
}

static bool members_known(const struct taking *taking, const json_t *object,
                          const char *const *names, size_t count)
{
    return json_is_object(object)
               ? feature_json_members_known(object, names, count, PROTO_BAD_FIELD, taking->fault)
               : proto_fault_set(taking->fault, PROTO_BAD_FIELD, "body",
                                 "what an entry says must be an object");
}

static bool hex_sound(const json_t *value, size_t count)
{
    uint8_t bytes[TERM_SIGNATURE_BYTES];
    return json_is_string(value) && term_hex_read(feature_json_span(value), bytes, count);
}

static bool date_sound(const json_t *value)
{
    int64_t ms;
    bool whole_day;
    return json_is_string(value) && json_string_length(value) == 10 &&
           feature_date_read(feature_json_span(value), &ms, &whole_day) && whole_day;
}

static bool dates_sound(const struct taking *taking, const json_t *from, const json_t *to)
{
    if (!date_sound(from)) {
        return refuse(taking, "from", "must be a day, such as 2027-01-01");
    }
    if (!date_sound(to)) {
        return refuse(taking, "to", "must be a day, such as 2027-12-31");
    }
    return strcmp(json_string_value(from), json_string_value(to)) < 0 ||
           refuse(taking, "to", "must be a day after \"from\"");
}

/* How far a plan is that does not bind yet, by what it has. */
static void state_find(struct term_plan *plan)
{
    const json_t *signatories = json_object_get(plan->terms, "signatories");
    bool list = json_is_object(json_object_get(plan->terms, "list"));
    bool evidence = json_is_string(json_object_get(plan->terms, "evidence"));
    bool everybody = json_object_size(signatories) > 0 &&
                     json_object_size(plan->signed_by) == json_object_size(signatories);
    plan->state = list && everybody ? TERM_STATE_SIGNED
                  : list            ? TERM_STATE_LIST
                  : evidence        ? TERM_STATE_VALIDATED
                                    : TERM_STATE_FIT;
}

static bool changed(const struct taking *taking)
{
    json_object_clear(taking->plan->signed_by);
    state_find(taking->plan);
    return true;
}

static bool registry_make(const struct taking *taking, const char *name)
{
    const json_t *given = json_object_get(taking->body, name);
    json_t *registry = json_object();
    bool good = registry != NULL || memory_out(taking);
    if (good && (!json_is_array(given) || json_array_size(given) == 0 ||
                 json_array_size(given) > NAMES_MAX)) {
        good = proto_fault_set(taking->fault, PROTO_BAD_FIELD, name,
                               "\"%s\" must name 1 to %d of them", name, NAMES_MAX);
    }
    for (size_t i = 0; good && i < json_array_size(given); i++) {
        const json_t *one = json_array_get(given, i);
        good = words_sound(one, WORDS_BYTES_MAX) ||
               refuse(taking, name, "must hold texts that are not empty");
        good = good && (json_object_get(registry, json_string_value(one)) == NULL ||
                        refuse(taking, name, "names one of them twice"));
        good = good && keep(taking, registry, json_string_value(one), json_null());
    }
    if (!good) {
        json_decref(registry);
        return false;
    }
    return keep(taking, taking->plan->terms, name, registry);
}

static bool icp_sound(const struct taking *taking, const json_t *icp)
{
    static const char *const names[] = {"version", "sha256"};
    return members_known(taking, icp, names, 2) &&
           ((json_is_integer(json_object_get(icp, "version")) &&
             json_integer_value(json_object_get(icp, "version")) > 0 &&
             hex_sound(json_object_get(icp, "sha256"), TERM_HASH_BYTES)) ||
            refuse(taking, "icp", "must have version and sha256"));
}

/* Of the work that goes to the list; all of it nobody can keep. */
static bool share_sound(const struct taking *taking, const json_t *share)
{
    double value = json_number_value(share);
    return (json_is_number(share) && value > 0 && value < 1) ||
           refuse(taking, "share", "must be a number between 0 and 1, such as 0.6");
}

static bool create_take(const struct taking *taking)
{
    static const char *const names[] = {"from", "to", "icp", "layers", "stages", "note", "share"};
    json_t *terms = taking->plan->terms;
    json_t *from = json_object_get(taking->body, "from");
    json_t *to = json_object_get(taking->body, "to");
    json_t *icp = json_object_get(taking->body, "icp");
    json_t *note = json_object_get(taking->body, "note");
    json_t *share = json_object_get(taking->body, "share");
    if (taking->number != 1) {
        return proto_fault_set(taking->fault, PROTO_CONFLICT, "name",
                               "there is a plan of this name already");
    }
    return members_known(taking, taking->body, names, 7) && dates_sound(taking, from, to) &&
           icp_sound(taking, icp) && registry_make(taking, "layers") &&
           registry_make(taking, "stages") &&
           (note == NULL || words(taking, taking->body, "note") != NULL) &&
           (share == NULL || share_sound(taking, share)) &&
           keep(taking, terms, "from", json_incref(from)) &&
           keep(taking, terms, "to", json_incref(to)) &&
           keep(taking, terms, "icp", json_incref(icp)) &&
           (note == NULL || keep(taking, terms, "note", json_incref(note))) &&
           (share == NULL || keep(taking, terms, "share", json_incref(share))) &&
           keep(taking, terms, "signatories", json_object()) &&
           keep(taking, terms, "list", json_null()) && keep(taking, terms, "evidence", json_null());
}

/* What was kept before a later member was refused is let go of: nothing was begun. */
static bool on_CREATE(const struct taking *taking)
{
    if (create_take(taking)) {
        return true;
    }
    if (taking->number == 1) {
        json_object_clear(taking->plan->terms);
    }
    return false;
}

static bool owner_sound(const struct taking *taking, const json_t *object)
{
    return words(taking, object, "owner") != NULL && words(taking, object, "budget") != NULL &&
           words(taking, object, "metric") != NULL;
}

static bool on_OWNER(const struct taking *taking)
{
    static const char *const names[] = {"kind", "name", "owner", "budget", "metric"};
    const char *kind = json_string_value(json_object_get(taking->body, "kind"));
    if (!members_known(taking, taking->body, names, 5) || !owner_sound(taking, taking->body)) {
        return false;
    }
    bool layer = kind != NULL && strcmp(kind, "layer") == 0;
    if (!layer && (kind == NULL || strcmp(kind, "stage") != 0)) {
        return refuse(taking, "kind", "must be layer or stage");
    }
    const char *name = words(taking, taking->body, "name");
    json_t *registry = json_object_get(taking->plan->terms, layer ? "layers" : "stages");
    if (name == NULL || json_object_get(registry, name) == NULL) {
        return name != NULL && proto_fault_set(taking->fault, PROTO_NOT_FOUND, "name",
                                               "the plan has no %s \"%s\"", kind, name);
    }
    json_t *owner = json_copy((json_t *)(uintptr_t)taking->body);
    if (owner == NULL) {
        return memory_out(taking);
    }
    (void)json_object_del(owner, "kind");
    (void)json_object_del(owner, "name");
    return keep(taking, registry, name, owner) && changed(taking);
}

static bool signatory_sound(const struct taking *taking, const json_t *object)
{
    return words(taking, object, "person") != NULL &&
           (hex_sound(json_object_get(object, "key"), TERM_KEY_BYTES) ||
            refuse(taking, "key", "must be a public key, 64 hexadecimal digits"));
}

static bool on_SIGNATORY(const struct taking *taking)
{
    static const char *const names[] = {"function", "person", "key"};
    json_t *signatories = json_object_get(taking->plan->terms, "signatories");
    const char *function = words(taking, taking->body, "function");
    if (function == NULL || !members_known(taking, taking->body, names, 3) ||
        !signatory_sound(taking, taking->body)) {
        return false;
    }
    if (json_object_size(signatories) >= NAMES_MAX) {
        return refuse(taking, "function", "is one signatory too many");
    }
    json_t *signatory = json_copy((json_t *)(uintptr_t)taking->body);
    if (signatory == NULL) {
        return memory_out(taking);
    }
    (void)json_object_del(signatory, "function");
    return keep(taking, signatories, function, signatory) && changed(taking);
}

static bool on_VALIDATE(const struct taking *taking)
{
    static const char *const names[] = {"evidence"};
    return members_known(taking, taking->body, names, 1) &&
           words(taking, taking->body, "evidence") != NULL &&
           keep(taking, taking->plan->terms, "evidence",
                json_incref(json_object_get(taking->body, "evidence"))) &&
           changed(taking);
}

static bool list_sound(const struct taking *taking, const json_t *list)
{
    static const char *const names[] = {"tal", "digest", "icp", "count", "root"};
    const json_t *icp = json_object_get(json_object_get(taking->plan->terms, "icp"), "version");
    if (!members_known(taking, list, names, 5) || words(taking, list, "tal") == NULL) {
        return false;
    }
    if (!json_equal(json_object_get(list, "icp"), icp)) {
        return proto_fault_set(taking->fault, PROTO_CONFLICT, "tal",
                               "the plan is about ICP version %lld, and another built the list",
                               (long long)json_integer_value(icp));
    }
    return (hex_sound(json_object_get(list, "root"), TERM_HASH_BYTES) &&
            hex_sound(json_object_get(list, "digest"), 8) &&
            json_integer_value(json_object_get(list, "count")) > 0) ||
           refuse(taking, "list", "must have tal, digest, icp, count and root");
}

static bool on_LIST(const struct taking *taking)
{
    if (taking->plan->state == TERM_STATE_FIT) {
        return proto_fault_set(taking->fault, PROTO_CONFLICT, "",
                               "the plan is not validated yet: say first what shows that its ICP "
                               "holds (icp plan validate)");
    }
    return list_sound(taking, taking->body) &&
           keep(taking, taking->plan->terms, "list",
                json_copy((json_t *)(uintptr_t)taking->body)) &&
           changed(taking);
}

/* Whether the function that the body names signed it, over the history as it is. */
static bool signature_check(const struct taking *taking)
{
    uint8_t key[TERM_KEY_BYTES];
    uint8_t signature[TERM_SIGNATURE_BYTES];
    struct term_hash covers;
    bool good = false;
    size_t bytes = 0;
    const char *function = words(taking, taking->body, "function");
    const json_t *signatory = json_object_get(json_object_get(taking->plan->terms, "signatories"),
                                              function == NULL ? "" : function);
    const json_t *covered = json_object_get(taking->body, "covers");
    if (function == NULL || signatory == NULL) {
        return function != NULL &&
               proto_fault_set(taking->fault, PROTO_NOT_FOUND, "function",
                               "the plan has no signatory for \"%s\"", function);
    }
    if (!hex_sound(covered, TERM_HASH_BYTES) ||
        !hex_sound(json_object_get(taking->body, "signature"), TERM_SIGNATURE_BYTES)) {
        return refuse(taking, "signature", "and \"covers\" must be hexadecimal digits");
    }
    (void)term_hex_read(feature_json_span(covered), covers.bytes, TERM_HASH_BYTES);
    if (!term_hash_equal(&covers, &taking->plan->head)) {
        return proto_fault_set(taking->fault, PROTO_CONFLICT, "covers",
                               "the signature of \"%s\" covers another history than there is",
                               function);
    }
    (void)term_hex_read(feature_json_span(json_object_get(signatory, "key")), key, sizeof key);
    (void)term_hex_read(feature_json_span(json_object_get(taking->body, "signature")), signature,
                        sizeof signature);
    char *text =
        term_statement(taking->plan->name, taking->act, taking->body, &bytes, taking->fault);
    bool known =
        text != NULL && term_key_verify(key, (struct proto_span){(const uint8_t *)text, bytes},
                                        signature, &good, taking->fault);
    free(text);
    return known && (good || proto_fault_set(taking->fault, PROTO_DENIED, "signature",
                                             "the signature is not that of \"%s\"", function));
}

static bool on_SIGN(const struct taking *taking)
{
    static const char *const names[] = {"covers", "function", "signature"};
    const char *function = words(taking, taking->body, "function");
    if (!members_known(taking, taking->body, names, 3) || !signature_check(taking)) {
        return false;
    }
    if (json_object_get(taking->plan->signed_by, function) != NULL) {
        return proto_fault_set(taking->fault, PROTO_CONFLICT, "function",
                               "\"%s\" has signed already", function);
    }
    if (!keep(taking, taking->plan->signed_by, function, json_integer(taking->number))) {
        return false;
    }
    state_find(taking->plan);
    return true;
}

static bool on_COMMIT(const struct taking *taking)
{
    static const char *const names[] = {"note"};
    char ownerless[256];
    size_t count = term_plan_ownerless(taking->plan, ownerless, sizeof ownerless);
    if (count > 0) {
        return proto_fault_set(taking->fault, PROTO_CONFLICT, "",
                               "%zu of the plan's layers and stages have no owner: %s", count,
                               ownerless);
    }
    if (!members_known(taking, taking->body, names, 1) ||
        (json_object_get(taking->body, "note") != NULL &&
         words(taking, taking->body, "note") == NULL)) {
        return false;
    }
    taking->plan->state = TERM_STATE_COMMITTED;
    return true;
}

/* The registry that the path leads into and the name within it. */
static json_t *place_find(const struct term_plan *plan, const char *path, const char **name)
{
    char registry[16];
    const char *slash = strchr(path, '/');
    *name = slash == NULL ? path : slash + 1;
    if (slash == NULL) {
        return plan->terms;
    }
    size_t bytes = (size_t)(slash - path);
    if (bytes >= sizeof registry) {
        return NULL;
    }
    memcpy(registry, path, bytes);
    registry[bytes] = '\0';
    return json_object_get(plan->terms, registry);
}

/* Whether there is a signatory for the function, or may be one more. */
static bool seat_there(const struct taking *taking, const char *function)
{
    const json_t *signatories = json_object_get(taking->plan->terms, "signatories");
    if (function[0] == '\0' || strlen(function) > WORDS_BYTES_MAX) {
        return proto_fault_set(taking->fault, PROTO_BAD_FIELD, "path",
                               "\"path\" must name a function of 1 to %d bytes behind "
                               "signatories/",
                               WORDS_BYTES_MAX);
    }
    return json_object_get(signatories, function) != NULL ||
           json_object_size(signatories) < NAMES_MAX ||
           proto_fault_set(taking->fault, PROTO_LIMIT, "path",
                           "the plan has %d signatories, its limit", NAMES_MAX);
}

/* Whether the path may have that value after an amendment. */
static bool after_sound(const struct taking *taking, const char *path, const json_t *after)
{
    static const char *const owner[] = {"owner", "budget", "metric"};
    static const char *const person[] = {"person", "key"};
    const json_t *terms = taking->plan->terms;
    if (strcmp(path, "from") == 0) {
        return dates_sound(taking, after, json_object_get(terms, "to"));
    }
    if (strcmp(path, "to") == 0) {
        return dates_sound(taking, json_object_get(terms, "from"), after);
    }
    if (strcmp(path, "list") == 0) {
        return list_sound(taking, after);
    }
    if (strcmp(path, "share") == 0) {
        return share_sound(taking, after);
    }
    if (strncmp(path, "signatories/", 12) == 0) {
        return seat_there(taking, path + 12) && members_known(taking, after, person, 2) &&
               signatory_sound(taking, after);
    }
    if (term_plan_at(taking->plan, path) == NULL) {
        return proto_fault_set(taking->fault, PROTO_NOT_FOUND, "path",
                               "the plan has no term \"%s\": amend from, to, list, share, "
                               "layers/NAME, stages/NAME or signatories/FUNCTION",
                               path);
    }
    return members_known(taking, after, owner, 3) && owner_sound(taking, after);
}

static bool on_AMEND(const struct taking *taking)
{
    static const char *const names[] = {"path",   "before",   "after",    "reason",
                                        "covers", "function", "signature"};
    const char *name;
    const char *path = words_within(taking, taking->body, "path", PATH_BYTES_MAX);
    json_t *after = json_object_get(taking->body, "after");
    if (path == NULL || !members_known(taking, taking->body, names, 7) ||
        words(taking, taking->body, "reason") == NULL || !after_sound(taking, path, after)) {
        return false;
    }
    const json_t *now = term_plan_at(taking->plan, path);
    const json_t *before = json_object_get(taking->body, "before");
    if (now == NULL ? !json_is_null(before) : !json_equal(before, now)) {
        return proto_fault_set(taking->fault, PROTO_CONFLICT, "before",
                               "\"%s\" is another now than the amendment says", path);
    }
    json_t *place = place_find(taking->plan, path, &name);
    if (!signature_check(taking) || !keep(taking, place, name, json_incref(after))) {
        return false;
    }
    taking->plan->state = TERM_STATE_AMENDED;
    return true;
}

static bool on_VERDICT(const struct taking *taking)
{
    static const char *const names[] = {"verdict", "because", "figures"};
    const char *verdict = json_string_value(json_object_get(taking->body, "verdict"));
    if (!members_known(taking, taking->body, names, 3) ||
        words(taking, taking->body, "because") == NULL) {
        return false;
    }
    const json_t *figures = json_object_get(taking->body, "figures");
    if (figures != NULL && !json_is_object(figures)) {
        return refuse(taking, "figures", "must be an object");
    }
    if (verdict == NULL || (strcmp(verdict, "supported") != 0 && strcmp(verdict, "refuted") != 0 &&
                            strcmp(verdict, "insufficient") != 0)) {
        return refuse(taking, "verdict", "must be supported, refuted or insufficient");
    }
    taking->plan->state = TERM_STATE_VERDICT;
    return keep(taking, taking->plan->terms, "verdict", json_string(verdict));
}

static bool on_NEXT(const struct taking *taking)
{
    static const char *const names[] = {"next"};
    const json_t *next = json_object_get(taking->body, "next");
    if (!members_known(taking, taking->body, names, 1) ||
        words(taking, taking->body, "next") == NULL) {
        return false;
    }
    taking->plan->state = TERM_STATE_NEXT;
    return keep(taking, taking->plan->terms, "next", json_incref((json_t *)(uintptr_t)next));
}

#define BIT(STATE) (1U << TERM_STATE_##STATE)
#define OPEN (BIT(FIT) | BIT(VALIDATED) | BIT(LIST) | BIT(SIGNED))
#define BOUND (BIT(COMMITTED) | BIT(AMENDED))
static const struct act {
    const char *word;
    unsigned states; /* 0: the first entry */
    bool (*apply)(const struct taking *taking);
} acts[] = {
#define X(ACT, word, states, what) {(word), (states), on_##ACT},
#include "server/term/term_act.def"
#undef X
};

/* The states in which an act may be said, as "committed, amended or verdict". */
static void states_print(unsigned states, char *text, size_t room)
{
    size_t used = 0;
    text[0] = '\0';
    for (unsigned state = 0; states != 0; state++) {
        if ((states & (1U << state)) == 0) {
            continue;
        }
        states &= ~(1U << state);
        const char *before = used == 0 ? "" : states == 0 ? " or " : ", ";
        used += (size_t)snprintf(text + used, used < room ? room - used : 0, "%s%s", before,
                                 term_state_word((enum term_state)state));
    }
}

bool term_rule_apply(struct term_plan *plan, const char *act, const json_t *body, uint32_t number,
                     struct proto_fault *fault)
{
    struct taking taking = {plan, act, body, number, fault};
    size_t i = 0;
    while (i < sizeof acts / sizeof *acts && strcmp(acts[i].word, act) != 0) {
        i++;
    }
    if (i == sizeof acts / sizeof *acts) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "act",
                               "'%.64s' is none of create, owner, signatory, validate, list, sign, "
                               "commit, amend, verdict and next",
                               act);
    }
    if (acts[i].states != 0 && number == 1) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "name", "there is no plan \"%s\"",
                               plan->name);
    }
    if (acts[i].states != 0 && (acts[i].states & (1U << plan->state)) == 0) {
        char states[96];
        states_print(acts[i].states, states, sizeof states);
        return proto_fault_set(fault, PROTO_CONFLICT, "act",
                               "the plan is %s; '%s' is for one that is %s",
                               term_state_word(plan->state), act, states);
    }
    return acts[i].apply(&taking);
}
