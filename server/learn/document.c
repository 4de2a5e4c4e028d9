/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/document.h"

#include <stdlib.h>
#include <xxhash.h>

#include "server/feature/json_text.h"
#include "server/learn/report.h"

static void document_destroy(struct learn_document *document)
{
    if (document != NULL) {
        learn_support_destroy(document->support);
        learn_value_destroy(document->value);
        model_destroy(document->scorecard);
        feature_codebook_destroy(document->codebook);
        json_decref(document->json);
        free(document->text);
        free(document);
    }
}

static bool bad(struct proto_fault *fault, const char *field, const char *text)
{
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, field, "%s", text);
}

/* One expected member of an object. */
struct member {
    const char *name;
    char kind; /* s text, i integer ≥ 0, n number, o object, a array, b true or false */
    bool optional;
};

static bool kind_fits(const json_t *value, char kind)
{
    switch (kind) {
    case 's':
        return json_is_string(value);
    case 'i':
        return json_is_integer(value) && json_integer_value(value) >= 0;
    case 'n':
        return json_is_number(value);
    case 'o':
        return json_is_object(value);
    case 'a':
        return json_is_array(value);
    default:
        return json_is_boolean(value);
    }
}

static const char *kind_text(char kind)
{
    switch (kind) {
    case 's':
        return "a text is wanted";
    case 'i':
        return "an integer from 0 up is wanted";
    case 'n':
        return "a number is wanted";
    case 'o':
        return "an object is wanted";
    case 'a':
        return "an array is wanted";
    default:
        return "true or false is wanted";
    }
}

#define MEMBERS_MAX 24

/* The object has these members, of these kinds, and no others. */
static bool members_check(const json_t *object, const struct member *members, size_t count,
                          struct proto_fault *fault)
{
    const char *names[MEMBERS_MAX];
    if (!json_is_object(object)) {
        return bad(fault, "", "an object is wanted");
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, members[i].name);
        names[i] = members[i].name;
        if (value == NULL && !members[i].optional) {
            return bad(fault, members[i].name, "this member is missing");
        }
        if (value != NULL && !kind_fits(value, members[i].kind)) {
            return bad(fault, members[i].name, kind_text(members[i].kind));
        }
    }
    return feature_json_members_known(object, names, count, PROTO_BAD_DOCUMENT, fault);
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Checks the member `name` of an object against a list, with the name put before the fault's path.
 */
static bool part_check(const json_t *object, const char *name, const struct member *members,
                       size_t count, struct proto_fault *fault)
{
    return members_check(json_object_get(object, name), members, count, fault) ||
           proto_fault_within(fault, "%s", name);
}

static bool list_check(const json_t *object, const char *name, const struct member *members,
                       size_t count, struct proto_fault *fault)
{
    const json_t *list = json_object_get(object, name);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!members_check(json_array_get(list, i), members, count, fault)) {
            return proto_fault_within(fault, "%s[%zu]", name, i);
        }
    }
    return true;
}

static bool holdout_check(const json_t *evidence, struct proto_fault *fault)
{
    static const struct member holdout[] = {
        {"split", 's', false},        {"n", 'i', false},
        {"positives", 'i', false},    {"auc", 'n', false},
        {"auc_low", 'n', false},      {"auc_high", 'n', false},
        {"brier", 'n', false},        {"brier_reference", 'n', false},
        {"log_loss", 'n', false},     {"ece", 'n', false},
        {"ks", 'n', false},           {"lift_top_decile", 'n', false},
        {"reliability", 'a', true},   {"out_of_fold", 'o', true},
        {"grades", 'a', true},        {"log_loss_low", 'n', true},
        {"log_loss_high", 'n', true}, {"ece_low", 'n', true},
        {"ece_high", 'n', true},
    };
    static const struct member bin[] = {{"p", 'n', false},
                                        {"n", 'i', false},
                                        {"positives", 'i', false},
                                        {"rate_low", 'n', false},
                                        {"rate_high", 'n', false}};
    if (!part_check(evidence, "holdout", holdout, COUNT(holdout), fault)) {
        return false;
    }
    static const struct member grade[] = {{"grade", 's', false},
                                          {"n", 'i', false},
                                          {"positives", 'i', false},
                                          {"rate_low", 'n', false},
                                          {"rate_high", 'n', false}};
    const json_t *measured = json_object_get(evidence, "holdout");
    return (list_check(measured, "reliability", bin, COUNT(bin), fault) &&
            list_check(measured, "grades", grade, COUNT(grade), fault)) ||
           proto_fault_within(fault, "holdout");
}

static bool evidence_check(const json_t *evidence, struct proto_fault *fault)
{
    static const struct member parts[] = {{"holdout", 'o', false},  {"fields", 'a', false},
                                          {"refused", 'a', false},  {"warnings", 'a', false},
                                          {"readiness", 'a', true}, {"support", 'a', true}};
    static const struct member ready[] = {
        {"figure", 's', false}, {"share", 'n', false}, {"n", 'i', false}};
    static const struct member field[] = {
        {"field", 's', false}, {"importance", 'n', false}, {"auc_alone", 'n', true}};
    static const struct member refused[] = {{"field", 's', false}, {"reason", 's', false}};
    if (!members_check(evidence, parts, COUNT(parts), fault) || !holdout_check(evidence, fault) ||
        !list_check(evidence, "fields", field, COUNT(field), fault) ||
        !list_check(evidence, "refused", refused, COUNT(refused), fault) ||
        !list_check(evidence, "readiness", ready, COUNT(ready), fault)) {
        return false;
    }
    const json_t *warnings = json_object_get(evidence, "warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        if (!json_is_string(json_array_get(warnings, i))) {
            bad(fault, "", "a text is wanted");
            return proto_fault_within(fault, "warnings[%zu]", i);
        }
    }
    return true;
}

static bool head_check(const json_t *json, struct proto_fault *fault)
{
    static const struct member top[] = {
        {"format", 'i', false},   {"name", 's', false},     {"created", 's', false},
        {"schema", 'i', false},   {"label", 'o', false},    {"settings", 'o', false},
        {"evidence", 'o', false}, {"codebook", 'o', false}, {"scorecard", 'o', false}};
    static const struct member label[] = {{"expression", 's', false}, {"where", 's', false},
                                          {"population", 'i', false}, {"positives", 'i', false},
                                          {"base_rate", 'n', false},  {"policy", 'o', true}};
    if (!members_check(json, top, COUNT(top), fault)) {
        return false;
    }
    if (json_integer_value(json_object_get(json, "format")) != LEARN_DOCUMENT_FORMAT) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "format", "this server reads format %d",
                               LEARN_DOCUMENT_FORMAT);
    }
    /* Settings differ between trainers; they inform people and are not relied on. */
    return part_check(json, "label", label, COUNT(label), fault) &&
           (evidence_check(json_object_get(json, "evidence"), fault) ||
            proto_fault_within(fault, "evidence"));
}

static bool parts_read(struct learn_document *document, const struct feature_schema *schema,
                       struct proto_fault *fault)
{
    document->codebook =
        feature_codebook_from_json(json_object_get(document->json, "codebook"), schema, fault);
    if (document->codebook == NULL) {
        return proto_fault_within(fault, "codebook");
    }
    document->scorecard =
        model_from_json(json_object_get(document->json, "scorecard"), document->codebook, fault);
    if (document->scorecard == NULL) {
        return proto_fault_within(fault, "scorecard");
    }
    const json_t *support = json_object_get(json_object_get(document->json, "evidence"), "support");
    const json_t *label = json_object_get(document->json, "label");
    if (support == NULL) {
        return true;
    }
    document->support =
        learn_support_parse(support, document->scorecard,
                            (size_t)json_integer_value(json_object_get(label, "population")),
                            (size_t)json_integer_value(json_object_get(label, "positives")), fault);
    return document->support != NULL || proto_fault_within(fault, "evidence");
}

static bool value_read(struct learn_document *document, struct proto_fault *fault)
{
    const json_t *value = json_object_get(json_object_get(document->json, "settings"), "value");
    if (value == NULL) {
        return true;
    }
    document->value = learn_value_parse(value, document->codebook, fault);
    return document->value != NULL || proto_fault_within(fault, "settings.value");
}

static bool digest_fill(struct learn_document *document, struct proto_fault *fault)
{
    char *canonical =
        json_dumps(document->json, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    if (canonical == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the digest");
    }
    document->digest = XXH3_64bits(canonical, strlen(canonical));
    free(canonical);
    return true;
}

struct learn_document *learn_document_parse(struct proto_span text, uint32_t version,
                                            const struct feature_schema *schema,
                                            struct proto_fault *fault)
{
    if (text.bytes > PROTO_DOCUMENT_BYTES_MAX) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "", "%zu bytes; at most %d are allowed", text.bytes,
                        PROTO_DOCUMENT_BYTES_MAX);
        return NULL;
    }
    struct learn_document *document = calloc(1, sizeof *document);
    if (document == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the document");
        return NULL;
    }
    document->version = version;
    document->references = 1;
    document->text_bytes = text.bytes;
    document->text = malloc(text.bytes + 1);
    bool ok = document->text != NULL;
    if (!ok) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the document");
    } else {
        memcpy(document->text, text.data, text.bytes);
        document->text[text.bytes] = '\0';
        document->json = feature_json_load(text, PROTO_BAD_DOCUMENT, fault);
        ok = document->json != NULL;
    }
    ok = ok && head_check(document->json, fault) && parts_read(document, schema, fault) &&
         value_read(document, fault) && digest_fill(document, fault);
    if (!ok) {
        document_destroy(document);
        return NULL;
    }
    return document;
}

struct learn_document *learn_document_retain(struct learn_document *document)
{
    __atomic_fetch_add(&document->references, 1, __ATOMIC_RELAXED);
    return document;
}

void learn_document_release(struct learn_document *document)
{
    if (document != NULL && __atomic_sub_fetch(&document->references, 1, __ATOMIC_ACQ_REL) == 0) {
        document_destroy(document);
    }
}
